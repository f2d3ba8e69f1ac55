"""Which sessions the processes of this host work for, so that the last one to end takes their files along."""

import contextlib
import fcntl
import os
import threading

_lock = threading.Lock()
_held = {}  # by session: an open file, locked for as long as this process works for it


def hold(session, folder):
    """Says that this process works for a session: by a lock, which the kernel takes away however a process ends."""
    with _lock, contextlib.suppress(OSError):
        if session not in _held:
            path = os.path.join(folder, f".{session}{SUFFIX}")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _held[session] = descriptor, path
            fcntl.flock(descriptor, fcntl.LOCK_SH)


def let_go(session):
    """Ends that; whether no other process works for the session."""
    with _lock:
        descriptor, path = _held.pop(session, (None, None))
    if descriptor is None:
        return True
    # Before it looks: of several that end at once each would see the others', and nobody be the last.
    os.close(descriptor)
    return _is_free(path)


def held():
    """The sessions that this process works for."""
    with _lock:
        return list(_held)


def abandoned(folder):
    """Sessions that some process has worked for, and none does any more."""
    for name in os.listdir(folder):
        if name.startswith(".") and name.endswith(SUFFIX):
            if _is_free(os.path.join(folder, name)):
                yield name[1 : -len(SUFFIX)]


SUFFIX = ".used"


def _is_free(path):
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False  # somebody else has removed it, with the files
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
