"""Jobs on their way to the cluster and back."""

import copy
import struct


class Batch:
    """Jobs that travel together as one task of Dask."""

    def __init__(self, number, run, name, priority, jobs):
        self.number, self.run, self.name, self.priority, self.jobs = number, run, name, priority, jobs
        self.repairs = 0
        self.pauses = 0  # how often it came back from a host that did not run it
        self.bounces = 0  # how often a host could not run it that should have been able to
        self.fetches = 0  # how often its results could not be fetched
        self.errors = 0  # how often Dask could not run it
        self.rest = []  # what goes to the cluster when this has been answered
        self.supplied = set()  # (worker, digest) of each file that it did not find and was brought
        self.trouble = ""
        self.workers = None  # those that it may run on; None for all, and those to come
        self.is_stopped = False


def read_batch(half, data):
    """A batch as the program sends it."""
    body = half.Body(data)
    number, run, priority = body.take("QQi")
    name = body.sized().decode()
    return Batch(number, run, name, priority, body.data[body.position :].tobytes())


def jobs_of(half, batch):
    """The jobs of a batch, each with its message."""
    body = half.Body(batch.jobs)
    while not body.at_end:
        job = body.take("Q")
        yield job, body.sized()


def left(half, batch, records):
    """The jobs of a batch that are not among records of results."""
    done, body = set(), half.Body(records)
    while not body.at_end:
        body.sized()
        results = half.Body(body.sized())
        while not results.at_end:
            done.add(results.take("QBdd")[0])
            results.sized()
    return [(job, message) for job, message in jobs_of(half, batch) if job not in done]


def part_of(half, batch, jobs):
    """A batch of some of another's jobs; the first part takes over what waits for the other."""
    part = copy.copy(batch)
    batch.rest = []
    part.jobs = b"".join(struct.pack("<Q", job) + half.sized(message) for job, message in jobs)
    return part


def pieces(half, records):
    """Records of results in as few pieces as frames can hold."""
    start = end = 0
    if len(records) > half.LONGEST_FRAME:
        body = half.Body(records)
        while not body.at_end:
            body.sized()
            body.sized()
            if body.position - start > half.LONGEST_FRAME and end > start:
                yield records[start:end]
                start = end
            end = body.position
    yield records[start:]
