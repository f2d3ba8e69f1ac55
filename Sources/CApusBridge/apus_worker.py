"""Runs the jobs of an Apus program under a Dask worker.

The bridge sends this file to the workers of a cluster. It keeps Apus worker processes, hands them jobs over the worker
protocol, and brings back their answers; and it keeps the files that jobs need, once on each host. Jobs and results are
bytes that nothing here looks into.
"""

import contextlib
import hashlib
import json
import mmap
import os
import platform
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

# Frames: u32 length of type and body, u8 type, body; little-endian.
LONGEST_FRAME = 256 << 20

WORKER_PROTOCOL = 1
PREAMBLE = b"\0APUSWRK"
WELCOME, REFUSE, JOBS, PLACE = range(1, 5)
GREETING, RESULTS = 64, 65

# What became of a job, beyond what the worker protocol knows: its worker process ended.
ENDED = 16


def frame(kind, body=b""):
    return struct.pack("<IB", 1 + len(body), kind) + body


def sized(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


class Body:
    """Reads the fields of a frame's body, one after another."""

    def __init__(self, data):
        self.data, self.position = memoryview(data), 0

    def take(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return values[0] if len(values) == 1 else values

    def sized(self):
        count = self.take("I")
        if count > len(self.data) - self.position:
            raise ValueError("a field is longer than its frame")
        self.position += count
        return bytes(self.data[self.position - count : self.position])

    @property
    def at_end(self):
        return self.position >= len(self.data)


class Session:
    """What one program asks of the workers; the same on every worker."""

    def __init__(self, text):
        terms = json.loads(text)
        self.name = terms["name"]
        self.executable = terms["executable"]
        self.arguments = terms["arguments"]
        self.wire_names = terms["wireNames"]
        self.threads = terms["threads"]
        self.job_timeout = terms.get("jobTimeout")
        self.memory_limit = terms.get("memoryLimit")
        self.crash_limit = terms["crashLimit"]


class Missing(Exception):
    """Blobs that a batch needs are not on this host."""

    def __init__(self, digests):
        super().__init__(*digests)
        self.digests = digests


class Blobs:
    """Files named by digest, once on each host: every session has a link of its own to the file."""

    LEASE = 24 * 3600

    @staticmethod
    def folders(executable):
        shared = [] if executable else ["/dev/shm"]  # where programs often may not be run
        for parent in [*shared, tempfile.gettempdir()]:
            folder = os.path.join(parent, f"apus-{os.getuid()}")
            with contextlib.suppress(OSError):
                os.makedirs(folder, 0o700, exist_ok=True)
                status = os.lstat(folder)
                # Somebody else's folder, or one that others may write to, is not to be trusted.
                if status.st_uid == os.getuid() and status.st_mode & 0o077 == 0:
                    yield folder

    @classmethod
    def path(cls, session, digest, executable=False):
        """The file's path for a session; None when this host does not have the file."""
        for folder in cls.folders(executable):
            own = os.path.join(folder, f"{digest}.{session}")
            if os.path.exists(own):
                return own
            for name in os.listdir(folder):
                if name.startswith(digest + ".") and not name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        os.link(os.path.join(folder, name), own)
                    if os.path.exists(own):
                        return own
        return None

    @classmethod
    def place(cls, size, executable):
        """The folder for a new file: the first that keeps a tenth of its space free."""
        for folder in cls.folders(executable):
            space = os.statvfs(folder)
            if space.f_bavail * space.f_frsize * 9 // 10 >= size:
                return folder
        raise OSError(f"no room for {size} bytes on {socket.gethostname()}; free some space or set TMPDIR")

    @classmethod
    def remove(cls, session, digest=None):
        for executable in (False, True):
            for folder in cls.folders(executable):
                for name in os.listdir(folder):
                    path = os.path.join(folder, name)
                    with contextlib.suppress(OSError):
                        mine = f".{session}" in name and (digest is None or name.startswith(digest))
                        if mine or time.time() - os.stat(path).st_mtime > cls.LEASE:
                            os.unlink(path)


def store_part(session, digest, size, offset, part, executable):
    """Writes a part of a blob; the last one checks the digest and gives the file its name."""
    if Blobs.path(session, digest, executable):
        return True
    folder = Blobs.place(size - offset, executable)
    path = os.path.join(folder, f"{digest}.{session}.part")
    with open(path, "r+b" if offset else "wb") as file:
        file.seek(offset)
        file.write(part)
    if offset + len(part) < size:
        return True
    found = file_digest(path)
    if found != digest:
        os.unlink(path)
        raise ValueError(f"data arrived on {socket.gethostname()} with digest {found}, expected {digest}")
    os.chmod(path, 0o700 if executable else 0o600)
    os.rename(path, path.removesuffix(".part"))
    return True


def file_digest(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            hasher.update(part)
    return hasher.hexdigest()


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


class ApusWorker:
    """A worker process of Apus, and both ends of its pipes."""

    def __init__(self, session):
        self.session = session
        self.placed = {}
        self.buffer = bytearray()
        self.last_lines = b""
        self.stopped = None
        path = executable_path(session)
        handle, page = tempfile.mkstemp(prefix="apus-page-")
        try:
            os.ftruncate(handle, 4096)
            self.page = mmap.mmap(handle, 4096)
            environment = dict(
                os.environ,
                APUS_WORKER=f":1:{_fingerprint(path)}:{session.executable}",
                APUS_PAGE=page,
                SWIFT_BACKTRACE="enable=no",
            )
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
            self.name = f"{socket.gethostname()} pid {self.process.pid}"
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                os.set_blocking(stream.fileno(), False)
            self.selector = selectors.DefaultSelector()
            self.selector.register(self.process.stdout, selectors.EVENT_READ)
            self.selector.register(self.process.stderr, selectors.EVENT_READ)
            self._greet()
        finally:
            os.close(handle)
            os.unlink(page)

    def _greet(self):
        deadline = time.monotonic() + 30
        while PREAMBLE not in self.buffer:
            self._pump(0.1)
            if len(self.buffer) > 1 << 16 or time.monotonic() > deadline:
                self.stopped = ("lost", "did not greet as a worker of Apus")
                self.close()
                raise self.end()
        del self.buffer[: self.buffer.index(PREAMBLE) + len(PREAMBLE)]
        while (greeting := self._next_frame()) is None:
            self._pump(0.1)
        self.greeting = json.loads(Body(greeting[1]).sized())
        mine = {"version": WORKER_PROTOCOL, "executable": self.session.executable, "wireNames": self.session.wire_names}
        missing = set(mine["wireNames"]) - set(self.greeting["wireNames"])
        if missing or any(self.greeting[key] != mine[key] for key in ("version", "executable")):
            table = mismatch_table(mine, self.greeting)
            self.send(frame(REFUSE, sized(table)))
            self.stopped = ("lost", table)
            self.close()
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
        except BrokenPipeError:
            self._pump(1)  # reads what the worker said last
            raise self.end() from None
        finally:
            self.selector.unregister(self.process.stdin)

    def _pump(self, seconds):
        for key, _ in self.selector.select(seconds):
            if key.fileobj is self.process.stdin:
                continue
            try:
                data = os.read(key.fd, 1 << 18)
            except BlockingIOError:
                continue
            if key.fileobj is self.process.stderr:
                self.last_lines = (self.last_lines + data)[-2048:]
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
            self.close()
            raise self.end()
        if len(self.buffer) < 4 + length:
            return None
        body = bytes(self.buffer[5 : 4 + length])
        del self.buffer[: 4 + length]
        return kind, body

    def place(self, data):
        """Tells the worker where the data of its jobs lies."""
        missing = []
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

    def run(self, jobs, answers):
        """Runs jobs, a dictionary of messages by id, and appends the workers' own records of them to answers."""
        self.send(frame(JOBS, b"".join(jobs.values())))
        while jobs:
            self._watch()
            self._pump(0.1)
            while (message := self._next_frame()) is not None:
                if message[0] != RESULTS:
                    raise WorkerEnded("trapped", f"its worker sent a frame of type {message[0]}")
                body = Body(message[1])
                memory = body.take("Q")
                start = body.position
                while not body.at_end:
                    job, *_ = body.take("QBdd")
                    body.sized()
                    jobs.pop(job, None)
                answers.append(sized(self.name) + sized(message[1][start:]))
                if self.session.memory_limit and memory > self.session.memory_limit and not jobs:
                    self.close()

    @property
    def running(self):
        return struct.unpack_from("<Q", self.page)[0] or None

    def _watch(self):
        """Ends the process when its job runs for too long, or eats too much."""
        job, since = struct.unpack_from("<QQ", self.page)
        limit = self.session.job_timeout
        if limit and job and time.clock_gettime_ns(time.CLOCK_MONOTONIC) - since > limit * 1e9:
            self.stopped = ("timedOut", f"ran for more than {limit} s and was stopped with its worker")
        elif self.session.memory_limit:
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{self.process.pid}/statm") as file:
                _, resident, shared, *_ = map(int, file.read().split())
                used = (resident - shared) * mmap.PAGESIZE
                if used > 2 * self.session.memory_limit:
                    self.stopped = ("outOfMemory", f"used {used >> 20} MB, twice the limit of a worker")
        if self.stopped:
            self._kill()

    def _kill(self):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        """What to say of the process that has ended."""
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self._kill()
            code = self.process.wait()
        with contextlib.suppress(OSError):
            self.last_lines += os.read(self.process.stderr.fileno(), 1 << 16) or b""
        if self.stopped:
            reason, sentence = self.stopped
        elif code < 0:
            reason, sentence = "trapped", f"its worker was killed by signal {-code} ({signal.strsignal(-code)})"
        else:
            reason, sentence = "trapped", f"its worker exited with code {code}"
        lines = [line for line in self.last_lines.decode(errors="replace").splitlines() if line.strip()][-3:]
        if lines:
            sentence += "; last output: " + " | ".join(lines)
        return WorkerEnded(reason, sentence, self.running)

    def close(self):
        self._kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def mismatch_table(program, worker):
    rows = [("", "program", f"worker on {socket.gethostname()}")]
    rows.append(("protocol version", str(program["version"]), str(worker["version"])))
    rows.append(("executable", program["executable"][:12], worker["executable"][:12]))
    for name in sorted(set(program["wireNames"]) | set(worker["wireNames"])):
        rows.append((f"job {name}", *("yes" if name in side["wireNames"] else "no" for side in (program, worker))))
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(2)]
    lines = [f"  {row[0]:<{widths[0]}}{row[1]:<{widths[1]}}{row[2]}" for row in rows]
    return "the worker does not fit the program\n" + "\n".join(lines)


_lock = threading.Lock()
_idle = {}  # by session: Apus workers without jobs
_busy = set()
_ended_sessions = set()


def _take_worker(session):
    with _lock:
        idle = _idle.setdefault(session.name, [])
        worker = idle.pop() if idle else None
    if worker is None or worker.process.poll() is not None:
        worker = ApusWorker(session)
    with _lock:
        _busy.add(worker)
    return worker


def _give_back(worker):
    with _lock:
        _busy.discard(worker)
        if worker.session.name in _ended_sessions or worker.process.poll() is not None:
            worker.close()
        else:
            _idle.setdefault(worker.session.name, []).append(worker)


def run_batch(terms, data, batch):
    """Runs the jobs of a batch in an Apus worker on this host; called by Dask.

    The answer is a byte and what it announces: 0 and records of results by worker, or 1 and the digests that this
    host does not have.
    """
    session = Session(terms)
    body, jobs = Body(batch), {}
    while not body.at_end:
        job = body.take("Q")
        jobs[job] = body.sized()
    answers, crashes, failures_to_start = [], {}, 0
    while jobs:
        worker = None
        try:
            worker = _take_worker(session)
            worker.place(data)
            worker.run(jobs, answers)
        except Missing as missing:
            return b"\1" + json.dumps(missing.digests).encode()
        except WorkerEnded as death:
            if session.name in _ended_sessions:
                return b"\0"
            if worker is None:
                failures_to_start += 1
                if failures_to_start < 3:
                    continue
                message = f"no worker could be started: {death.message}"
                for job in list(jobs):
                    answers.append(ended(jobs, job, socket.gethostname(), "lost", message))
                break
            # A death between two jobs is put down to the next one, so that nothing loops for ever.
            job = death.running if death.running in jobs else next(iter(jobs), None)
            if job is None:
                continue
            crashes[job] = crashes.get(job, 0) + 1
            if death.reason == "timedOut":
                answers.append(ended(jobs, job, worker.name, death.reason, death.message))
            elif crashes[job] >= session.crash_limit:
                message = death.message
                if crashes[job] > 1:
                    message = f"ended {crashes[job]} workers; the last time {message}"
                answers.append(ended(jobs, job, worker.name, death.reason, message))
        finally:
            if worker is not None:
                _give_back(worker)
    return b"\0" + b"".join(answers)


def ended(jobs, job, worker, reason, message):
    del jobs[job]
    payload = json.dumps({"reason": reason, "message": message}).encode()
    return sized(worker) + sized(struct.pack("<QBdd", job, ENDED, 0, 0) + sized(payload))


def describe():
    """What a host is, for the table of a mismatch."""
    return {
        "host": socket.gethostname(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "cpus": os.cpu_count(),
    }


def probe(terms):
    """Starts an Apus worker, to see that it can be started here; what is wrong, or None."""
    try:
        _give_back(_take_worker(Session(terms)))
    except WorkerEnded as death:
        return f"{json.dumps(describe())}: {death.message}"
    except Missing:
        return "missing"
    except OSError as error:
        return f"{json.dumps(describe())}: {error}"
    return None


def end_session(name):
    """Ends the Apus workers of a session on this host and removes its files."""
    with _lock:
        _ended_sessions.add(name)
        workers = _idle.pop(name, []) + [worker for worker in _busy if worker.session.name == name]
    for worker in workers:
        worker.close()
    Blobs.remove(name)


def forget(name, digest):
    """Removes a blob of a session from this host."""
    Blobs.remove(name, digest)
