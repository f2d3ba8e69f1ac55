"""Lets a worker that is asked to end finish what it runs: a fit of many minutes is not lost to a drained node.

On SIGTERM the worker takes no further work, waits for its running tasks for at most APUS_DRAIN_SECONDS, gives its
results to other workers, for some seconds at most, and leaves. Loaded by `dask worker --preload`.
"""

import asyncio
import contextlib
import os
import signal
import time

from distributed.core import Status


async def drain(worker):
    deadline = time.monotonic() + float(os.environ.get("APUS_DRAIN_SECONDS", "20"))
    with contextlib.suppress(Exception):
        # The scheduler hears of the status, and sends no more.
        worker.status = Status.closing_gracefully
        while worker.state.executing and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        # What they gave is fetched in moments by who waits for it; there may be no other worker to give it to.
        fetched = min(deadline, time.monotonic() + 3)
        while worker.data and time.monotonic() < fetched:
            await asyncio.sleep(0.05)
        # A scheduler that was deleted together with its workers says nothing at all, not even that it is gone.
        await asyncio.wait_for(
            worker.scheduler.retire_workers(workers=[worker.address], close_workers=False, remove=True),
            max(5, min(15, deadline - time.monotonic())),
        )
    await worker.close(reason="drained", executor_wait=False)


def dask_setup(worker):
    # Dask's own handler, which is there already, would end the process at once.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(drain(worker)))
