"""How much may be on its way at once."""

import asyncio
import contextlib


class Room:
    """Bytes that several share, each of whom waits until there is room for its own."""

    def __init__(self, size):
        self.size, self.taken = size, 0
        self.changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def take(self, count):
        """Waits for room; who wants more than there is gets all of it."""
        count = min(count, self.size)
        async with self.changed:
            await self.changed.wait_for(lambda: self.taken + count <= self.size)
            self.taken += count
        try:
            yield
        finally:
            async with self.changed:
                self.taken -= count
                self.changed.notify_all()
