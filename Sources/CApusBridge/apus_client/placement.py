"""The files that jobs need, brought to the hosts of a cluster."""

import asyncio
import contextlib
import os
import pickle
import shutil
import urllib.parse
import uuid

from .connection import Gone
from .hosts import host_of


class Placement:
    """Which files there are, and where they have been brought."""

    PART = 32 << 20
    # Bytes that go along with the question whether a host has them.
    SMALL = 256 << 10

    def __init__(self, connection, hosts, half, data_store):
        self.connection, self.hosts, self.half = connection, hosts, half
        self.data_store = (data_store or "").rstrip("/")
        self.session = connection.session["name"]
        self.data = {}  # reference → digest of its file
        self.files = {}  # digest of a file → (path, size, whether it is a program)
        self.puts = {}  # reference → a task that brings it
        self.reachable = {}  # by address: whether it can be reached from here, and not only by the scheduler
        self.stores = {}  # (digest, host or address) → a task that stores it there

    def add_program(self, digest, path):
        # Kept open: hosts that join later get this file too, when it has been built anew under its name meanwhile.
        self.program = open(path, "rb")
        path = f"/proc/self/fd/{self.program.fileno()}"
        self.files[digest] = (path, os.path.getsize(path), True)

    async def put(self, reference, path):
        """Brings data to every host there is; those that come later get it then."""
        if reference not in self.puts:
            self.puts[reference] = asyncio.create_task(self.put_once(reference, path))
        try:
            await asyncio.shield(self.puts[reference])
        except Exception:
            self.puts.pop(reference, None)
            raise

    async def put_once(self, reference, path):
        digest = await asyncio.to_thread(self.half.file_digest, path)
        self.files[digest] = (path, os.path.getsize(path), False)
        if self.data_store:
            await asyncio.to_thread(self.publish, digest)
        try:
            await self.bring_to_all(digest)
        except BaseException:
            self.files.pop(digest, None)
            raise
        self.data[reference] = digest

    async def bring_to_all(self, digest):
        """Brings a file to every host. One that cannot take what another can is left out."""
        while True:
            await self.connection.up.wait()
            present = {host_of(address): address for address in self.connection.slots}
            hosts = {host: address for host, address in present.items() if host not in self.hosts.excluded}
            outcomes = await asyncio.gather(
                *(self.store(digest, address) for address in hosts.values()), return_exceptions=True
            )
            failures = {
                host: outcome for host, outcome in zip(hosts, outcomes)
                if isinstance(outcome, BaseException) and not isinstance(outcome, Gone)
            }
            if failures and len(failures) == len(hosts):
                raise next(iter(failures.values()))
            for host, failure in failures.items():
                self.hosts.exclude(host, f"cannot be given data: {failure}")
            if not any(isinstance(outcome, Gone) for outcome in outcomes) and (hosts or not present):
                return
            await asyncio.sleep(0.5)

    def url(self, digest):
        return f"{self.data_store}/{digest}.apusdata"

    def publish(self, digest):
        """Sees to it that the user's store has a file, which workers then load by themselves."""
        url = self.url(digest)
        path, size, _ = self.files[digest]
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

    async def forget(self, reference):
        self.puts.pop(reference, None)
        digest = self.data.pop(reference, None)
        if digest is None:
            return
        if digest in self.data.values():
            digest = None  # other data has the same file
        else:
            self.files.pop(digest, None)
            self.stores = {key: task for key, task in self.stores.items() if key[0] != digest}
        await self.connection.client.run(self.half.forget, self.session, reference, digest, on_error="return")

    def keep(self, addresses):
        """Forgets what lay on hosts that have gone: one that returns may have lost it."""
        places = {host_of(address) for address in addresses} | set(addresses)
        self.stores = {
            place: task for place, task in self.stores.items() if place[1] in places or not task.done()
        }

    def store(self, digest, address, again=False):
        """Sees to it that a file lies on a worker's host, once; or again, where the worker does not see it."""
        place = (digest, address if again else host_of(address))
        if place not in self.stores or again and self.stores[place].done():
            task = self.stores[place] = asyncio.create_task(self.bring_file(digest, address))
            task.add_done_callback(lambda task: self.forget_failed_store(place, task))
        return self.stores[place]

    def forget_failed_store(self, place, task):
        if (task.cancelled() or task.exception()) and self.stores.get(place) is task:
            del self.stores[place]

    async def bring_file(self, digest, address):
        path, size, executable = self.files[digest]
        if size <= self.SMALL and not self.data_store:
            return await self.send_small_file(digest, address)
        if await self.connection.on_worker(
            address, f"look for {digest[:12]}", self.half.has_blob, self.session, digest, executable
        ):
            return
        if executable or not self.data_store:
            return await self.send_file(digest, address)
        await self.connection.on_worker(
            address, f"load data {digest[:12]}", self.half.fetch_blob, self.session, digest, size, self.url(digest)
        )

    async def send_small_file(self, digest, address):
        path, size, executable = self.files[digest]
        with open(path, "rb") as file:
            data = file.read()
        await self.connection.on_worker(
            address, f"store data {digest[:12]}", self.half.store_part, self.session, digest, size, 0, data,
            executable, uuid.uuid4().hex[:12],
        )

    async def send_file(self, digest, address):
        path, size, executable = self.files[digest]
        offset, upload = 0, uuid.uuid4().hex[:12]
        with open(path, "rb") as file:
            while True:
                part = file.read(self.PART)
                # To the worker itself where it can be reached, so that the scheduler need not hold it.
                future = await self.scatter(Part(part), address)
                if future.client is not self.connection.client:
                    raise Gone(f"the connection to {self.connection.address} was lost")
                await self.connection.on_worker(
                    address, f"store data {digest[:12]}", self.half.store_part, self.session, digest, size, offset,
                    future, executable, upload,
                )
                offset += len(part)
                if offset >= size:
                    break

    async def scatter(self, part, address):
        await self.connection.up.wait()
        client = self.connection.client
        if address not in self.reachable:
            self.reachable[address] = await connects(address)
        if self.reachable[address]:
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                return await client.scatter(part, workers=[address], hash=False, direct=True)
            self.reachable[address] = False
        try:
            return await client.scatter(part, workers=[address], hash=False, direct=False)
        except (OSError, asyncio.TimeoutError, KeyError) as error:  # a scheduler knows no worker that has just gone
            raise Gone(f"the worker {address} cannot be reached: {error}") from None


def size_of(file):
    """How many bytes an open file has, where that is known."""
    for attribute in ("size", "length"):  # of fsspec's files, and of answers of web servers
        if hasattr(file, attribute):
            return getattr(file, attribute)
    return os.fstat(file.fileno()).st_size


async def connects(address):
    """Whether a worker can be connected to from here, which a firewall may keep from happening.

    Dask would try for as long as a client is ready to wait for its scheduler.
    """
    place = urllib.parse.urlsplit(address)
    if place.scheme not in ("tcp", "tls"):
        return True
    with contextlib.suppress(OSError, asyncio.TimeoutError, ValueError):
        _, writer = await asyncio.wait_for(asyncio.open_connection(place.hostname, place.port), 5)
        writer.close()
        return True
    return False


class Part:
    """Bytes that travel without being copied into a pickle."""

    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __reduce_ex__(self, protocol):
        return (bytes, (pickle.PickleBuffer(self.data),)) if protocol >= 5 else (bytes, (self.data,))
