"""Where trials are simulated: in processes of this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from trialwright.core.finding import Refused, finding


@contextmanager
def processes(number: int) -> Iterator[Executor]:
    """So many processes of this machine."""
    with ProcessPoolExecutor(number) as pool:
        yield pool


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers behind a Dask scheduler, each with this program installed; `Refused` where none is reached."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise Refused(finding("dask_missing")) from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as wrong:
        raise Refused(finding("dask_unreachable", address=address, why=wrong)) from wrong
    with client:
        yield client.get_executor()
