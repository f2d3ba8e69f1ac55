"""Where the other half comes from, and the pipes to the program."""

import asyncio
import hashlib
import importlib
import os
import sys
import tempfile
import zipfile


def import_worker_half():
    """The other half, and Dask's plugins that bring it to a cluster, as an archive.

    That is named by its content: clusters can serve programs of several versions at once. Here it lies in a file only
    until it has been read.
    """
    from distributed.diagnostics.plugin import SchedulerUploadFile, UploadFile

    source = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "apus_worker")
    files = {}
    for name in sorted(os.listdir(source)):
        if name.endswith(".py"):
            with open(os.path.join(source, name), "rb") as file:
                files[name] = file.read()
    name = "apus_worker_" + hashlib.sha256(repr(files).encode()).hexdigest()[:12]
    with tempfile.TemporaryDirectory(prefix="apus-bridge-") as folder:
        archive = os.path.join(folder, name + ".zip")
        with zipfile.ZipFile(archive, "w") as written:
            for file, text in files.items():
                written.writestr(f"{name}/{file}", text)
        sys.path.insert(0, archive)
        half = importlib.import_module(name)
        sys.path.remove(archive)
        return half, (SchedulerUploadFile(archive), UploadFile(archive))


async def open_pipes(longest):
    """The program's requests, and where answers go."""
    # Whatever a library prints goes to standard error; the stream of answers stays whole.
    output = os.dup(1)
    os.dup2(2, 1)
    loop = asyncio.get_running_loop()
    requests = asyncio.StreamReader(limit=longest)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), os.fdopen(os.dup(0), "rb", 0))
    answers, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(output, "wb", 0))
    return requests, answers
