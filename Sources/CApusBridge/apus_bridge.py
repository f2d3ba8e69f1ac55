"""Brings the jobs of an Apus program to a Dask cluster, with Dask's public API only.

A child of the program: it reads frames from standard input, submits batches of jobs to the cluster and writes what
became of them to standard output. The package `apus_client` beside it holds its parts; the package `apus_worker` is
its other half, which runs on Dask's workers.
"""

import asyncio
import contextlib
import json
import math
import os
import shutil
import signal
import struct
import sys

from apus_client import (
    Connection, Gone, Hosts, Needs, Placement, Results, Welcome, describe_program, host_of, import_worker_half,
    jobs_of, left, open_pipes, part_of, pieces, read_batch,
)

# Requests of the program, and answers.
OPEN, PUT, FORGET, SUBMIT, STOP = range(1, 6)
READY, STORED, BATCH, STATUS, TROUBLE, NOT_STORED = range(64, 70)


class Bridge(Results):
    """Between a program's pipes and a scheduler."""

    def __init__(self, half, plugins, requests, answers):
        super().__init__()
        self.half, self.plugins = half, plugins
        self.requests, self.answers = requests, answers
        self.connection = self.placement = self.welcome = self.needs = None
        self.mark = ""  # what tells this program's sweeps from others on the dashboard
        self.hosts = Hosts()
        self.hopeless_run = None  # the latest when no host could run anything
        self.latest_run = 0
        self.batches = {}  # by future's key: what is at the cluster, or will be
        self.tasks = set()
        self.retries = 0
        self.widening = None

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
                    # Nothing else is asked for before it says that it is ready; but the program may end.
                    self.start(self.open(json.loads(body)))
                elif kind == PUT:
                    self.start(self.put(**json.loads(body)))
                elif kind == FORGET:
                    self.start(self.placement.forget(**json.loads(body)))
                elif kind == SUBMIT:
                    self.take_in(read_batch(self.half, body))
                elif kind == STOP:
                    self.start(self.stop(json.loads(body)["run"]))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            await self.close()

    def start(self, work):
        """Begins something that goes on beside what else is asked for."""
        task = asyncio.create_task(self.guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def guarded(self, work):
        try:
            await work
        except Exception as error:
            self.report(TROUBLE, message=f"{type(error).__name__}: {error}", fatal=False)

    def care(self, batch, work):
        """Begins something that sends a batch again, or answers it: its jobs are not left without an answer."""

        async def cared():
            try:
                await work
            except Exception as error:
                self.give_up(batch, "lost", f"{type(error).__name__}: {error}")

        return self.start(cared())

    # The cluster.

    async def open(self, terms):
        try:
            await self.connect(terms)
        except Exception as error:
            reason = str(error) or type(error).__name__
            message = f"cannot connect to the scheduler {terms['scheduler']}: {reason}"
            self.report(TROUBLE, message=message, fatal=True)

    async def connect(self, terms):
        self.terms, self.mark = terms, terms["session"]["name"][:4]
        self.session_text = json.dumps(
            dict(terms["session"], platform=describe_program(terms["executablePath"]))
        )
        self.connection = Connection(terms, self.half, self.plugins, self.send_again)
        self.placement = Placement(self.connection, self.hosts, self.half, terms.get("dataStore"))
        executable = terms["session"]["executable"]
        self.placement.add_program(executable, terms["executablePath"])
        self.welcome = Welcome(
            self.connection, self.placement, self.hosts, self.half, self.session_text, executable, self.start,
            lambda message: self.report(TROUBLE, message=message, fatal=False), self.take_back,
        )
        self.needs = Needs(self.connection, self.half, terms.get("resources"))
        await self.connection.open()
        client = self.connection.client
        self.collect_from(client)
        await self.needs.look()
        self.report(READY, dashboard=client.dashboard_link, dask=__import__("distributed").__version__,
                    slots=self.slots())
        self.start(self.watch())
        self.start(self.welcome.listen())

    async def watch(self):
        """Says every second how the cluster is."""
        refusal = None
        while True:
            trouble = await self.welcome.look()
            if not trouble:
                await self.needs.look()
            if refusal != self.connection.refusal:
                refusal = self.connection.refusal
                if refusal:
                    message = f"cannot connect to the scheduler {self.connection.address} again: {refusal}"
                    self.report(TROUBLE, message=message, fatal=False)
            facts = {"scheduler": trouble} if trouble else {}
            self.report(
                STATUS, workers=self.slots(), waiting=len(self.batches), retries=self.retries, **facts
            )
            if not trouble:
                self.placement.keep(self.connection.slots)
                await self.send_stranded()
                if self.widening is None or self.widening.done():
                    self.widening = self.start(self.widen())
                self.tell_of_hosts()
            await asyncio.sleep(1)

    def slots(self):
        """Threads of the workers that jobs can run on."""
        slots = self.needs.limit(self.connection.slots)
        return {
            address: count for address, count in slots.items() if host_of(address) not in self.hosts.excluded
        } or slots

    async def send_stranded(self):
        """Sends elsewhere what can run nowhere any more, or could not so far."""
        stranded = [
            key for key, batch in self.batches.items()
            if batch.workers is not None and not batch.workers & self.connection.slots.keys()
        ]
        if not stranded or self.hosts.choose() == set():
            return
        with contextlib.suppress(Exception):
            await self.cancel(stranded)
        for key in stranded:
            if batch := self.batches.pop(key, None):
                self.submit(batch)

    async def widen(self):
        """Sends anew what waits at some workers only and can run on others too by now, so that all share it."""
        able = self.hosts.choose()
        narrow = {
            key for key, batch in self.batches.items() if batch.workers and (able is None or able - batch.workers)
        }
        if not narrow:
            return
        with contextlib.suppress(Exception):
            asking = self.connection.everywhere(self.half.running_tasks, self.terms["session"]["name"])
            # A worker that is out of reach keeps the others from nothing but this.
            answers = await asyncio.wait_for(asking, self.connection.PATIENCE)
            if any(isinstance(answer, Exception) for answer in answers.values()):
                return
            narrow.difference_update(*answers.values())
            await self.cancel(narrow)
            for key in narrow:
                if batch := self.batches.pop(key, None):
                    self.submit(batch)

    def tell_of_hosts(self):
        for host, reason in self.hosts.news():
            self.report(TROUBLE, message=f"goes on without worker host {host}, which {reason}", fatal=False)
        verdict = self.hosts.verdict()
        if verdict and self.hopeless_run is None:
            self.hopeless_run = self.latest_run
            self.report(TROUBLE, message=verdict, fatal=True)

    async def put(self, reference, path):
        try:
            await self.placement.put(reference, path)
        except Exception as error:
            self.report(NOT_STORED, reference=reference, message=f"{type(error).__name__}: {error}")
        else:
            self.answer(STORED, reference.encode())

    async def take_back(self, worker):
        """Sends elsewhere what a worker has that does not answer; should it have run that after all, nobody is told."""
        client = self.connection.client
        with contextlib.suppress(Exception):
            found = await asyncio.wait_for(client.processing([worker]), self.connection.PATIENCE)
            keys = self.batches.keys() & set(found.get(worker, ()))
            await self.cancel(keys)
            for key in keys:
                if batch := self.batches.pop(key, None):
                    self.retries += 1
                    self.submit(batch)

    def note_event(self, event):
        """Counts what the scheduler lets run again since it has lost a worker. Who was to leave has handed it back."""
        _, facts = event
        if facts.get("action") == "remove-worker" and not facts.get("expected"):
            lost = {*facts.get("processing-tasks", ()), *facts.get("lost-computed-tasks", ())}
            self.retries += len(lost & self.batches.keys())

    async def send_again(self):
        """Sends whatever has not come back to a scheduler that knows nothing of it, or not from this client."""
        self.collect_from(self.connection.client)
        self.placement.stores.clear()
        self.hosts.ready.clear()
        # They stay in sight until they are sent: what is stopped meanwhile is not.
        keys = list(self.batches)
        # A scheduler that still runs what was sent before the connection was lost need not do so.
        with contextlib.suppress(Exception):
            await self.cancel(keys)
        for key in keys:
            if batch := self.batches.pop(key, None):
                self.retries += 1
                self.submit(batch)

    # Batches.

    def take_in(self, batch):
        """Sends what is new; a run that begins after all hosts were given up is worth another look at them."""
        self.latest_run = max(self.latest_run, batch.run)
        if self.hopeless_run is not None and batch.run > self.hopeless_run:
            self.hopeless_run = None
            self.hosts.forgive()
        self.submit(batch)

    def submit(self, batch):
        if batch.is_stopped:
            return
        # The dashboard has a bar of progress for each name: the sweep's mark keeps it apart from others.
        key = self.connection.key(f"{batch.name} #{self.mark}", batch.number)
        self.batches[key] = batch
        client = self.connection.client
        if client.status != "running":
            self.connection.lose(client)
        if not self.connection.up.is_set():
            return  # it goes with the others when there is a connection
        batch.workers = self.hosts.choose()
        if batch.workers == set():
            return  # it goes when a host can run it
        try:
            future = client.submit(
                self.half.run_batch, self.session_text, self.placement.data, batch.jobs, batch.run, key, key=key,
                pure=False, priority=batch.priority, resources=self.terms.get("resources") or None,
                workers=sorted(batch.workers) if batch.workers else None,
            )
        except Exception as error:
            self.batches.pop(key)
            return self.give_up(batch, "lost", f"{type(error).__name__}: {error}")
        self.completed.add(future)
        self.has_work.set()

    def deliver(self, batch, value):
        kind, records = value[0], value[1:]
        if kind == 1:
            fields = self.half.Body(records)
            lacks, records = json.loads(fields.sized()), records[fields.position :]
            if rest := left(self.half, batch, records):
                part = part_of(self.half, batch, rest)
                self.care(part, self.help(part, **lacks))
        elif kind == 2:
            long, records = struct.unpack("<Q", records[:8])[0], records[8:]
            self.split(batch, long, records)
        elif kind == 3:
            self.share(batch, records)
        self.answer_with(batch, records)
        self.go_on(batch)

    def go_on(self, batch):
        """Sends what waited for a batch that is done with, unless a part of that goes on."""
        if batch.rest and not batch.is_stopped:
            following, *following.rest = batch.rest
            batch.rest = []
            self.submit(following)

    def answer_with(self, batch, records):
        """Hands out results, in several frames where they are too long for one."""
        for part in pieces(self.half, records):
            self.answer(BATCH, struct.pack("<Q", batch.number) + part)

    def split(self, batch, long, records):
        """Those that waited behind a job that takes long go on without it, and before it; it goes on alone."""
        rest = left(self.half, batch, records)
        for part in ([one for one in rest if one[0] != long], [one for one in rest if one[0] == long]):
            if part:
                self.submit(part_of(self.half, batch, part))

    def share(self, batch, records):
        """What there was no time for goes on in parts of half as many jobs as there was time for, in its place."""
        rest = left(self.half, batch, records)
        done = sum(1 for _ in jobs_of(self.half, batch)) - len(rest)
        self.go_in_parts(batch, rest, max(1, done // 2))

    def go_in_parts(self, batch, jobs, size):
        """Sends jobs of a batch in parts, one after another, for there may be a limit to how many run at once."""
        waiting = batch.rest
        first, *parts = [part_of(self.half, batch, jobs[start : start + size]) for start in range(0, len(jobs), size)]
        first.rest = [*parts, *waiting]
        self.submit(first)

    async def help(self, batch, worker, missing=(), trouble=""):
        """Sees to a host that could not run a batch, and sends the batch again: elsewhere, where that can be."""
        host = host_of(worker)
        batch.pauses += 1
        with self.held(batch) as is_wanted:
            # The worker may have joined just now, or be about to go.
            await asyncio.sleep(min(0.1 * (batch.pauses - 1), 2))
            if worker not in self.connection.slots:
                await self.welcome.look()
            # One that is being made ready, or cannot be, is not at fault.
            if missing and host in self.hosts.ready:
                batch.bounces += 1
                trouble = await self.supply(batch, worker, [one for one in missing if one in self.placement.files])
            if trouble:
                batch.bounces += 1
                self.hosts.fail(host, trouble)
            if not is_wanted():
                return
        if batch.bounces > 20:
            return self.give_up(batch, "lost", f"no worker could run it; {trouble}")
        self.submit(batch)

    async def supply(self, batch, worker, digests):
        """Brings what a batch did not find to its worker's host; gives what is wrong with that host."""
        places = {(worker, digest) for digest in digests}
        is_again = bool(places & batch.supplied)
        batch.supplied |= places
        try:
            for digest in digests:
                await self.placement.store(digest, worker, again=True)
        except Gone:
            return ""
        except Exception as error:
            return f"cannot be given what jobs need: {error}"
        return "does not keep what jobs need" if is_again else ""

    @contextlib.contextmanager
    def held(self, batch):
        """Keeps a batch in sight that is not at the cluster now; gives whether it is still to go there."""
        key = self.connection.key(batch.name, "held")
        self.batches[key] = batch
        batch.workers = None
        try:
            yield lambda: key in self.batches
        finally:
            self.batches.pop(key, None)

    async def failed(self, batch, error):
        """Sends a batch again that Dask could not run; one that ended its Dask workers in parts, until the job that
        does it stands alone."""
        self.retries += 1
        if self.connection.lacks_half(error) and batch.repairs < 20:
            batch.repairs += 1
            with self.held(batch) as is_wanted:
                await self.connection.repair(self.connection.client, batch.repairs)
                if not is_wanted():
                    return
            return self.submit(batch)
        if type(error).__name__ != "KilledWorker":
            batch.errors += 1
            if batch.errors > 2:
                return self.give_up(batch, "lost", f"{type(error).__name__}: {error}")
            with self.held(batch) as is_wanted:  # a Dask worker may be short of memory for a moment, say
                await asyncio.sleep(batch.errors)
                if not is_wanted():
                    return
            return self.submit(batch)
        jobs = list(jobs_of(self.half, batch))
        if len(jobs) == 1:
            return self.give_up(batch, "lost", str(error))
        # Each failure costs several Dask workers: as many parts as each has jobs, and few rounds.
        self.go_in_parts(batch, jobs, math.isqrt(len(jobs)))

    def give_up(self, batch, reason, message):
        records = b""
        for job, message_bytes in jobs_of(self.half, batch):
            records += self.half.ended({job: message_bytes}, job, "cluster", reason, message)
        self.answer_with(batch, records)
        self.go_on(batch)

    async def stop(self, run):
        """Drops what a run still has at the cluster."""
        keys = [key for key, batch in self.batches.items() if batch.run == run]
        for key in keys:
            self.batches.pop(key).is_stopped = True
        if not keys:
            return
        with contextlib.suppress(Exception):
            await self.cancel(keys)
        # Dask does not stop what runs already.
        with contextlib.suppress(Exception):
            await self.connection.everywhere(self.half.end_run, self.terms["session"]["name"], run)

    async def cancel(self, keys):
        from distributed import Future

        client = self.connection.client
        await client.cancel([Future(key, client) for key in keys], force=True)

    async def close(self):
        if self.connection is None or self.connection.client is None:
            return
        client = self.connection.client
        for last in (
            self.cancel(list(self.batches)),
            self.connection.everywhere(self.half.end_session, self.terms["session"]["name"]),
            client.close(),
        ):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(last, 10)


async def main():
    half, plugins = import_worker_half()
    clear_away()
    requests, answers = await open_pipes(half.LONGEST_FRAME)
    try:
        await Bridge(half, plugins, requests, answers).serve()
    finally:
        # Everything is cleared up; a library's task that does not want to end is not waited for.
        os._exit(0)


def clear_away():
    """Removes the folder of these files, where the program made it for this process alone and says so.

    All of them have been read, and nobody may be left to do it later.
    """
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # An interrupted program says itself when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        clear_away()
        print(f"{error}; install Dask with: {sys.executable} -m pip install 'distributed>=2024.2'", file=sys.stderr)
        sys.exit(69)
    asyncio.run(main())
