"""Messages: how the parts of Apus talk to each other, and what a program asks of the workers."""

import json
import struct

# Frames: u32 length of type and body, u8 type, body; little-endian.
LONGEST_FRAME = 256 << 20

WORKER_PROTOCOL = 1
PREAMBLE = b"\0APUSWRK"
WELCOME, REFUSE, JOBS, PLACE, DROP, CANCEL = range(1, 7)
GREETING, RESULTS = 64, 65
# What became of a job: it threw; it was not begun, as it was asked for; and, beyond what the worker protocol knows: its worker process ended.
THREW, CANCELLED, ENDED = 1, 2, 16


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
        self.platform = terms.get("platform", {})
