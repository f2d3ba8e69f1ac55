"""What a scheduler says of itself, before anything else is asked of it."""

import asyncio
import sys
from importlib.metadata import version


async def check_scheduler(address, security, timeout):
    """Sees that a scheduler answers, in time, and that it is of the same version of Dask.

    Dask's parts understand each other for certain only then; what a version is, all of them tell each other. Raises an
    OSError where nobody answers, and a RuntimeError where who answers is another one than is expected.
    """
    from distributed import rpc

    arguments = security.get_connection_args("client") if security else None
    try:
        # Dask waits without end for the first words of whoever takes a connection.
        async with rpc(address, timeout=timeout, connection_args=arguments) as scheduler:
            answer = await within(timeout + 1, scheduler.versions())
    except asyncio.TimeoutError:
        raise TimeoutError(f"it takes connections, but has said nothing for {timeout} s") from None
    except OSError as error:
        raise explained(error, address) from None
    except Exception as error:
        if "SSL" in str(error):  # what tornado says of one that speaks before it is to be encrypted
            raise RuntimeError(speaks_no_tls(address)) from None
        raise RuntimeError(f"it does not speak as Dask does ({type(error).__name__}: {error})") from None
    theirs = answer["packages"]["distributed"]
    if version("distributed").split(".")[:2] != theirs.split(".")[:2]:
        raise RuntimeError(version_table(theirs))


async def within(seconds, work):
    """Awaits something for some time, and no longer, be it that it does not let itself be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
    if not task.done() or task.cancelled():
        raise asyncio.TimeoutError
    return task.result()


def explained(error, address):
    """An error of a connection, in words that help."""
    cause = str(error.__cause__ or "")
    is_secure = address.startswith("tls:")
    if type(error).__name__ == "FatalCommClosedError":
        if "certificate" in cause:
            return RuntimeError(
                "its certificate is not of the same authority as those that are given, or does not name this address"
            )
        return RuntimeError(speaks_no_tls(address))
    if type(error).__name__ == "CommClosedError":
        hint = "" if is_secure else f"; so does one that speaks TLS, tls{address[3:]}"
        return ConnectionError(f"it ends connections at once{hint}")
    of_system = getattr(error.__cause__, "strerror", None)  # that there is no such name, say
    return OSError(f"{error}: {of_system}") if of_system else error


def speaks_no_tls(address):
    return f"it does not speak TLS; a scheduler without it is tcp{address[3:]}"


def version_table(theirs):
    """Both versions, and what helps."""
    return (
        f"it has another version of Dask\n  here       distributed {version('distributed')}, of {sys.executable}\n"
        f"  scheduler  distributed {theirs}\n"
        f"install here what the scheduler has: {sys.executable} -m pip install 'distributed=={theirs}'"
    )
