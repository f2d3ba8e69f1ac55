"""What the bridge calls on Dask's workers."""

import json
import platform
import socket
import struct
import threading
import time

from . import uses
from .blobs import Blobs, Missing, cleaners, ended_sessions, keep_clean, note_scratch
from .process import ApusWorker, TooLong, WorkerEnded, table
from .wire import ENDED, Body, Session, sized

_lock = threading.Lock()
_idle = {}  # by session: Apus workers without jobs
_busy = {}  # the call that each of the others works for
_calls = set()
_ended_runs = set()  # each with its session


class Call:
    """What somebody waits for: a batch that runs, or the check of a host."""

    def __init__(self, session, run=None, key=None):
        self.session, self.run, self.key = session, run, key
        self.is_dropped = False

    @property
    def has_ended(self):
        name = self.session.name
        return self.is_dropped or name in ended_sessions or (name, self.run) in _ended_runs


def _take_worker(call):
    session = call.session
    with _lock:
        idle = _idle.setdefault(session.name, [])
        worker = idle.pop() if idle else None
    if worker is not None and worker.process.poll() is not None:
        worker.close()
        worker = None
    worker = worker or ApusWorker(session)
    with _lock:
        _busy[worker] = call
    if call.has_ended:  # while it started
        _give_back(worker)
        raise WorkerEnded("lost", "its run has ended")
    return worker


def _give_back(worker):
    with _lock:
        _busy.pop(worker, None)
        if worker.session.name in ended_sessions or worker.process.poll() is not None:
            worker.close()
        else:
            worker.used = time.monotonic()
            _idle.setdefault(worker.session.name, []).append(worker)


# Seconds that a batch waits for files of its host, which may be on their way, before it goes elsewhere.
FILES_PATIENCE = 2
# Seconds to wait before a worker is started again that could not be: what is busy now may not be then.
PAUSES = [0.2, 1]


def run_batch(terms, data, batch, run, key=None):
    """Runs the jobs of a batch of a run in an Apus worker on this host; called by Dask, as the task with a key.

    The answer is a byte and what it announces: 0 and records of results by worker; 1, what this host lacks as JSON,
    and records of the jobs that are done; 2, a job that is to run by itself, and records of those that are done; or 3,
    and records of the jobs for which there was time.
    """
    keep_clean()
    body, jobs = Body(batch), {}
    while not body.at_end:
        job = body.take("Q")
        jobs[job] = body.sized()
    call = Call(Session(terms), run, key)
    _follow_tasks()
    with _lock:
        _calls.add(call)
    try:
        return _run_jobs(call, data, jobs)
    finally:
        with _lock:
            _calls.discard(call)


def _run_jobs(call, data, jobs):
    session, answers, unbegun, crashes, pauses = call.session, [], [], {}, list(PAUSES)
    patience_ends = time.monotonic() + FILES_PATIENCE
    while jobs:
        worker = trouble = None
        is_waiting = False
        try:
            worker = _take_worker(call)
            worker.place(data)
            worker.run(jobs, answers, unbegun)
        except Missing as missing:
            if call.has_ended:
                return b"\0"
            if time.monotonic() > patience_ends:
                return cannot_go_on(answers, missing=missing.digests)
            is_waiting = True
        except TooLong as job:
            if call.has_ended:
                return b"\0"
            return b"\2" + struct.pack("<Q", job.job) + b"".join(answers)
        except OSError as error:  # no room for its files, say
            if worker is not None:
                worker.close()
            trouble = error
        except WorkerEnded as death:
            if call.has_ended:
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
        if is_waiting:
            time.sleep(0.02)
        if trouble is not None:
            if not pauses:
                # Another host may do better; which one this is, the bridge needs to know.
                return cannot_go_on(answers, trouble=cannot_run(session, trouble))
            time.sleep(pauses.pop(0))
    return (b"\3" if unbegun else b"\0") + b"".join(answers)


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
    }


def probe(terms):
    """Starts an Apus worker, to see that it can be started here; what is wrong, or None."""
    keep_clean()
    session, begun = Session(terms), time.monotonic()
    for pause in [*PAUSES, None]:
        try:
            worker = _take_worker(Call(session))
            with _lock:
                is_spare = any(other.session.name == session.name for other in _calls) or _idle.get(session.name)
            if is_spare:  # jobs have come meanwhile and have started theirs
                worker.close()
            return _give_back(worker)
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
    """What the program needs and what the host has, side by side."""
    names = ["system", "machine", "libc"]
    rows = [(name, str(program.get(name, "?")), str(worker.get(name, "?"))) for name in names]
    return table([("", "program", f"worker on {worker.get('host', '?')}"), *rows])


def end_run(name, run):
    """Ends what this host still does for a run that nobody waits for."""
    with _lock:
        _ended_runs.add((name, run))
    _kill_busy(lambda call: call.run == run and call.session.name == name)


def _kill_busy(is_meant):
    with _lock:
        busy = [worker for worker, call in _busy.items() if is_meant(call)]
    for worker in busy:
        worker.kill()  # whoever waits for its results closes it


def running_tasks(name):
    """The tasks of Dask that run here for a session."""
    with _lock:
        return [call.key for call in _calls if call.session.name == name]


def drop_task(key):
    """Ends what runs for a task of Dask that nobody waits for."""
    with _lock:
        for call in _calls:
            call.is_dropped |= call.key == key
    _kill_busy(lambda call: call.is_dropped)


def _follow_tasks():
    """Has Dask's worker say what becomes of it and of its tasks."""
    from distributed import get_worker

    try:
        follow(get_worker())
    except ValueError:  # not under Dask
        return


_followed = set()  # Dask's workers in this process: one, unless it was started in another way
_left = set()


def follow(worker):
    """Has a worker of Dask say which tasks are dropped: those of a client, say, that is gone with its machine.

    And that it ends: then the files go that no process here needs any more.
    """
    from distributed.diagnostics.plugin import WorkerPlugin

    note_scratch(worker)
    with _lock:
        if worker in _followed:
            return
        if not _followed:
            ended_sessions.difference_update(_left)
            _left.clear()
        _followed.add(worker)

    class Follower(WorkerPlugin):
        def transition(self, key, start, finish, **rest):
            # What runs cannot be stopped by Dask, which only does not wait for its end any more.
            if start in ("executing", "long-running") and finish == "released":
                drop_task(key)

        def teardown(self, worker):
            with _lock:
                _followed.discard(worker)
                if _followed:
                    return
            leave()

    worker.loop.add_callback(worker.plugin_add, plugin=Follower(), name=__name__)


def leave():
    """Ends what this process does, and removes the files of sessions that no other process of this host works for."""
    sessions = set(uses.held())
    with _lock:
        _left.update(sessions - ended_sessions)
    for name in sessions:
        _end_workers(name)
        if uses.let_go(name):
            Blobs.remove(name)
        else:
            Blobs.keep_programs(name)  # others may have theirs elsewhere; who has it here gives it a name again


def end_session(name):
    """Ends the Apus workers of a session on this host and removes its files."""
    _end_workers(name)
    uses.let_go(name)
    Blobs.remove(name)


def _end_workers(name):
    with _lock:
        ended_sessions.add(name)
        _ended_runs.difference_update([ended for ended in _ended_runs if ended[0] == name])
        idle = _idle.pop(name, [])
    _kill_busy(lambda call: call.session.name == name)
    for worker in idle:
        worker.close()


def _end_stale():
    with _lock:
        stale = [w for idle in _idle.values() for w in idle if time.monotonic() - w.used > Blobs.LEASE / 24]
        for worker in stale:
            _idle[worker.session.name].remove(worker)
    for worker in stale:
        worker.close()


cleaners.append(_end_stale)


def forget(name, reference, digest):
    """Lets the idle workers of a session let go of data, and removes its file if no other data needs it."""
    with _lock:
        idle = _idle.get(name, [])
        holders = [worker for worker in idle if reference in worker.placed]
        for worker in holders:
            idle.remove(worker)
            _busy[worker] = Call(worker.session)
    for worker in holders:
        try:
            worker.drop([reference])
        except (WorkerEnded, OSError):
            worker.close()
        finally:
            _give_back(worker)
    if digest is not None:
        Blobs.remove(name, digest)
