"""A real scheduler with real workers on this machine, and a program's side of the bridge, for the bridge's tests."""

import array
import contextlib
import hashlib
import json
import os
import queue
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

# Threads of Swift may block signals, and what they start would then not hear that it should end.
signal.pthread_sigmask(signal.SIG_SETMASK, ())

OPEN, PUT, FORGET, SUBMIT, STOP = range(1, 6)
READY, STORED, BATCH, STATUS, TROUBLE, NOT_STORED = range(64, 70)


def sized(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


def job(identity, name, family="test", **terms):
    """A message of the test worker's jobs, `square`, `misbehave`, …, or of another program's."""
    return struct.pack("<QQQ", identity, identity, identity) + sized(f"{family}.{name}") + sized(json.dumps(terms))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """Dask on this machine. Every worker is given a loopback address of its own, as if it were on another host."""

    def __init__(self, **environment):
        self.folder = tempfile.mkdtemp(prefix="apus-test-")
        self.processes = []
        self.environment = environment
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.dask("scheduler", "--host", "127.0.0.1", "--port", self.address.rsplit(":", 1)[1], "--no-dashboard")

    def dask(self, *arguments, **environment):
        environment = dict(os.environ, PYTHONSAFEPATH="1", **self.environment, **environment)
        for name in ("APUS_EXECUTABLE", "APUS_WORKER"):
            environment.pop(name, None)
        log = open(os.path.join(self.folder, f"{len(self.processes)}.log"), "w")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, host=1, threads=1, preload=None, nanny=False, port=0):
        """Starts a worker, which may first run some Python that makes its host a strange one; its nanny, if it is to
        have one, starts it anew when it ends."""
        temporary = os.path.join(self.folder, f"host-{host}")
        os.makedirs(temporary, exist_ok=True)
        more = ["--worker-port", str(port)] if port else []
        if preload:
            more += ["--preload", os.path.join(self.folder, f"preload_{len(self.processes)}.py")]
            with open(more[-1], "w") as file:
                file.write(preload)
        return self.dask(
            "worker", self.address, "--host", f"127.0.0.{host}", "--nthreads", str(threads),
            "--nanny" if nanny else "--no-nanny", "--no-dashboard", "--local-directory", temporary, *more, TMPDIR=temporary,
        )

    def close(self):
        for process in self.processes:
            kill(process)
        shutil.rmtree(self.folder, ignore_errors=True)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


class Client:
    """Talks to a bridge as a program does."""

    def __init__(self, cluster, sources, executable, **session):
        self.executable, self.folder = executable, cluster.folder
        self.answers = queue.Queue()
        self.results = {}  # by job: its status and payload, and the worker
        self.troubles, self.fatal = [], []
        self.status = {}
        self.stored = {}  # by reference: None, or why not
        self.numbers = 0
        with open(os.path.join(cluster.folder, "bridge.log"), "a") as log:
            self.bridge = subprocess.Popen(
                [sys.executable, "-B", os.path.join(sources, "apus_bridge.py")], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, env=dict(os.environ, **cluster.environment),
            )
        threading.Thread(target=self.read, daemon=True).start()
        with open(executable, "rb") as file:
            self.digest = digest = hashlib.sha256(file.read()).hexdigest()
        terms = {
            "name": os.urandom(6).hex(), "executable": digest, "arguments": [], "wireNames": ["test.square"],
            "threads": 1, "crashLimit": 2, **session,
        }
        self.session = terms["name"]
        self.send(
            OPEN,
            scheduler=cluster.address, executablePath=executable, timeout=60, resources={}, session=terms,
        )
        self.wait(lambda: self.is_ready or self.fatal)

    is_ready = False

    def send(self, kind, body=b"", **terms):
        body = body or json.dumps(terms).encode()
        self.bridge.stdin.write(struct.pack("<IB", 1 + len(body), kind) + body)
        self.bridge.stdin.flush()

    def read(self):
        source = self.bridge.stdout
        while len(head := source.read(5)) == 5:
            length, kind = struct.unpack("<IB", head)
            self.answers.put((kind, source.read(length - 1)))
        self.answers.put((None, b""))

    def put(self, numbers):
        """Gives the workers numbers, and waits until jobs may use them; gives the reference."""
        reference = os.urandom(32).hex()
        path = os.path.join(self.folder, reference)
        with open(path, "wb") as file:
            file.write(b"APUSDAT1" + struct.pack("<QQQQ", 3, 1, 64, 8 * len(numbers)) + bytes([1, 2, 3]) + bytes(21))
            file.write(array.array("d", numbers).tobytes())
        self.put_file(reference, path)
        return reference

    def put_file(self, reference, path):
        self.stored.pop(reference, None)
        self.send(PUT, reference=reference, path=path)
        self.wait(lambda: reference in self.stored)

    def submit(self, jobs, run=1, name="fit test"):
        """Sends jobs, messages by number, as a batch."""
        self.numbers += 1
        body = struct.pack("<QQi", self.numbers, run, 0) + sized(name)
        for number, message in jobs.items():
            body += struct.pack("<Q", number) + sized(message)
        self.send(SUBMIT, body)

    def squares(self, numbers, each=1):
        for start in range(0, len(numbers), each):
            self.submit({number: job(number, "square", number=number) for number in numbers[start : start + each]})

    def wait(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            try:
                self.take(*self.answers.get(timeout=max(0.01, min(1, deadline - time.monotonic()))))
            except queue.Empty:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain; {self.troubles} {self.fatal} {self.status} {self.results}")

    def take(self, kind, body):
        if kind == BATCH:
            position = 8
            while position < len(body):
                worker, position = self.field(body, position)
                records, position = self.field(body, position)
                at = 0
                while at < len(records):
                    number, status = struct.unpack_from("<QB", records, at)
                    payload, at = self.field(records, at + 25)
                    assert number not in self.results, f"job {number} was answered twice"
                    self.results[number] = (status, payload.decode(), worker.decode())
        elif kind == STATUS:
            self.status = json.loads(body)
        elif kind == TROUBLE:
            trouble = json.loads(body)
            (self.fatal if trouble["fatal"] else self.troubles).append(trouble["message"])
        elif kind == STORED:
            self.stored[body.decode()] = None
        elif kind == NOT_STORED:
            refusal = json.loads(body)
            self.stored[refusal["reference"]] = refusal["message"]
        elif kind == READY:
            self.is_ready = True
        elif kind is None:
            raise AssertionError("the bridge has ended")

    @staticmethod
    def field(data, position):
        (length,) = struct.unpack_from("<I", data, position)
        return data[position + 4 : position + 4 + length], position + 4 + length

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.bridge.stdin.close()
        try:
            self.bridge.wait(60)
        except subprocess.TimeoutExpired:
            kill(self.bridge)
        self.bridge.stdout.close()
