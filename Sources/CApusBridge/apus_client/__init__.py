"""The parts of the bridge: its connection to the scheduler, the hosts there, and the files that jobs need."""

from .connection import Connection, Gone
from .hosts import Hosts, host_of
from .placement import Placement

__all__ = ["Connection", "Gone", "Hosts", "Placement", "host_of"]
