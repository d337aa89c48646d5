"""The engines by which a process reads Parquet files: to begin one takes 25 ms, a connection none."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


class ReadingEngine:
    """One DuckDB a process, begun when it is first asked for. Any thread may call.

    It keeps nothing of a file: one that was written anew in the same moment, or that has the descriptor of another by
    now, would be read as that was.
    """

    def __init__(self, **config: str | bool | float | list[str]) -> None:
        self._config = {**config, "enable_external_file_cache": False}
        self._engines: dict[int, duckdb.DuckDBPyConnection] = {}

    @contextlib.contextmanager
    def connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Connect for the length of the block; one that keeps an error of the engine to itself calls `forget`."""
        process = os.getpid()  # an engine has threads, which a fork of its process does not
        engine = self._engines.get(process)
        if engine is None:  # a lock that another thread holds would be held in a fork for ever
            engine = self._engines.setdefault(process, duckdb.connect(config=self._config))
        with contextlib.closing(engine.cursor()) as connection:
            try:
                yield connection
            except duckdb.Error:
                self.forget()
                raise

    def forget(self) -> None:
        """Begin another engine for the next connection: one that a broken file has invalidated would read none."""
        self._engines.pop(os.getpid(), None)
