"""Says whether a worker belongs to its scheduler: /ready answers 200 while it does, else 503.

Dask's own /health answers as soon as the process does, whether it has found a scheduler or not. Loaded by
`dask worker --preload`.
"""

import dask
from distributed.core import Status
from distributed.http.utils import RequestHandler


class Ready(RequestHandler):
    def get(self):
        # A worker runs from its registration on; one that loses its scheduler ends. Full memory makes it pause.
        status = self.server.status
        self.set_status(200 if status in (Status.running, Status.paused) else 503)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(status.name)


routes = [("/ready", Ready, {})]
# Preloads are imported before the worker looks for its routes.
known = dask.config.get("distributed.worker.http.routes")
if __name__ not in known:
    dask.config.set({"distributed.worker.http.routes": [*known, __name__]})
