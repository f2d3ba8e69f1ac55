"""Brings the jobs of an Apus program to a Dask cluster, with Dask's public API only.

A child of the program: it reads frames from standard input, submits batches of jobs to the cluster and writes what
became of them to standard output. The package `apus_worker` beside it is its other half, which runs on Dask's
workers.
"""

import asyncio
import contextlib
import hashlib
import importlib
import json
import os
import pickle
import shutil
import signal
import struct
import sys
import tempfile
import time
import zipfile

# Requests of the program, and answers.
OPEN, PUT, FORGET, SUBMIT, STOP = range(1, 6)
READY, STORED, BATCH, STATUS, TROUBLE = range(64, 69)


class Batch:
    """Jobs that travel together as one task of Dask."""

    def __init__(self, number, run, name, priority, jobs):
        self.number, self.run, self.name, self.priority, self.jobs = number, run, name, priority, jobs
        self.attempts = 0
        self.is_stopped = False


class Bridge:
    """Between a program's pipes and a scheduler."""

    PART = 32 << 20

    def __init__(self, half, archive, requests, answers):
        self.half, self.archive = half, archive
        self.requests, self.answers = requests, answers
        self.batches = {}  # by future's key: what is at the cluster
        self.data = {}  # reference → digest of its file
        self.files = {}  # digest of a file → (path, size, whether it is a program)
        self.stores = {}  # (digest, host or address) → a task that stores it there
        self.reconnecting = None
        self.collector = None
        self.has_work = asyncio.Event()
        self.retries = 0

    def key(self, name, rest):
        """A key of Dask; the dashboard shows the name, what comes after the dash makes it unique."""
        return f"{name.replace('-', ' ')}-{self.session['name']}x{rest}x{time.time_ns()}"

    def answer(self, kind, body=b""):
        self.answers.write(self.half.frame(kind, body))

    def report(self, kind, **facts):
        self.answer(kind, json.dumps(facts).encode())

    async def serve(self):
        """Reads requests until the program closes its end; then nothing of it stays on the cluster."""
        try:
            while True:
                length, kind = struct.unpack("<IB", await self.requests.readexactly(5))
                body = await self.requests.readexactly(length - 1)
                if kind == OPEN:
                    await self.open(json.loads(body))
                elif kind == PUT:
                    asyncio.create_task(self.guarded(self.put(json.loads(body))))
                elif kind == FORGET:
                    asyncio.create_task(self.guarded(self.forget(json.loads(body))))
                elif kind == SUBMIT:
                    self.submit(self.read_batch(body))
                elif kind == STOP:
                    await self.stop(json.loads(body)["run"])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            await self.close()

    async def guarded(self, work):
        try:
            await work
        except Exception as error:
            self.report(TROUBLE, message=f"{type(error).__name__}: {error}", fatal=False)

    # The connection to the cluster.

    async def open(self, terms):
        self.address = terms["scheduler"]
        self.terms = terms
        self.session = terms["session"]
        self.session_text = json.dumps(self.session)
        self.timeout = terms.get("timeout", 10)
        self.data_store = (terms.get("dataStore") or "").rstrip("/")
        executable = terms["executablePath"]
        self.files[self.session["executable"]] = (executable, os.path.getsize(executable), True)
        try:
            await self.connect()
        except Exception as error:
            reason = str(error) or type(error).__name__
            self.report(TROUBLE, message=f"cannot connect to the scheduler {self.address}: {reason}", fatal=True)
            return
        self.report(READY, dashboard=self.client.dashboard_link, dask=__import__("distributed").__version__,
                    slots=await self.slots())
        self.watcher = asyncio.create_task(self.watch())

    async def connect(self):
        from distributed import Client, Security, as_completed

        keys = {key: value for key, value in self.terms.get("tls", {}).items() if value}
        security = None
        if keys:
            security = Security(
                tls_ca_file=keys["ca"], tls_client_cert=keys["certificate"], tls_client_key=keys["key"],
                require_encryption=True,
            )
        self.client = await Client(
            self.address, asynchronous=True, security=security, set_as_default=False, timeout=self.timeout,
            name="apus",
        )
        await self.client.upload_file(self.archive)
        self.completed = as_completed(loop=self.client.loop)
        self.stores.clear()
        if self.collector is not None:
            self.collector.cancel()
        self.collector = asyncio.create_task(self.guarded(self.collect()))

    async def slots(self):
        return {address: threads for address, threads in (await self.client.nthreads()).items()}

    async def watch(self):
        """Says every second how the cluster is."""
        probed = set()
        while True:
            try:
                slots = await asyncio.wait_for(self.slots(), 5)
                self.report(STATUS, workers=slots, waiting=len(self.batches), retries=self.retries)
                hosts = {host_of(address): address for address in slots}
                for host, address in hosts.items():
                    if host not in probed:
                        probed.add(host)
                        asyncio.create_task(self.guarded(self.welcome(host, address)))
            except asyncio.CancelledError:
                raise
            except Exception:
                self.report(STATUS, workers={}, waiting=len(self.batches), retries=self.retries, scheduler="lost")
                self.lose_scheduler()
            await asyncio.sleep(1)

    async def welcome(self, host, address):
        """Sends the program to a host that is new, and sees whether it runs there."""
        for _ in range(2):
            trouble = await self.client.submit(
                self.half.probe, self.session_text, workers=[address], pure=False, key=self.key("check", host)
            )
            if trouble != "missing":
                break
            await self.store(self.session["executable"], address)
        if trouble:
            self.report(TROUBLE, message=f"worker host {host} cannot run this program: {trouble}", fatal=True)
        await asyncio.gather(*(self.store(digest, address) for digest in self.data.values()))

    def lose_scheduler(self):
        if self.reconnecting is None:
            self.reconnecting = asyncio.create_task(self.guarded(self.reconnect()))

    async def reconnect(self):
        """Connects anew and sends again whatever has not come back."""
        try:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.client.close(), 5)
            while True:
                try:
                    await self.connect()
                    break
                except asyncio.CancelledError:
                    raise
                except Exception:
                    await asyncio.sleep(0.5)
        finally:
            self.reconnecting = None
        batches, self.batches = list(self.batches.values()), {}
        self.retries += len(batches)
        for batch in batches:
            self.submit(batch)

    # Data.

    async def put(self, request):
        reference, path = request["reference"], request["path"]
        digest = await asyncio.to_thread(self.half.file_digest, path)
        self.files[digest] = (path, os.path.getsize(path), False)
        if self.data_store:
            await asyncio.to_thread(self.publish, digest)
        self.data[reference] = digest
        hosts = {host_of(address): address for address in await self.slots()}
        await asyncio.gather(*(self.store(digest, address) for address in hosts.values()))
        self.answer(STORED, reference.encode())

    def url(self, digest):
        return f"{self.data_store}/{digest}.apusdata"

    def publish(self, digest):
        """Sees to it that the user's store has a file, which workers then load by themselves."""
        url = self.url(digest)
        with contextlib.suppress(Exception):
            self.half.open_url(url).close()
            return
        path, size, _ = self.files[digest]
        try:
            if url.startswith(("http://", "https://")):
                raise OSError("it is not there, and a web server takes no files; put it there with another address")
            if "://" not in url or url.startswith("file://"):
                os.makedirs(os.path.dirname(url.removeprefix("file://")), exist_ok=True)
            with open(path, "rb") as source, self.half.open_url(url, "wb") as target:
                shutil.copyfileobj(source, target, self.PART)
        except Exception as error:
            raise RuntimeError(f"cannot write {url}: {self.half.reason_of(error, url)}") from None

    async def forget(self, request):
        digest = self.data.pop(request["reference"], None)
        if digest is not None and digest not in self.data.values():
            self.files.pop(digest, None)
            self.stores = {key: task for key, task in self.stores.items() if key[0] != digest}
            await self.client.run(self.half.forget, self.session["name"], digest, on_error="return")

    def store(self, digest, address, again=False):
        """Sees to it that a file lies on a worker's host, once."""
        place = (digest, address if again else host_of(address))
        if place not in self.stores:
            task = self.stores[place] = asyncio.create_task(self.bring_file(digest, address))
            task.add_done_callback(lambda task: self.forget_failed_store(place, task))
        return self.stores[place]

    def forget_failed_store(self, place, task):
        if (task.cancelled() or task.exception()) and self.stores.get(place) is task:
            del self.stores[place]

    async def bring_file(self, digest, address):
        path, size, executable = self.files[digest]
        if executable or not self.data_store:
            return await self.send_file(digest, address)
        await self.client.submit(
            self.half.fetch_blob, self.session["name"], digest, size, self.url(digest),
            workers=[address], pure=False, key=self.key("load data", digest[:12]),
        )

    async def send_file(self, digest, address):
        path, size, executable = self.files[digest]
        offset = 0
        with open(path, "rb") as file:
            while True:
                part = file.read(self.PART)
                # To the worker itself where it can be reached, so that the scheduler need not hold it.
                future = await self.scatter(Part(part), address)
                await self.client.submit(
                    self.half.store_part, self.session["name"], digest, size, offset, future, executable,
                    workers=[address], pure=False, key=self.key("store data", digest[:12]),
                )
                offset += len(part)
                if offset >= size:
                    break

    async def scatter(self, part, address):
        try:
            return await self.client.scatter(part, workers=[address], hash=False, direct=True)
        except OSError:
            return await self.client.scatter(part, workers=[address], hash=False, direct=False)

    # Batches.

    def read_batch(self, data):
        body = self.half.Body(data)
        number, run, priority = body.take("QQi")
        name = body.sized().decode()
        jobs = body.data[body.position :].tobytes()
        return Batch(number, run, name, priority, jobs)

    def submit(self, batch):
        if batch.is_stopped:
            return
        batch.attempts += 1
        key = self.key(batch.name, f"{batch.number}x{batch.attempts}")
        self.batches[key] = batch
        if self.reconnecting is not None:
            return
        future = self.client.submit(
            self.half.run_batch, self.session_text, self.data, batch.jobs, key=key, pure=False, priority=batch.priority,
            resources=self.terms.get("resources") or None,
        )
        self.completed.add(future)
        self.has_work.set()

    async def collect(self):
        """Brings back what has finished, several tasks at a time."""
        while True:
            await self.has_work.wait()
            self.has_work.clear()
            completed = self.completed
            async for future in completed:
                # What ends within a few milliseconds is fetched together.
                await asyncio.sleep(0.002)
                await self.take([future, *completed.next_batch(block=False)])

    async def take(self, futures):
        finished = [future for future in futures if future.status == "finished"]
        try:
            values = await self.client.gather(finished) if finished else []
        except Exception:
            return self.lose_scheduler()
        for future, value in zip(finished, values):
            batch = self.batches.pop(future.key, None)
            if batch is None:
                continue
            if value[:1] == b"\1":
                asyncio.create_task(self.guarded(self.supply(batch, json.loads(value[1:]))))
            else:
                if value[:1] == b"\2":
                    self.split(batch, *struct.unpack("<Q", value[1:9]), value[9:])
                    value = value[8:]
                self.answer(BATCH, struct.pack("<Q", batch.number) + value[1:])
        for future in futures:
            if future.status == "error" and future.key in self.batches:
                await self.failed(self.batches.pop(future.key), await future.exception())
            elif future.status in ("cancelled", "lost") and future.key in self.batches:
                self.lose_scheduler()

    def split(self, batch, long, records):
        """A job that takes long goes on alone, and those that waited behind it go on without it."""
        done, body = set(), self.half.Body(records)
        while not body.at_end:
            body.sized()
            results = self.half.Body(body.sized())
            while not results.at_end:
                done.add(results.take("QBdd")[0])
                results.sized()
        left = [(job, message) for job, message in self.jobs(batch) if job not in done]
        for part in ([one for one in left if one[0] == long], [one for one in left if one[0] != long]):
            if part:
                self.submit(self.part(batch, part))

    def part(self, batch, jobs):
        messages = b"".join(struct.pack("<Q", job) + self.half.sized(message) for job, message in jobs)
        return Batch(batch.number, batch.run, batch.name, batch.priority, messages)

    async def supply(self, batch, digests):
        """Brings to every host what a batch did not find, and sends the batch again."""
        self.batches[f"supplying-{batch.number}"] = batch
        trouble = ""
        for address in (await self.slots()).keys():
            for digest in digests:
                if digest in self.files:
                    try:
                        await self.store(digest, address, again=batch.attempts > 1)
                    except Exception as error:
                        trouble = str(error)
        self.batches.pop(f"supplying-{batch.number}", None)
        if batch.attempts > 20:
            return self.give_up(batch, "lost", f"its data could not be brought to a worker; {trouble}")
        self.submit(batch)

    async def failed(self, batch, error):
        """A task that ended its Dask workers is taken apart, until the job that does it stands alone."""
        self.retries += 1
        jobs = list(self.jobs(batch))
        if type(error).__name__ != "KilledWorker":
            return self.give_up(batch, "lost", f"{type(error).__name__}: {error}")
        if len(jobs) == 1:
            return self.give_up(batch, "lost", str(error))
        for job in jobs:
            self.submit(self.part(batch, [job]))

    def jobs(self, batch):
        body = self.half.Body(batch.jobs)
        while not body.at_end:
            job = body.take("Q")
            yield job, body.sized()

    def give_up(self, batch, reason, message):
        records = b""
        for job, message_bytes in self.jobs(batch):
            records += self.half.ended({job: message_bytes}, job, "cluster", reason, message)
        self.answer(BATCH, struct.pack("<Q", batch.number) + records)

    async def stop(self, run):
        """Drops what a run still has at the cluster."""
        keys = [key for key, batch in self.batches.items() if batch.run == run]
        for key in keys:
            self.batches.pop(key).is_stopped = True
        with contextlib.suppress(Exception):
            await self.cancel(keys)

    async def cancel(self, keys):
        from distributed import Future

        await self.client.cancel([Future(key, self.client) for key in keys], force=True)

    async def close(self):
        with contextlib.suppress(Exception):
            self.watcher.cancel()
            await asyncio.wait_for(self.cancel(self.batches), 5)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.client.run(self.half.end_session, self.session["name"], on_error="return"), 10)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.client.close(), 5)


class Part:
    """Bytes that travel without being copied into a pickle."""

    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __reduce_ex__(self, protocol):
        return (bytes, (pickle.PickleBuffer(self.data),)) if protocol >= 5 else (bytes, (self.data,))


def host_of(address):
    return address.rsplit(":", 1)[0]


def import_worker_half():
    """The other half, as an archive named by its content: clusters can serve programs of several versions at once."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apus_worker")
    files = {}
    for name in sorted(os.listdir(source)):
        if name.endswith(".py"):
            with open(os.path.join(source, name), "rb") as file:
                files[name] = file.read()
    name = "apus_worker_" + hashlib.sha256(repr(files).encode()).hexdigest()[:12]
    folder = tempfile.mkdtemp(prefix="apus-bridge-")
    archive = os.path.join(folder, name + ".zip")
    with zipfile.ZipFile(archive, "w") as written:
        for file, text in files.items():
            written.writestr(f"{name}/{file}", text)
    sys.path.insert(0, archive)
    return importlib.import_module(name), archive, folder


async def main():
    # Whatever a library prints goes to standard error; the stream of answers stays whole.
    output = os.dup(1)
    os.dup2(2, 1)
    loop = asyncio.get_running_loop()
    half, archive, folder = import_worker_half()
    requests = asyncio.StreamReader(limit=half.LONGEST_FRAME)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), os.fdopen(os.dup(0), "rb", 0))
    answers, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(output, "wb", 0))
    try:
        await Bridge(half, archive, requests, answers).serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # Everything is cleared up; a library's task that does not want to end is not waited for.
        os._exit(0)


if __name__ == "__main__":
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        print(f"{error}; install Dask with: {sys.executable} -m pip install 'distributed>=2024.2'", file=sys.stderr)
        sys.exit(69)
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        asyncio.run(main())
