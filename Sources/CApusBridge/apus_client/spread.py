"""How a file gets from one host of a cluster to all."""

import asyncio
import contextlib
import time


class Spread:
    """Who gets a file from whom: one host gets it from this program, all others from hosts that have it.

    Should that one stand still, another gets it from this program too.
    """

    # Hosts that each one that has the file serves at once; and this program, while no host has it.
    SERVED = 2
    # Seconds without progress after which this program sends to another host.
    PATIENCE = 10

    def __init__(self):
        self.holders = {}  # by host: a worker there that can read the file
        self.served = {}  # by host: how many get it from there now
        self.progress = 0.0  # when this program sent the latest part
        self.changed = asyncio.Condition()

    async def add(self, host, address):
        async with self.changed:
            self.holders[host] = address
            self.changed.notify_all()

    async def drop(self, host):
        async with self.changed:
            self.holders.pop(host, None)
            self.changed.notify_all()

    PROGRAM = ""

    def free(self):
        """The host that serves the fewest others, or this program, if one can serve one more."""
        count, host = min(((self.served.get(host, 0), host) for host in self.holders), default=(0, self.PROGRAM))
        if host == self.PROGRAM:
            count = self.served.get(host, 0)
            if count and time.monotonic() - self.progress < self.PATIENCE:
                return None
        return host if count < self.SERVED else None

    @contextlib.asynccontextmanager
    async def turn(self):
        """Waits until the file can be sent once more; gives the host that sends it, or nothing for this program."""
        async with self.changed:
            while (host := self.free()) is None:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 1)
            self.served[host] = self.served.get(host, 0) + 1
            if host == self.PROGRAM:
                self.progress = time.monotonic()
        try:
            yield host
        finally:
            async with self.changed:
                self.served[host] -= 1
                self.changed.notify_all()
