"""What is asked of the scheduler about its workers."""


def resources_of_workers(dask_scheduler):
    """What each worker has of Dask's abstract resources, used or not, by its address."""
    return {address: dict(worker.resources) for address, worker in dask_scheduler.workers.items()}
