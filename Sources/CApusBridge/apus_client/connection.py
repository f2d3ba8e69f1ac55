"""The connection to a scheduler, which outlives cuts of the network and schedulers that start anew."""

import asyncio
import contextlib
import time

from .scheduler import check_scheduler, within


class Gone(Exception):
    """A worker or the connection went away meanwhile; the same may work later."""


class Connection:
    """A client of Dask, and another one when its scheduler is lost."""

    # Seconds within which the scheduler should answer. One that does not may be busy, or the network is cut: that
    # is said, but nothing is given up, since what is under way arrives when the network is mended.
    PATIENCE = 5
    # Seconds of silence after which the connection is given up, though TCP has not done so.
    SILENCE = 120
    # The most seconds between two attempts to connect.
    PAUSE = 4

    # Seconds within which workers should take in their half.
    INSTALLATION = 60

    def __init__(self, terms, half, plugins, on_reconnected):
        self.terms, self.half, self.plugins, self.on_reconnected = terms, half, plugins, on_reconnected
        self.address = terms["scheduler"]
        self.session = terms["session"]
        self.client = None
        self.slots = {}  # threads of each worker by address, as last heard
        self.scheduler = None  # which one answered: another one knows nothing of what this one was sent
        self.heard = time.monotonic()
        self.up = asyncio.Event()
        self.reconnecting = None
        self.refusal = None  # why it cannot connect to a scheduler that answers
        self.patience = max(self.PATIENCE, terms.get("timeout", 10))
        self.keys = 0
        self.leaving = set()

    def key(self, name, rest=""):
        """A key of Dask; the dashboard shows the name, what comes after the dash makes it unique."""
        self.keys += 1
        return f"{name.replace('-', ' ')}-{self.session['name']}x{rest}x{self.keys}"

    async def open(self):
        """Connects, and brings the workers' half to the cluster."""
        from distributed import Client, Security

        keys = {key: value for key, value in self.terms.get("tls", {}).items() if value}
        security = None
        if keys:
            security = Security(
                tls_ca_file=keys["ca"], tls_client_cert=keys["certificate"], tls_client_key=keys["key"],
                require_encryption=True,
            )
        timeout = self.terms.get("timeout", 10)
        await check_scheduler(self.address, security, timeout)
        client = Client(
            self.address, asynchronous=True, security=security, set_as_default=False, timeout=timeout, name="apus"
        )
        try:
            await within(self.patience, client)
            await self.install(client)
            slots = dict(await within(self.patience, client.nthreads()))
        except BaseException:
            self.leaving.add(task := asyncio.create_task(leave(client)))
            task.add_done_callback(self.leaving.discard)
            raise
        self.client, self.slots, self.scheduler = client, slots, client.scheduler_info().get("id")
        self.heard = time.monotonic()
        self.up.set()

    async def install(self, client, again=False):
        """Sees to it that the cluster has the workers' half, once for all clients of the same version of Apus."""
        for plugin in self.plugins:
            plugin.idempotent = not again
            # A worker that cannot be reached gets it when it misses it.
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(client.register_plugin(plugin, name=plugin.filename), self.INSTALLATION)

    async def look(self):
        """Whether the scheduler answers, and None if it does; `silent` while it may still, `lost` when it is."""
        if not self.up.is_set():
            return "lost"
        client = self.client
        try:
            slots = dict(await asyncio.wait_for(client.nthreads(), self.PATIENCE))
            if client.status == "running" and client.scheduler_info().get("id") == self.scheduler:
                self.slots, self.heard = slots, time.monotonic()
                return None
        except Exception:
            if client.status == "running" and time.monotonic() - self.heard < self.SILENCE:
                return "silent"
        self.lose(client)
        return "lost"

    def lose(self, client):
        """Gives a connection up and makes another; returns at once."""
        if client is self.client and self.up.is_set():
            self.up.clear()
            self.reconnecting = asyncio.create_task(self.reconnect(client))

    async def reconnect(self, old):
        # A cut network keeps it from saying goodbye; it tries for some time, beside what follows.
        leaving = asyncio.create_task(leave(old))
        pause = 0.25
        while True:
            try:
                await self.open()
                self.refusal = None
                break
            except Exception as error:
                # Waiting helps where nobody answers, and not where the scheduler has become another version.
                is_absent = isinstance(error, (OSError, asyncio.TimeoutError))
                self.refusal = None if is_absent else str(error) or type(error).__name__
                await asyncio.sleep(pause)
                pause = min(2 * pause, self.PAUSE)
        await self.on_reconnected()
        await leaving

    async def on_worker(self, address, function, *arguments):
        """Calls a function on one worker, beside whatever its threads do."""
        return await self.ask(address, self.half.aside, function, *arguments)

    async def ask(self, address, function, *arguments):
        """Awaits an asynchronous function on one worker.

        Dask may wait for long for a worker that has gone away; here that is Gone.
        """
        client = self.client
        attempts = 0
        while True:
            if client is not self.client or not self.up.is_set():
                raise Gone(f"the connection to {self.address} was lost")
            answer = asyncio.ensure_future(client.run(function, *arguments, workers=[address]))
            try:
                while not (await asyncio.wait([answer], timeout=1))[0]:
                    if client is not self.client or address not in self.slots:
                        raise Gone(f"the worker {address} has gone")
            finally:
                answer.cancel()  # which does nothing to one that is there
            try:
                return answer.result()[address]
            except (OSError, asyncio.TimeoutError) as error:  # what is called lets none through
                raise Gone(f"the worker {address} cannot be reached: {error}") from None
            except Exception as error:
                attempts += 1
                if not self.lacks_half(error) or attempts > 5:
                    raise
                await self.repair(client, attempts)

    async def everywhere(self, function, *arguments):
        """Calls a function on all workers; gives the answers by address, errors among them."""
        client = self.client
        try:
            return await client.run(self.half.aside, function, *arguments, on_error="return")
        except Exception as error:
            # Dask fails in many ways on a connection that it has lost.
            if client is self.client and self.up.is_set() and client.status == "running":
                raise
            raise Gone(f"the connection to {self.address} was lost: {error}") from None

    def lacks_half(self, error):
        """Whether a task failed since its worker, or the scheduler, does not have the workers' half yet."""
        if isinstance(error, ImportError) and self.half.__name__ in str(error):
            return True
        # How a scheduler says so: nothing else of a task can fail to be read.
        return "deserializ" in str(error)

    async def repair(self, client, attempts):
        """Waits for the workers' half to arrive where another client sends it; then sends it."""
        await asyncio.sleep(0.2 * attempts)
        if attempts > 2:
            with contextlib.suppress(Exception):
                await self.install(client, again=True)


async def leave(client):
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), 30)
