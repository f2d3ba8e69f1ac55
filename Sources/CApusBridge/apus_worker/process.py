"""A worker process of Apus under a Dask worker."""

import contextlib
import json
import mmap
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import time

from .blobs import Blobs, Missing, file_digest
from .kernel import MemoryKills, is_stopped
from .wire import CANCEL, CANCELLED, DROP, GREETING, JOBS, LONGEST_FRAME, PLACE, PREAMBLE, REFUSE, RESULTS, THREW
from .wire import WELCOME, WORKER_PROTOCOL, Body, frame, sized

_known_digests = {}


def _fingerprint(path):
    status = os.stat(path)
    seconds, nanoseconds = divmod(status.st_mtime_ns, 1_000_000_000)
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{seconds}-{nanoseconds}"


def executable_path(session):
    """The program that runs jobs: one that is installed here if it is the same, else the one that was sent."""
    for path in (os.environ.get("APUS_EXECUTABLE"), shutil.which("apus")):
        if path and os.path.exists(path):
            fingerprint = _fingerprint(path)
            if fingerprint not in _known_digests:
                _known_digests[fingerprint] = file_digest(path)
            if _known_digests[fingerprint] == session.executable:
                return path
    path = Blobs.path(session.name, session.executable, executable=True)
    if path is None:
        raise Missing([session.executable])
    return path


class WorkerEnded(Exception):
    """An Apus worker process is gone: why, as a reason and a sentence."""

    def __init__(self, reason, message, running=None):
        super().__init__(message)
        self.reason, self.message, self.running = reason, message, running


class TooLong(Exception):
    """A job runs for so long that it should run alone."""

    def __init__(self, job):
        super().__init__(job)
        self.job = job


# Seconds that a job may run among others; past it, it is begun again by itself.
PATIENCE = 2
# Seconds that a signal may stop a process for: a person who did so by mistake can let it go on.
STOP_PATIENCE = 2
# Bytes of what a job has said that come back with its failure.
LAST_WORDS = 2048
# Seconds after which what a batch has not begun goes back, to be shared anew: about twice what a batch should take.
BUDGET = 1


class ApusWorker:
    """A worker process of Apus, and both ends of its pipes."""

    def __init__(self, session):
        self.session = session
        self.placed = {}
        self.renewed = time.monotonic()
        self.is_closed = False
        self.buffer = bytearray()
        self.last_lines = b""
        self.said = {}  # by job: what it wrote to standard error
        self.stopped = None
        self.looked, self.stands_since = time.monotonic(), None
        path = executable_path(session)
        # Not a file: on a full disk its page may be missing, and whoever reads that is ended by the kernel.
        handle = os.memfd_create("apus-page", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(handle, 0, 4096)
            self.page = mmap.mmap(handle, 4096)
            environment = dict(
                os.environ,
                APUS_WORKER=f":1:{_fingerprint(path)}:{session.executable}",
                APUS_PAGE=f"/proc/{os.getpid()}/fd/{handle}",
                SWIFT_BACKTRACE="enable=no",
            )
            self.selector = selectors.DefaultSelector()
            # The shell opens the page as descriptor 3, which Python cannot do without running code after a fork.
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$0" "$@" 3<>"$APUS_PAGE"', path, *session.arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                bufsize=0,
                start_new_session=True,
            )
            self.kills = MemoryKills(self.process.pid)
            self.name = f"{socket.gethostname()} pid {self.process.pid}"
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                os.set_blocking(stream.fileno(), False)
            self.selector.register(self.process.stdout, selectors.EVENT_READ)
            self.selector.register(self.process.stderr, selectors.EVENT_READ)
            self._greet()
        except BaseException:
            if hasattr(self, "process"):
                self.close()
            raise
        finally:
            os.close(handle)

    def _greet(self):
        deadline = time.monotonic() + 30
        while PREAMBLE not in self.buffer:
            self._pump(0.1)
            if len(self.buffer) > 1 << 16 or time.monotonic() > deadline:
                self.stopped = ("lost", "did not greet as a worker of Apus")
                self.kill()
                raise self.end()
        del self.buffer[: self.buffer.index(PREAMBLE) + len(PREAMBLE)]
        while (greeting := self._next_frame()) is None:
            self._pump(0.1)
            if time.monotonic() > deadline:
                self.stopped = ("lost", "did not greet as a worker of Apus")
                self.kill()
                raise self.end()
        if greeting[0] != GREETING:
            self.stopped = ("lost", f"greeted with a frame of type {greeting[0]}")
            self.kill()
            raise self.end()
        theirs = json.loads(Body(greeting[1]).sized())
        mine = {"version": WORKER_PROTOCOL, "executable": self.session.executable, "wireNames": self.session.wire_names}
        missing = set(mine["wireNames"]) - set(theirs["wireNames"])
        if missing or any(theirs[key] != mine[key] for key in ("version", "executable")):
            table = mismatch_table(mine, theirs)
            self.send(frame(REFUSE, sized(table)))
            raise WorkerEnded("lost", table)
        self.send(frame(WELCOME, sized(json.dumps({"threads": self.session.threads}))))

    def send(self, data):
        """Sends all of the data, taking in what comes meanwhile so that no pipe fills up for ever."""
        data = memoryview(data)
        self.selector.register(self.process.stdin, selectors.EVENT_WRITE)
        try:
            while data:
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(self.process.stdin.fileno(), data[: 1 << 16]) :]
                if data:
                    self._pump(0.1)
                    self._watch(False)  # one that stands still takes nothing any more
        except BrokenPipeError:
            self._pump(1)  # reads what the worker said last
            raise self.end() from None
        finally:
            self.selector.unregister(self.process.stdin)

    def _pump(self, seconds):
        for key, _ in self.selector.select(seconds):
            if key.fileobj is self.process.stdin:
                continue
            # The worker goes on to its next job when this one's words have been read.
            job = self.running
            try:
                data = os.read(key.fd, 1 << 18)
            except BlockingIOError:
                continue
            if key.fileobj is self.process.stderr:
                self.last_lines = (self.last_lines + data)[-LAST_WORDS:]
                self.said[job] = (self.said.get(job, b"") + data)[-LAST_WORDS:]
                if not data:
                    self.selector.unregister(self.process.stderr)
            elif data:
                self.buffer += data
            else:
                raise self.end()

    def _next_frame(self):
        if len(self.buffer) < 5:
            return None
        length, kind = struct.unpack_from("<IB", self.buffer)
        if not 1 <= length <= LONGEST_FRAME:
            self.stopped = ("trapped", f"its worker sent a frame of {length} bytes")
            self.kill()
            raise self.end()
        if len(self.buffer) < 4 + length:
            return None
        body = bytes(self.buffer[5 : 4 + length])
        del self.buffer[: 4 + length]
        return kind, body

    def place(self, data):
        """Tells the worker where the data of its jobs lies, and to let go of all other."""
        missing = []
        self.drop([reference for reference in self.placed if reference not in data])
        if time.monotonic() - self.renewed > Blobs.LEASE / 24:
            self.placed = dict.fromkeys(self.placed)  # asking for the files again renews their leases
            executable_path(self.session)
            self.renewed = time.monotonic()
        for reference, blob in data.items():
            if self.placed.get(reference) == blob:
                continue
            path = Blobs.path(self.session.name, blob)
            if path is None:
                missing.append(blob)
            else:
                self.send(frame(PLACE, sized(reference) + sized(path)))
                self.placed[reference] = blob
        if missing:
            raise Missing(missing)

    def drop(self, references):
        """Lets the worker let go of data, which its mapping of a file would keep in memory."""
        for reference in references:
            del self.placed[reference]
            self.send(frame(DROP, sized(reference)))

    def run(self, jobs, answers, unbegun):
        """Runs jobs, a dictionary of messages by id, and appends the workers' own records of them to answers.

        What is not begun within BUDGET is noted as such and left. A job that goes on for longer than PATIENCE is not
        let hold back the results of others: the worker is stopped with it, and TooLong says which it was.
        """
        in_company, ends, is_over = len(jobs) > 1, time.monotonic() + BUDGET, False
        self.send(frame(JOBS, b"".join(jobs.values())))
        while jobs:
            if not is_over and len(jobs) > 1 and time.monotonic() > ends:
                is_over = True
                self.send(frame(CANCEL, struct.pack(f"<B{len(jobs)}Q", 0, *jobs)))
            self._watch(in_company)
            self._pump(0.1)
            while (message := self._next_frame()) is not None:
                if message[0] != RESULTS:
                    raise WorkerEnded("trapped", f"its worker sent a frame of type {message[0]}")
                memory, records = self._take_results(message[1], jobs, unbegun)
                if records:
                    answers.append(sized(self.name) + sized(records))
                if self.session.memory_limit and memory > self.session.memory_limit and not jobs:
                    self.close()

    def _take_results(self, message, jobs, unbegun):
        """The worker's memory, and its records of jobs, each with what it said if it threw."""
        body = Body(message)
        memory, records, start = body.take("Q"), [], body.position
        while not body.at_end:
            begin = body.position
            job, status, *_ = body.take("QBdd")
            payload = body.sized()
            jobs.pop(job, None)
            said = self.said.pop(job, b"")
            words = last_words(said) if status == THREW else ""
            if not words and status != CANCELLED:
                continue
            # Records as they came, up to this one, which is another now or none.
            records.append(message[start:begin])
            start = body.position
            if status == CANCELLED:
                unbegun.append(job)
            else:
                records.append(message[begin : start - len(payload) - 4] + sized(payload + words.encode()))
        return memory, b"".join([*records, message[start:]])

    @property
    def running(self):
        return struct.unpack_from("<Q", self.page)[0] or None

    def _watch(self, in_company):
        """Ends the process when its job runs for too long, or eats too much."""
        job, since = struct.unpack_from("<QQ", self.page)
        limit = self.session.job_timeout
        seconds = (time.clock_gettime_ns(time.CLOCK_MONOTONIC) - since) / 1e9 if job else 0
        if limit and seconds > limit:
            self.stopped = ("timedOut", f"ran for more than {limit} s and was stopped with its worker")
        elif in_company and seconds > PATIENCE:
            self.close()
            raise TooLong(job)
        elif self._stands_still():
            self.stopped = ("trapped", f"its worker had been stopped by a signal for {STOP_PATIENCE} s and was killed")
        elif self.session.memory_limit:
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{self.process.pid}/statm") as file:
                _, resident, shared, *_ = map(int, file.read().split())
                used = (resident - shared) * mmap.PAGESIZE
                if used > 2 * self.session.memory_limit:
                    self.stopped = ("outOfMemory", f"used {used >> 20} MB, twice the limit of a worker")
        if self.stopped:
            self.kill()

    def _stands_still(self):
        """Whether a signal has stopped the process for too long; looks four times a second."""
        now = time.monotonic()
        if now - self.looked > 0.25:
            self.looked = now
            self.stands_since = (self.stands_since or now) if is_stopped(self.process.pid) else None
        return self.stands_since is not None and now - self.stands_since > STOP_PATIENCE

    def kill(self):
        # Once it has been waited for, its number may be another process's.
        if self.process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        """What to say of the process that has ended."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        with contextlib.suppress(OSError):
            self.last_lines += os.read(self.process.stderr.fileno(), 1 << 16) or b""
        if self.stopped:
            reason, sentence = self.stopped
        elif code == -signal.SIGKILL and self.kills.have_grown:
            reason = "outOfMemory"
            sentence = "its worker was killed by signal 9 (Killed) when the kernel was short of memory"
        elif code < 0:
            reason, sentence = "trapped", f"its worker was killed by signal {-code} ({signal.strsignal(-code)})"
        else:
            reason, sentence = "trapped", f"its worker exited with code {code}"
        return WorkerEnded(reason, sentence + last_words(self.last_lines), self.running)

    def close(self):
        if self.is_closed:
            return
        self.is_closed = True
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.selector.close()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        self.page.close()


def last_words(said):
    """The last lines of what a job or its worker has said, to be put behind a sentence."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()][-3:]
    return "; last output: " + " | ".join(lines) if lines else ""


def mismatch_table(program, worker):
    rows = [("", "program", f"worker on {socket.gethostname()}")]
    rows.append(("protocol version", str(program["version"]), str(worker["version"])))
    rows.append(("executable", program["executable"][:12], worker["executable"][:12]))
    for name in sorted(set(program["wireNames"]) | set(worker["wireNames"])):
        rows.append((f"job {name}", *("yes" if name in side["wireNames"] else "no" for side in (program, worker))))
    return "the worker does not fit the program\n" + table(rows)


def table(rows):
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(2)]
    return "\n".join(f"  {row[0]:<{widths[0]}}{row[1]:<{widths[1]}}{row[2]}" for row in rows)
