"""The place, named by the user, where workers load data by themselves."""

import contextlib
import os
import shutil
import uuid


class DataStore:
    """A folder that hosts share, or an address of an object store or a web server."""

    PART = 32 << 20

    def __init__(self, half, place):
        self.half, self.place = half, place.rstrip("/")

    def url(self, digest):
        return f"{self.place}/{digest}.apusdata"

    def publish(self, digest, path, size):
        """Sees to it that the store has a file, which workers then load by themselves."""
        url = self.url(digest)
        try:
            with self.half.open_url(url) as there:
                if size_of(there) in (None, size):
                    return
            reason = "the file there has another size"
        except Exception as error:
            reason = self.half.reason_of(error, url)
        if url.startswith(("http://", "https://")):
            if reason == self.half.NO_FILE:
                reason = "it is not there, and a web server takes no files; put it there with another address"
            raise RuntimeError(f"cannot use {url}: {reason}")
        try:
            with open(path, "rb") as source:
                if "://" not in url or url.startswith("file://"):
                    self.write_file(url.removeprefix("file://"), source)
                else:
                    self.write_object(url, source)
        except Exception as error:
            raise RuntimeError(f"cannot write {url}: {self.half.reason_of(error, url)}") from None

    def write_file(self, path, source):
        """Writes a file that has its name only when it is whole."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        unfinished = f"{path}.{uuid.uuid4().hex[:12]}.part"
        try:
            with open(unfinished, "wb") as target:
                shutil.copyfileobj(source, target, self.PART)
                target.flush()
                os.fsync(target.fileno())
            os.replace(unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
            raise

    def write_object(self, url, source):
        target = self.half.open_url(url, "wb")
        try:
            shutil.copyfileobj(source, target, self.PART)
            target.close()
        except BaseException:
            with contextlib.suppress(Exception):
                target.discard()
            with contextlib.suppress(Exception):
                target.closed = True  # else the part that is there would be stored when the object goes away
            raise


def size_of(file):
    """How many bytes an open file has, where that is known."""
    for attribute in ("size", "length"):  # of fsspec's files, and of answers of web servers
        if hasattr(file, attribute):
            return getattr(file, attribute)
    return os.fstat(file.fileno()).st_size
