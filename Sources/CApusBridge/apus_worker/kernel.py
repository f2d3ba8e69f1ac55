"""What the kernel knows of a process: whether it stands still, and whether memory was short where it ran."""

import contextlib


def is_stopped(pid):
    """Whether a signal has stopped a process."""
    with contextlib.suppress(OSError, IndexError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] in "Tt"
    return False


class MemoryKills:
    """Whether the kernel kills for want of memory in the control group of a process; on its host, where that is not
    known."""

    def __init__(self, pid):
        self.sources = [*sources(pid), ("/proc/vmstat", "oom_kill")]
        self.before = self.count()

    def count(self):
        for path, name in self.sources:
            with contextlib.suppress(OSError, ValueError), open(path) as file:
                for line in file:
                    key, _, number = line.partition(" ")
                    if key == name:
                        return int(number)
        return 0

    @property
    def have_grown(self):
        return self.count() > self.before


def sources(pid):
    """The files that count kills in the control group of a process, in either version of control groups."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if not controllers:
                yield f"/sys/fs/cgroup{path}/memory.events", "oom_kill"
            elif "memory" in controllers.split(","):
                yield f"/sys/fs/cgroup/memory{path}/memory.oom_control", "oom_kill"
