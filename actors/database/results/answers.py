"""Answers of repositories: to be awaited or read at once, as messages or, without building these, as columns."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ..errors import DatabaseError, NotTabular
from .frames import Frames, column_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..tables.columns import Columns

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class RepositoryResult(Frames, Generic[T]):
    """Success with data, or failure with the reason; an error of the database is never raised."""

    success: bool
    data: T | None = None
    error: str | None = None
    table: Columns | None = dataclasses.field(default=None, repr=False, compare=False)
    """The columns that the data was made from, where it was."""

    def columns(self) -> Columns:
        """Return the columns as the database gave them, or else one for each field of the messages.

        Raises:
            NotTabular: it failed, or the data is neither rows nor messages.
        """
        if self.table is not None:
            return self.table
        messages = self.data if isinstance(self.data, tuple) else (self.data,)
        if not self.success:
            raise NotTabular(f"it failed, so there are no columns: {self.error}")
        if not all(isinstance(message, msgspec.Struct) for message in messages):
            raise NotTabular(f"rows are wanted for columns, found {type(self.data).__name__}")
        rows = [msgspec.structs.asdict(message) for message in messages if isinstance(message, msgspec.Struct)]
        return {name: column_of([row[name] for row in rows]) for name in rows[0]} if rows else {}


class Answer(Frames, Generic[T]):
    """A `RepositoryResult` on its way: `await` it, or read its `success`, `data` and `error`, which wait for it.

    Its `columns`, and the frames made of them, are those of the database: no message is made where none is asked for.
    They wait, too; `await asyncio.to_thread(answer.df)` waits elsewhere.

    Args:
        found: what the database found.
        build: makes the messages from the columns that were found; None if what was found is the answer itself.
    """

    def __init__(self, found: Future[Any], build: Callable[[Columns], T | None] | None = None) -> None:
        self._found = found
        self._build = build
        self._guard = threading.Lock()
        self._result: Future[RepositoryResult[T]] | None = None

    def __repr__(self) -> str:
        """Return a hint how to read it: a REPL that shows it must neither wait nor print a million ticks."""
        return "<an answer: await it, or read its .success, .data, .error, .columns() or .df(), which wait for it>"

    def __await__(self) -> Generator[Any, None, RepositoryResult[T]]:
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        # Other callers may wait for the same answer: a cancelled one (`asyncio.wait_for`) does not cancel it for them.
        return asyncio.shield(asyncio.wrap_future(self._messages())).__await__()

    def result(self, timeout_s: float | None = None) -> RepositoryResult[T]:
        """Wait for it.

        Raises:
            TimeoutError: it took longer than `timeout_s` seconds; it is still on its way.
        """
        return self._messages().result(timeout_s)

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
        """The reason of a failure; None after a success."""
        return self.result().error

    def columns(self) -> Columns:
        """Wait for the columns, as the database gave them.

        Raises:
            DatabaseError, ValueError: the failure of which `error` is the text.
            NotTabular: the answer is not made of rows.
        """
        if self._build is None:
            return self.result().columns()
        columns: Columns = self._found.result()
        return columns

    def _messages(self) -> Future[RepositoryResult[T]]:
        """Begin to make the messages, once: on the thread that finds the rows, or here if they are found already."""
        with self._guard:
            begun, self._result = self._result, self._result or Future()
            result = self._result
        if begun is None:
            self._found.add_done_callback(lambda found: self._settle(found, result))
        return result

    def _settle(self, found: Future[Any], result: Future[RepositoryResult[T]]) -> None:
        try:
            rows = found.result()
            if self._build is None:
                result.set_result(RepositoryResult(success=True, data=rows))
            else:
                result.set_result(RepositoryResult(success=True, data=self._build(rows), table=rows))
        except (DatabaseError, ValueError) as failure:
            result.set_result(RepositoryResult(success=False, error=f"{type(failure).__name__}: {failure}"))
        except BaseException as fault:  # noqa: BLE001  it is the result's exception
            result.set_exception(fault)
