"""Results on their way back from the cluster."""

import asyncio

from .room import Room


class Results:
    """Brings back what has finished: the part of the bridge that waits for tasks of Dask and fetches what they gave."""

    # Batches at the cluster up to which each is fetched at once when it is done.
    FEW = 8
    # Bytes of answers that are fetched at once, or wait for the program to read them.
    MOST_BYTES = 128 << 20

    def __init__(self):
        self.completed = None
        self.has_work = asyncio.Event()
        self.room = Room(self.MOST_BYTES)
        self.answer_size = 0  # of an answer of the cluster, about

    def collect_from(self, client):
        from distributed import as_completed

        self.completed = as_completed(loop=client.loop)
        client.subscribe_topic("all", self.note_event)
        self.start(self.collect(client, self.completed))

    async def collect(self, client, completed):
        """Brings back what has finished, several tasks at a time, as long as its client is the one in use."""
        while client is self.connection.client:
            await self.has_work.wait()
            self.has_work.clear()
            if client is not self.connection.client:
                return self.has_work.set()
            async for future in completed:
                # What ends within a few milliseconds is fetched together, where there is much; a worker that cannot be
                # reached does not hold back what others have.
                if len(self.batches) > self.FEW:
                    await asyncio.sleep(0.002)
                self.start(self.take(client, [future, *completed.next_batch(block=False)]))
                # A result stays on its worker, and the worker in a cluster that scales, as long as anything holds it.
                del future

    async def take(self, client, futures):
        """Brings back what has finished, no more at once than there is room for."""
        while futures:
            count = max(1, self.MOST_BYTES // max(1, self.answer_size))
            some, futures = futures[:count], futures[count:]
            async with self.room.take(len(some) * self.answer_size):
                await self.take_some(client, some)
                while self.answers.get_write_buffer_size() > self.MOST_BYTES:
                    await asyncio.sleep(0.01)

    async def take_some(self, client, futures):
        values = await self.fetch(client, {future.key: future for future in futures if future.status == "finished"})
        # One that is large says more than many that are small.
        self.answer_size = max([self.answer_size // 2, *map(len, values.values())])
        unclear = []
        for future in futures:
            error = None
            if future.status == "error":
                try:
                    error = await future.exception()
                except Exception as trouble:
                    error = trouble
            if client is not self.connection.client or future.key not in self.batches:
                continue
            if error is None and future.key not in values:
                unclear.append(future)
                continue
            batch = self.batches.pop(future.key)
            if error is not None:
                self.care(batch, self.failed(batch, error))
                continue
            try:
                self.deliver(batch, values[future.key])
            except Exception as trouble:
                self.give_up(batch, "lost", f"{type(trouble).__name__}: {trouble}")
        if unclear:
            fetches = min(self.batches[future.key].fetches for future in unclear)
            self.start(self.try_later(client, unclear, min(0.2 * (1 + fetches), self.LONGEST_PAUSE)))

    async def try_later(self, client, futures, pause):
        await asyncio.sleep(pause)
        self.try_again(client, futures)

    # Results that cannot be fetched are asked for so often, ever more rarely.
    FETCHES, LONGEST_PAUSE = 20, 4

    async def fetch(self, client, futures):
        """The results of tasks by key; without those that cannot be had now."""
        try:
            values = await client.gather(futures, errors="skip") if futures else {}
            # Older versions of Dask give None for what a worker has let go of meanwhile.
            return {key: value for key, value in values.items() if value is not None}
        except OSError:
            return {}  # the connection is lost, or was for a moment
        except Exception as error:
            if len(futures) > 1:  # one does not keep back the others
                each = [await self.fetch(client, {key: future}) for key, future in futures.items()]
                return {key: value for values in each for key, value in values.items()}
            for batch in filter(None, map(self.batches.get, futures)):
                batch.trouble = f"{type(error).__name__}: {error}"
            return {}

    def try_again(self, client, futures):
        """Fetches, or lets run again, what could not be fetched though its task has ended."""
        if client.status != "running":
            return self.connection.lose(client)
        for future in futures:
            if client is not self.connection.client or future.key not in self.batches:
                continue
            batch = self.batches[future.key]
            if future.status not in ("finished", "error"):
                self.retries += 1
                self.submit(self.batches.pop(future.key))
            elif batch.fetches < self.FETCHES:
                batch.fetches += 1
                self.completed.add(future)
                self.has_work.set()
            else:
                self.batches.pop(future.key)
                self.give_up(batch, "lost", f"its results cannot be fetched; {batch.trouble}")
