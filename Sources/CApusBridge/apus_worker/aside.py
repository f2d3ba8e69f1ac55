"""What is done on a Dask worker beside its tasks: it takes none of the threads that those wait for."""

import asyncio
import logging

from .blobs import file_part, store_part
from .jobs import follow


class PeerFailed(Exception):
    """Another host cannot give a file that it had."""


# How other workers ask for a part of a file; named by the version of this package, as its name is.
READ_PART = __package__ + "_read_part"


async def aside(function, *arguments, dask_worker):
    """Calls a function in a thread of its own; what the bridge has `Client.run` call."""
    if READ_PART not in dask_worker.handlers:
        dask_worker.handlers[READ_PART] = read_part
        # Dask writes down each call; these are too many to leave room for anything else.
        logging.getLogger("distributed.worker").addFilter(lambda record: record.args != (aside.__name__,))
    follow(dask_worker)
    try:
        return await asyncio.to_thread(function, *arguments)
    except OSError as error:
        # The bridge takes an OSError for one of the connection.
        raise RuntimeError(str(error)) from None


async def store_scattered(session, digest, size, offset, key, executable, upload, *, dask_worker):
    """Writes a part of a file that was scattered to this worker under a key."""
    part = dask_worker.data[key]
    await aside(store_part, session, digest, size, offset, part, executable, upload, dask_worker=dask_worker)


async def read_part(digest, executable, offset):
    """A part of a file that this host has, for another host."""
    return await asyncio.to_thread(file_part, digest, executable, offset)


async def load_from_peer(session, digest, size, executable, upload, address, *, dask_worker):
    """Brings a file here from a worker on another host that has it, part by part."""
    read = getattr(dask_worker.rpc(address), READ_PART)
    offset = 0
    while True:
        try:
            part = await read(digest=digest, executable=executable, offset=offset)
        except Exception as error:
            raise PeerFailed(f"{address}: {error}") from None
        if not part and offset < size:
            raise PeerFailed(f"{address} has only {offset} bytes of {size}")
        await aside(store_part, session, digest, size, offset, part, executable, upload, dask_worker=dask_worker)
        offset += len(part)
        if offset >= size:
            break
