"""What the bridge calls on Dask's workers."""

import contextlib
import json
import platform
import socket
import struct
import threading
import time

from .blobs import Blobs, Missing
from .process import ApusWorker, TooLong, WorkerEnded, table
from .wire import ENDED, Body, Session, sized

_lock = threading.Lock()
_idle = {}  # by session: Apus workers without jobs
_busy = {}  # the run that each of the others works for
_ended_sessions = set()
_ended_runs = set()  # each with its session


def _has_ended(session, run):
    return session.name in _ended_sessions or (session.name, run) in _ended_runs


def _take_worker(session, run=None):
    with _lock:
        idle = _idle.setdefault(session.name, [])
        worker = idle.pop() if idle else None
    if worker is not None and worker.process.poll() is not None:
        worker.close()
        worker = None
    worker = worker or ApusWorker(session)
    with _lock:
        _busy[worker] = run
        has_ended = _has_ended(session, run)
    if has_ended:  # while it started
        _give_back(worker)
        raise WorkerEnded("lost", "its run has ended")
    return worker


def _give_back(worker):
    with _lock:
        _busy.pop(worker, None)
        if worker.session.name in _ended_sessions or worker.process.poll() is not None:
            worker.close()
        else:
            worker.used = time.monotonic()
            _idle.setdefault(worker.session.name, []).append(worker)


# Seconds to wait before a worker is started again that could not be: what is busy now may not be then.
PAUSES = [0.2, 1]


def run_batch(terms, data, batch, run):
    """Runs the jobs of a batch of a run in an Apus worker on this host; called by Dask.

    The answer is a byte and what it announces: 0 and records of results by worker; 1, what this host lacks as JSON,
    and records of the jobs that are done; or 2, a job that is to run by itself, and records of those that are done.
    """
    session = Session(terms)
    body, jobs = Body(batch), {}
    while not body.at_end:
        job = body.take("Q")
        jobs[job] = body.sized()
    answers, crashes, pauses = [], {}, list(PAUSES)
    while jobs:
        worker = trouble = None
        try:
            worker = _take_worker(session, run)
            worker.place(data)
            worker.run(jobs, answers)
        except Missing as missing:
            return cannot_go_on(answers, missing=missing.digests)
        except TooLong as job:
            if _has_ended(session, run):
                return b"\0"
            return b"\2" + struct.pack("<Q", job.job) + b"".join(answers)
        except OSError as error:  # no room for its files, say
            if worker is not None:
                worker.close()
            trouble = error
        except WorkerEnded as death:
            if _has_ended(session, run):
                return b"\0"
            if worker is None:
                trouble = death
            else:
                worker.close()
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
        if trouble is not None:
            if not pauses:
                # Another host may do better; which one this is, the bridge needs to know.
                return cannot_go_on(answers, trouble=cannot_run(session, trouble))
            time.sleep(pauses.pop(0))
    return b"\0" + b"".join(answers)


def cannot_go_on(answers, **lacks):
    return b"\1" + sized(json.dumps(dict(lacks, worker=_address()))) + b"".join(answers)


def _address():
    """What the scheduler calls the Dask worker that runs this."""
    from distributed import get_worker

    try:
        return get_worker().contact_address
    except ValueError:
        return ""


def ended(jobs, job, worker, reason, message):
    del jobs[job]
    payload = json.dumps({"reason": reason, "message": message}).encode()
    return sized(worker) + sized(struct.pack("<QBdd", job, ENDED, 0, 0) + sized(payload))


def describe():
    """What a host is, for the table of a mismatch."""
    return {
        "host": socket.gethostname(),
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
    }


def probe(terms):
    """Starts an Apus worker, to see that it can be started here; what is wrong, or None."""
    _keep_clean()
    session, begun = Session(terms), time.monotonic()
    for pause in [*PAUSES, None]:
        try:
            return _give_back(_take_worker(session))
        except Missing:
            return "missing"
        except (WorkerEnded, OSError) as error:
            # The file may still be open elsewhere, for writing, or processes be short: not for long.
            if pause is None or time.monotonic() - begun > 10:
                return cannot_run(session, error)
        time.sleep(pause)


def cannot_run(session, trouble):
    """Why the session's program does not run here, with both sides' systems: jobs may get to a host before the check."""
    reason = trouble.message if isinstance(trouble, WorkerEnded) else str(trouble)
    return f"cannot run this program: {reason}\n{platform_table(session.platform, describe())}"


def platform_table(program, worker):
    """What two hosts are, side by side."""
    names = ["host", "system", "machine", "libc", "python"]
    rows = [(name, str(program.get(name, "?")), str(worker.get(name, "?"))) for name in names]
    return table([("", "program", "worker"), *rows])


def end_run(name, run):
    """Ends what this host still does for a run that nobody waits for."""
    with _lock:
        _ended_runs.add((name, run))
        busy = [worker for worker, its in _busy.items() if its == run and worker.session.name == name]
    for worker in busy:
        worker.kill()  # whoever waits for its results closes it


def end_session(name):
    """Ends the Apus workers of a session on this host and removes its files."""
    with _lock:
        _ended_sessions.add(name)
        _ended_runs.difference_update([ended for ended in _ended_runs if ended[0] == name])
        idle = _idle.pop(name, [])
        busy = [worker for worker in _busy if worker.session.name == name]
    for worker in busy:
        worker.kill()  # whoever waits for its results closes it
    for worker in idle:
        worker.close()
    Blobs.remove(name)


_cleaner = None


def _keep_clean():
    """Ends what sessions have left whose programs could not clear up: looks every quarter of an hour."""
    global _cleaner
    with _lock:
        if _cleaner is None:
            _cleaner = threading.Thread(target=_clean, daemon=True)
            _cleaner.start()


def _clean():
    while True:
        with contextlib.suppress(OSError):
            Blobs.remove()
        with _lock:
            stale = [w for idle in _idle.values() for w in idle if time.monotonic() - w.used > Blobs.LEASE / 24]
            for worker in stale:
                _idle[worker.session.name].remove(worker)
        for worker in stale:
            worker.close()
        time.sleep(900)


def forget(name, digest):
    """Removes a blob of a session from this host."""
    Blobs.remove(name, digest)
