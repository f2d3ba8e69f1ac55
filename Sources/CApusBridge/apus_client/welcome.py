"""Makes the hosts of a cluster ready for a program's jobs."""

import asyncio

from .connection import Gone


class Welcome:
    """Gives hosts that join what jobs need, and says which may have some: beside what Dask's workers do."""

    # Seconds within which a worker should answer, and between two times that all are asked.
    PATIENCE, PAUSE = 15, 20

    def __init__(self, connection, placement, hosts, half, session_text, executable, start, say, take_back):
        self.connection, self.placement, self.hosts, self.half = connection, placement, hosts, half
        self.session_text, self.executable, self.start, self.say = session_text, executable, start, say
        self.take_back = take_back  # sends elsewhere what a worker has
        placement.on_data = self.welcome_again

    async def look(self):
        """Sees how the cluster is, and gives hosts that are new, or have another chance, what jobs need."""
        trouble = await self.connection.look()
        if not trouble:
            for host, address in self.hosts.update(self.connection.slots).items():
                self.start_welcome(host, min(self.hosts.addresses[host] - self.hosts.silent, default=address))
        return trouble

    async def listen(self):
        """Says which workers do not answer. Dask gives them up in its own time; others, if there are any, get what they
        have long before."""
        while True:
            await asyncio.sleep(self.PAUSE)
            if self.connection.up.is_set():
                self.hosts.silent &= self.connection.slots.keys()
                await asyncio.gather(*map(self.hear, list(self.connection.slots)), return_exceptions=True)

    async def hear(self, address):
        """Whether a worker answers."""
        try:
            await asyncio.wait_for(self.connection.on_worker(address, self.half.describe), self.PATIENCE)
        except asyncio.TimeoutError:
            if address in self.connection.slots:
                is_known = address in self.hosts.silent
                self.hosts.silent.add(address)
                able = self.hosts.choose()
                has_others = able is not None and address not in able
                if not is_known:
                    what = "goes to others" if has_others else "waits until Dask gives it up"
                    self.say(f"the worker {address} does not answer; what it has {what}")
                if has_others:
                    self.start(self.take_back(address))
            return False
        self.hosts.silent.discard(address)
        return True

    def start_welcome(self, host, address, is_known=False):
        self.hosts.welcoming.add(host)
        self.start(self.welcome(host, address, is_known))

    async def welcome(self, host, address, is_known):
        """Gives a host what jobs need, and lets it have some; one that is known lacks no more than new data."""
        try:
            if not is_known and not await self.hear(address):
                return self.hosts.fail(host, f"does not answer at {address}")
            trouble = None if is_known else await self.probe(address)
            while not trouble and (digests := self.placement.lacking(host)):
                stores = [self.placement.store(digest, address) for digest in digests]
                for digest, outcome in zip(digests, await asyncio.gather(*stores, return_exceptions=True)):
                    # What is forgotten meanwhile is nobody's trouble.
                    if isinstance(outcome, BaseException) and digest in self.placement.data.values():
                        raise outcome
        except Gone as error:
            if self.connection.up.is_set() and address in self.connection.slots:
                self.hosts.fail(host, str(error))
            return
        except Exception as error:
            trouble = f"cannot be given what jobs need: {error}"
        finally:
            self.hosts.welcoming.discard(host)
        if trouble:
            self.hosts.exclude(host, trouble)
        else:
            self.hosts.admit(host)

    def welcome_again(self):
        """Gives hosts data that is new; until they have it they get no jobs."""
        for host in [host for host in self.hosts.ready if self.placement.lacking(host)]:
            self.hosts.ready.pop(host)
            self.start_welcome(host, min(self.hosts.addresses[host]), is_known=True)

    async def probe(self, address):
        """Sends the program to a host, and sees whether it runs there. Gives what is wrong, or None."""
        trouble = await self.connection.on_worker(address, self.half.probe, self.session_text)
        if trouble == "missing":
            await self.placement.store(self.executable, address, again=True)
            trouble = await self.connection.on_worker(address, self.half.probe, self.session_text)
        return "does not keep the program's file" if trouble == "missing" else trouble
