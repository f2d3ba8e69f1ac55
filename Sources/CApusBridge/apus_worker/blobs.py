"""Files that jobs need, once on each host."""

import contextlib
import hashlib
import os
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

from . import uses


class Missing(Exception):
    """Blobs that a batch needs are not on this host."""

    def __init__(self, digests):
        super().__init__(*digests)
        self.digests = digests


class Ended(Exception):
    """A session has ended: what arrives late for it is not kept."""


# By name; those too that this process has left.
ended_sessions = set()


class Blobs:
    """Files named by digest, once on each host: every session has a link of its own to the file."""

    LEASE = 24 * 3600
    PART = 32 << 20

    @staticmethod
    def folders(executable, creates=False):
        """The folders of files that there are, or could be, the best first."""
        for parent in parents(executable):
            folder = os.path.join(parent, f"apus-{os.getuid()}")
            with contextlib.suppress(OSError):
                if creates:
                    os.makedirs(folder, 0o700, exist_ok=True)
                status = os.lstat(folder)
                # Somebody else's folder, or one that others may write to, is not to be trusted.
                if status.st_uid == os.getuid() and status.st_mode & 0o077 == 0:
                    if not executable or may_execute(folder):
                        yield folder

    @classmethod
    def path(cls, session, digest, executable=False):
        """The file's path for a session; None when this host does not have the file, or the session has ended."""
        if session in ended_sessions:
            return None
        use(session)
        for folder in cls.folders(executable):
            own = os.path.join(folder, f"{digest}.{session}")
            if os.path.exists(own):
                if time.time() - os.stat(own).st_mtime > cls.LEASE / 24:
                    os.utime(own)  # a session that still works keeps its files
                return own
            for name in sorted(os.listdir(folder)):
                if name.startswith(digest + ".") and not name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        os.link(os.path.join(folder, name), own)
                    if session in ended_sessions:  # meanwhile
                        with contextlib.suppress(OSError):
                            os.unlink(own)
                        return None
                    if os.path.exists(own):
                        return own
        return None

    @classmethod
    def place(cls, size, executable):
        """The folder for a new file: the first that keeps a tenth of its space free."""
        folder = None
        for folder in cls.folders(executable, creates=True):
            space = os.statvfs(folder)
            if space.f_bavail * space.f_frsize * 9 // 10 >= size:
                return folder
        if folder is None:
            places = ", ".join(parents(executable))
            what = "may programs be run" if executable else "can files be written"
            raise OSError(f"nowhere on {socket.gethostname()} {what}: not in {places}; set TMPDIR to another folder")
        raise OSError(f"no room for {size} bytes on {socket.gethostname()}; free some space or set TMPDIR")

    PROGRAMS = 2

    @classmethod
    def keep_programs(cls, session):
        """Gives the programs of a session that ends a name that no session removes; only so many are kept."""
        for folder in cls.folders(True):
            kept = []
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    digest, owner, *_ = (*name.split("."), "")
                    status = os.stat(path)
                    if owner == session and not name.endswith(".part") and status.st_mode & 0o100:
                        path = os.path.join(folder, f"{digest}.kept")
                        os.rename(os.path.join(folder, name), path)
                        # Renaming a link to one of its own file's other names leaves both.
                        with contextlib.suppress(OSError):
                            os.unlink(os.path.join(folder, name))
                        owner = "kept"
                    if owner == "kept":
                        kept.append((status.st_mtime, path))
            for _, path in sorted(set(kept))[: -cls.PROGRAMS]:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    @classmethod
    def remove(cls, session=None, digest=None):
        """Removes a session's files, or one of them; and whatever nobody has asked for in a day.

        The latest programs stay for that day, since the next session's is often the same.
        """
        if digest is None:
            cls.keep_programs(session)
        for executable in (False, True):
            for folder in cls.folders(executable):
                for name in os.listdir(folder):
                    path = os.path.join(folder, name)
                    with contextlib.suppress(OSError):
                        named, owner, *_ = (*name.split("."), "")
                        mine = owner == session and digest in (None, named)
                        # What says who works for a session is there for as long as its files are.
                        is_old = not name.startswith(".") and time.time() - os.stat(path).st_mtime > cls.LEASE
                        if mine or is_old:
                            os.unlink(path)


_scratch = None


def use(session):
    """Keeps the files of a session for as long as this process lives, which is one of Dask's workers."""
    if _scratch is None or session in uses.held():
        return
    for folder in Blobs.folders(False, creates=True):
        uses.hold(session, folder)
        if session in ended_sessions:  # meanwhile
            uses.let_go(session)
            Blobs.remove(session)
        return


def end_abandoned():
    """Removes the files of sessions whose processes here were killed, all of them."""
    for folder in Blobs.folders(False):
        for session in uses.abandoned(folder):
            Blobs.remove(session)


def note_scratch(worker):
    """Remembers where Dask lets its worker write."""
    global _scratch
    _scratch = os.path.dirname(worker.local_directory)


def parents(executable):
    """Where files may lie, the best first. Programs may be run from fewer places than data can be read from."""
    if not executable:
        return ["/dev/shm", tempfile.gettempdir()]
    places = [tempfile.gettempdir()]
    with contextlib.suppress(ImportError):
        import dask

        places.append(dask.config.get("temporary-directory", None))
    places += [_scratch, os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")]
    return list(dict.fromkeys(os.path.abspath(place) for place in places if place))


def may_execute(folder):
    """Whether the file system of a folder lets programs run."""
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC


cleaners = [end_abandoned, Blobs.remove]
_cleaner = None
_lock = threading.Lock()


def keep_clean():
    """Ends what sessions have left whose programs could not clear up: looks every quarter of an hour.

    Each of Dask's processes does so that files or Apus workers may be left by: a host may have many.
    """
    global _cleaner
    with _lock:
        if _cleaner is None:
            _cleaner = threading.Thread(target=_clean, daemon=True)
            _cleaner.start()


def _clean():
    while True:
        for clean in cleaners:
            with contextlib.suppress(Exception):
                clean()
        time.sleep(900)


def has_blob(session, digest, executable):
    """Whether this host has a file."""
    return Blobs.path(session, digest, executable) is not None


def file_part(digest, executable, offset):
    """The bytes of a file that this host has, whoever's it is, from a position on; as many as travel together."""
    for folder in Blobs.folders(executable):
        for name in sorted(os.listdir(folder)):
            if name.startswith(digest + ".") and not name.endswith(".part"):
                with contextlib.suppress(OSError), open(os.path.join(folder, name), "rb") as file:
                    file.seek(offset)
                    return file.read(Blobs.PART)
    raise RuntimeError(f"{socket.gethostname()} has no file {digest[:12]}")


def store_part(session, digest, size, offset, part, executable, upload):
    """Writes a part of a blob; the last one checks the digest and gives the file its name."""
    keep_clean()
    if session in ended_sessions:
        raise Ended(session)
    # Written by one Dask worker, part after part, for one upload; there may be others of the same file meanwhile.
    unfinished = f"{digest}.{session}.{upload}.part"
    if Blobs.path(session, digest, executable):
        for folder in Blobs.folders(executable):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, unfinished))
        return
    for folder in Blobs.folders(executable):
        if offset and os.path.exists(os.path.join(folder, unfinished)):
            break
    else:
        folder = Blobs.place(size - offset, executable)
    path = os.path.join(folder, unfinished)
    try:
        with open(path, "r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(part)
        if session in ended_sessions:
            raise Ended(session)
        if offset + len(part) >= size:
            adopt(path, session, digest, executable, "data that was sent")
    except BaseException:
        # On a full disk what is there of it would keep everybody else from finding room.
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def adopt(path, session, digest, executable, origin):
    """Gives a file its name, if it is what its name says."""
    found = file_digest(path)
    if found != digest:
        raise ValueError(f"{origin} arrived on {socket.gethostname()} with digest {found}, expected {digest}")
    os.chmod(path, 0o700 if executable else 0o600)
    # A name promises the bytes, after a loss of power too: sessions to come find the file by it.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    own = os.path.join(os.path.dirname(path), f"{digest}.{session}")
    os.rename(path, own)
    if session in ended_sessions:
        with contextlib.suppress(OSError):
            os.unlink(own)
        raise Ended(session)


def fetch_blob(session, digest, size, url):
    """Loads a blob straight from a store: a folder that hosts share, a web server, an object store."""
    keep_clean()
    if session in ended_sessions:
        raise Ended(session)
    if Blobs.path(session, digest):
        return
    path = os.path.join(Blobs.place(size, False), f"{digest}.{session}.{uuid.uuid4().hex[:12]}.part")
    try:
        with open_url(url) as source, open(path, "wb") as file:
            # One byte too many is enough to see that it is not the file.
            left = size + 1
            while left > 0 and session not in ended_sessions and (part := source.read(min(Blobs.PART, left))):
                file.write(part)
                left -= len(part)
        if session in ended_sessions:
            raise Ended(session)
        adopt(path, session, digest, False, url)
    except (ValueError, Ended):
        raise
    except Exception as error:
        raise RuntimeError(f"{socket.gethostname()} cannot load {url}: {reason_of(error, url)}") from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def open_url(url, mode="rb"):
    """A file of a store, to read from or to write to."""
    if url.startswith(("http://", "https://")):
        return urllib.request.urlopen(url, timeout=60)
    if "://" not in url:
        return open(url, mode)
    import fsspec

    # What a bucket holds may have changed since it was listed; and buckets are the user's to make.
    return fsspec.open(url, mode, auto_mkdir=False, use_listings_cache=False).open()


NO_FILE = "there is no such file"


def reason_of(error, url):
    """What went wrong with a store, and what helps."""
    name = type(error).__name__
    if isinstance(error, ImportError):
        library = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}.get(url.split(":")[0])
        return f"{error}; install it there with: pip install {library}" if library else str(error)
    if isinstance(error, FileNotFoundError) and "bucket" in str(error).lower():
        return "there is no such bucket; buckets are yours to make"
    if isinstance(error, FileNotFoundError) or isinstance(error, urllib.error.HTTPError) and error.code == 404:
        return NO_FILE
    if name in ("NoCredentialsError", "PermissionError", "ClientError") or "credential" in str(error).lower():
        return f"no credentials that allow it ({name}: {error}); workers use those of their own environment"
    return f"{name}: {error}"


def file_digest(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            hasher.update(part)
    return hasher.hexdigest()
