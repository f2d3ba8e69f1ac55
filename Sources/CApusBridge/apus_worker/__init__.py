"""Runs the jobs of an Apus program under a Dask worker.

The bridge sends this package to the workers of a cluster. It keeps Apus worker processes, hands them jobs over the
worker protocol, and brings back their answers; and it keeps the files that jobs need, once on each host. Jobs and
results are bytes that nothing here looks into.
"""

from .aside import PeerFailed, aside, load_from_peer, store_scattered
from .blobs import NO_FILE, Blobs, fetch_blob, file_digest, has_blob, open_url, reason_of, store_part
from .jobs import describe, end_run, end_session, ended, forget, probe, run_batch, running_tasks
from .resources import resources_of_workers
from .wire import LONGEST_FRAME, Body, frame, sized

__all__ = [
    "Blobs", "Body", "LONGEST_FRAME", "NO_FILE", "PeerFailed", "aside", "describe", "end_run", "end_session", "ended",
    "fetch_blob", "file_digest", "forget", "frame", "has_blob", "load_from_peer", "open_url", "probe", "reason_of",
    "resources_of_workers", "run_batch", "running_tasks", "sized", "store_part", "store_scattered",
]
