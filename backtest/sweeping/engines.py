"""What runs the tests of a sweep: processes of this machine, Dask or Ray; each is a backend of joblib."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ..errors import BacktestRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Running: TypeAlias = tuple[dict[str, Any], int]
"""Arguments of joblib besides the backend's name, and the number of processes."""

LOCAL: Final = "loky"
ENGINES: Final = (LOCAL, "dask", "ray")
BATCH: Final = 8
"""Jobs given to Ray at a time, for each worker: it returns results only when all of them are done."""


class Workers(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs the tests.

    Raises:
        BacktestRefusedError: on construction: there is no such engine, or an address of this machine's processes.
    """

    engine: str = LOCAL
    count: int = 1
    """Processes on this machine; of a cluster with an address those that it has."""

    cluster: str = ""
    """Address of a cluster that runs (`tcp://host:8786`, `ray://host:10001`); empty: one is started on this machine."""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise BacktestRefusedError(f"an engine wanted, one of {', '.join(ENGINES)}, found {self.engine!r}")
        if self.cluster and self.engine == LOCAL:
            raise BacktestRefusedError(f"an address is of a cluster (dask, ray), found {self.cluster} of {LOCAL}")

    def each_of(self, work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the result of `work(*job)` for each job, in the order in which they are done.

        Raises:
            BacktestRefusedError: the engine is not installed.
            OSError: the cluster does not answer.
        """
        if not jobs:
            return
        if self.engine == LOCAL and min(self.count, len(jobs)) == 1:
            yield from (work(*job) for job in jobs)
            return
        from joblib import Parallel, delayed, parallel_config  # noqa: PLC0415  only who sweeps pays for it

        with _RUNNING[self.engine](self) as (options, count), parallel_config(backend=self.engine, **options):
            calls = [delayed(work)(*job) for job in jobs]
            if self.engine == "ray":
                for begin in range(0, len(calls), count * BATCH):
                    yield from Parallel(n_jobs=count)(calls[begin : begin + count * BATCH])
                return
            yield from Parallel(n_jobs=min(count, len(calls)), return_as="generator_unordered")(calls)


@contextlib.contextmanager
def _loky(workers: Workers) -> Iterator[Running]:
    yield {}, workers.count


@contextlib.contextmanager
def _dask(workers: Workers) -> Iterator[Running]:
    distributed = _module("distributed", "dask")
    started = {"n_workers": workers.count, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(workers.cluster) if workers.cluster else distributed.Client(**started) as client:
        yield {"client": client}, sum(client.nthreads().values()) or 1


@contextlib.contextmanager
def _ray(workers: Workers) -> Iterator[Running]:
    ray = _module("ray", "ray")
    started = {"num_cpus": workers.count, "include_dashboard": False, "log_to_driver": False}
    ray.init(workers.cluster) if workers.cluster else ray.init(**started)
    try:
        _module("ray.util.joblib", "ray").register_ray()
        yield {}, int(ray.cluster_resources().get("CPU", 1))
    finally:
        ray.shutdown()


_RUNNING: Final = {LOCAL: _loky, "dask": _dask, "ray": _ray}


def _module(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError as fault:
        raise BacktestRefusedError(f"{extra} is wanted (pip install 'natya[{extra}]'), found: {fault}") from fault
