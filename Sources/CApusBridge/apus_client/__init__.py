"""The parts of the bridge: its connection to the scheduler, the hosts there, the files that jobs need, and batches."""

from .batches import Batch, jobs_of, left, part_of, pieces, read_batch
from .connection import Connection, Gone
from .half import import_worker_half, open_pipes
from .hosts import Hosts, host_of
from .needs import Needs
from .placement import Placement
from .program import describe_program
from .results import Results
from .room import Room
from .welcome import Welcome

__all__ = [
    "Batch", "Connection", "Gone", "Hosts", "Needs", "Placement", "Results", "Room", "Welcome", "describe_program",
    "host_of", "import_worker_half", "jobs_of", "left", "open_pipes", "part_of", "pieces", "read_batch",
]
