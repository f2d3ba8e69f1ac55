"""The parts of the bridge: its connection to the scheduler, and the files that jobs need."""

from .connection import Connection, Gone, host_of
from .placement import Placement

__all__ = ["Connection", "Gone", "Placement", "host_of"]
