"""What a repository answers, and how it is waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from .columns import Columns

T = TypeVar("T")


class RepositoryResult(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Success with data, or failure with the reason; a repository never raises for what the database says."""

    success: bool
    data: T | None = None
    error: str | None = None

    def columns(self) -> Columns:
        """Turn messages into one array a field, without the fields that hold other messages.

        Raises:
            ValueError: there is no data to turn.
        """
        if not self.success or not isinstance(self.data, tuple):
            raise ValueError(f"a successful result with messages is wanted, found {self}")
        if not self.data:
            return {}
        names = [
            field.name
            for field in msgspec.structs.fields(self.data[0])
            if not isinstance(getattr(self.data[0], field.name), msgspec.Struct | tuple)
        ]
        return {name: np.array([getattr(message, name) for message in self.data]) for name in names}

    def df(self) -> Any:
        """Return a pandas data frame; needs pandas."""
        import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415

        return pd.DataFrame(self.columns())

    def arrow(self) -> Any:
        """Return an Arrow table; needs pyarrow."""
        import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415

        return pa.table(self.columns())

    def polars(self) -> Any:
        """Return a polars data frame; needs polars."""
        import polars as pl  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

        return pl.DataFrame(self.columns())


class Answer(Generic[T]):
    """A `RepositoryResult` on its way: `await` it, or read its `success`, `data` and `error`, which wait for it."""

    def __init__(self, future: Future[RepositoryResult[T]]) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, None, RepositoryResult[T]]:
        return asyncio.wrap_future(self._future).__await__()

    def result(self, timeout_s: float | None = None) -> RepositoryResult[T]:
        """Wait for it.

        Raises:
            TimeoutError: it took longer than `timeout_s` seconds; it is still on its way.
        """
        return self._future.result(timeout_s)

    @property
    def success(self) -> bool:
        """Whether it worked."""
        return self.result().success

    @property
    def data(self) -> T | None:
        """What was asked for; None when it did not work."""
        return self.result().data

    @property
    def error(self) -> str | None:
        """Why it did not work; None when it did."""
        return self.result().error
