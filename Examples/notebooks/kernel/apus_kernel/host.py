"""The Swift process that runs cells."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time


class HostEnded(Exception):
    """The Swift process has ended; its variables are gone."""


class Host:
    def __init__(self):
        build = os.environ.get("APUS_NOTEBOOK_BUILD")
        program = os.path.join(build, "apus-notebook") if build else "apus-notebook"
        self.folder = tempfile.TemporaryDirectory(prefix="apus-notebook-", ignore_cleanup_errors=True)
        requests, self.requests = os.pipe()
        self.events, events = os.pipe()
        # A trap is seen at once when the runtime does not walk the stack first; Dask's bridge is started with
        # this very Python unless another one is named.
        environment = {"APUS_PYTHON": sys.executable, **os.environ, "SWIFT_BACKTRACE": "enable=no"}
        self.process = subprocess.Popen(
            [program, str(requests), str(events), self.folder.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(requests, events),
            start_new_session=True,
            env=environment,
        )
        os.close(requests)
        os.close(events)
        self.streams = {self.process.stdout.fileno(): "stdout", self.process.stderr.fileno(): "stderr"}
        for descriptor in self.streams:
            os.set_blocking(descriptor, False)
        self.partial = b""
        self.interrupted = None

    def send(self, number: int, code: str) -> None:
        self.interrupted = None
        line = json.dumps({"number": number, "code": code}).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self.requests, line) :]
        except BrokenPipeError:
            pass  # read() tells how it ended

    def read(self, on_text, on_display) -> dict:
        """Passes on what comes until the cell is finished; returns how it finished."""
        while True:
            ready, _, _ = select.select([self.events, *self.streams], [], [], 1)
            if self.interrupted and time.monotonic() - self.interrupted > 15:
                raise HostEnded("the interrupted cell did not stop")
            self._drain(on_text, set(ready))
            if self.events not in ready:
                continue
            data = os.read(self.events, 1 << 20)
            if not data:
                self.process.wait()
                self._drain(on_text, set(self.streams))
                raise HostEnded(self._ending())
            self.partial += data
            *lines, self.partial = self.partial.split(b"\n")
            for line in lines:
                event = json.loads(line)
                # What was printed before the event lies in the pipes already.
                self._drain(on_text, set(self.streams))
                if event["event"] == "finished":
                    return event
                on_display(event)

    def _drain(self, on_text, ready) -> None:
        for descriptor in ready & set(self.streams):
            try:
                while data := os.read(descriptor, 1 << 16):
                    on_text(self.streams[descriptor], data.decode(errors="replace"))
                self.streams.pop(descriptor)
            except BlockingIOError:
                pass

    def _ending(self) -> str:
        code = self.process.returncode
        if code >= 0:
            return f"it ended with exit code {code}"
        if -code in (signal.SIGILL, signal.SIGTRAP):
            return "a check of Swift failed, such as an index out of range or a nil that was unwrapped"
        return f"signal {signal.Signals(-code).name}"

    def interrupt(self) -> None:
        self.interrupted = self.interrupted or time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        os.close(self.requests)
        os.close(self.events)
        self.folder.cleanup()
