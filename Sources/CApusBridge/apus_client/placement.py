"""The files that jobs need, brought to the hosts of a cluster."""

import asyncio
import contextlib
import os
import pickle
import time
import urllib.parse
import uuid

from .connection import Gone
from .hosts import host_of
from .spread import Spread
from .stores import DataStore


class Placement:
    """Which files there are, and where they have been brought."""

    PART = 8 << 20
    # Bytes that go along with the question whether a host has them.
    SMALL = 64 << 10
    # Seconds within which all workers should have let go of a file that is to be brought again.
    PATIENCE = 5

    def __init__(self, connection, hosts, half, data_store):
        self.connection, self.hosts, self.half = connection, hosts, half
        self.on_data = lambda: None  # is called when there is data that not all hosts have
        self.data_store = DataStore(half, data_store) if data_store else None
        self.session = connection.session["name"]
        self.data = {}  # reference → digest of its file
        self.files = {}  # digest of a file → (path, size, whether it is a program)
        self.puts = {}  # reference → a task that brings it
        self.reachable = {}  # by address: whether it can be reached from here, and not only by the scheduler
        self.stores = {}  # (digest, host or address) → a task that stores it there
        self.forgetting = {}  # digest → a task that removes its file
        self.spreads = {}  # digest → how it gets from host to host

    def add_program(self, digest, path):
        # Kept open: hosts that join later get this file too, when it has been built anew under its name meanwhile.
        self.program = open(path, "rb")
        path = f"/proc/self/fd/{self.program.fileno()}"
        self.files[digest] = (path, os.path.getsize(path), True)

    async def put(self, reference, path):
        """Brings data to a host; the others, and those that come later, get it while jobs run already."""
        if reference not in self.puts:
            self.puts[reference] = asyncio.create_task(self.put_once(reference, path))
        try:
            await asyncio.shield(self.puts[reference])
        except Exception:
            self.puts.pop(reference, None)
            raise

    async def put_once(self, reference, path):
        digest = await asyncio.to_thread(self.half.file_digest, path)
        if digest in self.forgetting:  # what is removed and what is brought must not meet
            await asyncio.wait([self.forgetting[digest]], timeout=self.PATIENCE)
        self.files[digest] = (path, os.path.getsize(path), False)
        try:
            if self.data_store:
                await asyncio.to_thread(self.data_store.publish, digest, path, os.path.getsize(path))
            await self.bring_to_one(digest)
        except BaseException:
            if digest not in self.data.values():  # other data may have the same file
                self.files.pop(digest, None)
            raise
        self.data[reference] = digest
        self.on_data()

    async def bring_to_one(self, digest):
        """Begins to bring a file to every host, and waits until one of them has it."""
        while True:
            await self.connection.up.wait()
            present = {host_of(address): address for address in self.connection.slots}
            hosts = {host: address for host, address in present.items() if host not in self.hosts.excluded}
            stores = [self.store(digest, address) for address in hosts.values()]
            for store in asyncio.as_completed(stores):
                with contextlib.suppress(Exception):
                    await store
                    return
            if not present:
                return
            failures = [error for store in stores if not isinstance(error := store.exception(), Gone)]
            if failures:
                raise failures[0]
            await asyncio.sleep(0.5)

    def lacking(self, host):
        """The data that has not been brought to a host."""
        stores = {digest: self.stores.get((digest, host)) for digest in self.data.values()}
        return [digest for digest, store in stores.items() if not (store and store.done())]

    async def forget(self, reference):
        if put := self.puts.pop(reference, None):
            put.cancel()  # who waited for it does not any more
        digest = self.data.pop(reference, None)
        if digest is None:
            return
        on_their_way = []
        if digest in self.data.values():
            digest = None  # other data has the same file
        else:
            on_their_way = [task for key, task in self.stores.items() if key[0] == digest and not task.done()]
            self.files.pop(digest, None)
            self.spreads.pop(digest, None)
            self.stores = {key: task for key, task in self.stores.items() if key[0] != digest}
        removal = asyncio.ensure_future(self.remove(reference, digest, on_their_way))
        if digest is not None:
            self.forgetting[digest] = removal
            removal.add_done_callback(lambda task: self.forgetting.pop(digest, None))
        await removal

    async def remove(self, reference, digest, on_their_way):
        """Has the hosts let go of data, after what is on its way there has arrived."""
        if on_their_way:
            await asyncio.wait(on_their_way, timeout=self.PATIENCE)
        # Of workers that have gone nothing needs to be removed, and what others keep goes with the session.
        with contextlib.suppress(Gone):
            await self.connection.everywhere(self.half.forget, self.session, reference, digest)

    def keep(self, addresses):
        """Forgets what lay on hosts that have gone: one that returns may have lost it."""
        places = {host_of(address) for address in addresses} | set(addresses)
        self.stores = {
            place: task for place, task in self.stores.items() if place[1] in places or not task.done()
        }
        for spread in self.spreads.values():
            spread.holders = {host: address for host, address in spread.holders.items() if address in places}

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
        # As it is now: it may be forgotten before it arrives.
        (path, size, executable), spread = self.files[digest], self.spread(digest)
        if size <= self.SMALL and not self.data_store:
            return await self.send_small_file(digest, address, path, executable)
        if await self.connection.on_worker(address, self.half.has_blob, self.session, digest, executable):
            await spread.add(host_of(address), address)
        elif self.data_store and not executable:
            await self.connection.on_worker(
                address, self.half.fetch_blob, self.session, digest, size, self.data_store.url(digest)
            )
        else:
            await self.pass_on(digest, address, path, size, executable, spread)

    def spread(self, digest):
        return self.spreads.setdefault(digest, Spread())

    async def pass_on(self, digest, address, path, size, executable, spread):
        """Brings a file to a worker's host from another host that has it, or from here when none has."""
        await spread.drop(host_of(address))
        while True:
            async with spread.turn() as source:
                try:
                    if source == spread.PROGRAM:
                        await self.send_file(digest, address, path, size, executable, spread)
                    else:
                        await self.connection.ask(
                            address, self.half.load_from_peer, self.session, digest, size, executable, new_upload(),
                            spread.holders[source],
                        )
                    # Before its turn is over: whoever waits for one gets the file from there.
                    return await spread.add(host_of(address), address)
                except self.half.PeerFailed:
                    await spread.drop(source)

    async def send_small_file(self, digest, address, path, executable):
        with open(path, "rb") as file:
            data = file.read()
        await self.connection.on_worker(
            address, self.half.store_part, self.session, digest, len(data), 0, data, executable, new_upload()
        )

    async def send_file(self, digest, address, path, size, executable, spread):
        offset, upload = 0, new_upload()
        with open(path, "rb") as file:
            while True:
                part = file.read(self.PART)
                # To the worker itself where it can be reached, so that the scheduler need not hold it.
                future = await self.scatter(Part(part), address)
                if future.client is not self.connection.client:
                    raise Gone(f"the connection to {self.connection.address} was lost")
                await self.connection.ask(
                    address, self.half.store_scattered, self.session, digest, size, offset, future.key, executable,
                    upload,
                )
                offset += len(part)
                spread.progress = time.monotonic()
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


def new_upload():
    """A name for what one attempt to bring a file writes."""
    return uuid.uuid4().hex[:12]


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
