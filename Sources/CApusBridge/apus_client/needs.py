"""What jobs need of Dask's abstract resources, and which workers have it."""

import contextlib
import sys

from .scheduler import within


class Needs:
    """Knows how many jobs can run at once on each worker, where each needs some of the worker's resources."""

    def __init__(self, connection, half, resources):
        self.connection, self.half, self.resources = connection, half, resources
        self.found = None  # by address: the worker's resources, as last heard

    async def look(self):
        """Asks the scheduler what its workers have. One that does not answer says nothing new."""
        if self.resources:
            with contextlib.suppress(Exception):
                asking = self.connection.client.run_on_scheduler(self.half.resources_of_workers)
                self.found = await within(self.connection.PATIENCE, asking)

    def limit(self, slots):
        """Of some workers' threads, those that jobs can use at once."""
        if not self.resources or self.found is None:
            return slots
        able = {address: min(count, self.room(address)) for address, count in slots.items()}
        return {address: count for address, count in able.items() if count}

    def room(self, address):
        found = self.found.get(address, {})
        rooms = [int(found.get(name, 0) / amount + 1e-9) for name, amount in self.resources.items() if amount > 0]
        return min(rooms, default=sys.maxsize)
