"""Requests to a running system from another process of the same user: `with natya.connect() as system: …`."""

from __future__ import annotations

import functools
import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from ..actors.control import BY_NAME, OPERATIONS, ControlClient, ControlError
from ..actors.control.forms import read_arguments
from ..config.loader import absolute, load_settings
from ..messages.addresses import DATABASE, FLATTENER, KILL_SWITCH, ORDERS, SYSTEM
from ..messages.database import BackUp, QueryFailed, QueryToFile
from ..messages.kill_switch import EngageKillSwitch, Flatten
from ..messages.order_listing import CancelOrders, SettleOrder, SettlePosition
from ..messages.risk import ChangeLimits
from ..messages.risk_state import Resume
from ..messages.supervision import DescribeTree
from ..messages.system import Ping
from ..messages.trace import ReadTrace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from ..actors.database import QueryResult
    from ..messages.database import SqlValue
    from ..messages.kill_switch import FlatteningBegun, KillSwitchEngaged
    from ..messages.order_listing import OrdersCancelling, OrderSettled, PositionSettled, SettleRefused
    from ..messages.risk import LimitsInForce, LimitsKept
    from ..messages.risk_state import Resumed, ResumeRefused
    from ..messages.supervision import SupervisionTree
    from ..messages.system import Pong
    from ..messages.trace import Hop, TraceRead


ANSWER_S: Final = 5.0
"""Seconds that an answer may take beyond the timeout of the work itself."""

_BY_METHOD: Final = {each.method: each for each in OPERATIONS}


class UnknownOperationError(ControlError):
    """There is no such operation, or it has no such argument, or not in this range. Nothing was sent."""


class QueryFailedError(ControlError):
    """The database refused the query, or could not complete it; `error` is the name of its own error."""

    def __init__(self, error: str, reason: str) -> None:
        self.error = error
        super().__init__(f"{error}: {reason}")


def connect(data_dir: str | Path | None = None, *, profile: str = "paper") -> Connection:
    """Connect to the system that runs in a data directory; None: the one that the profile's settings name.

    Raises:
        NotRunningError: none runs there.
        AskRefusedError: it is another user's, or too many are connected.
        SettingsError: the path begins with `~name` and there is no such user, or no directory was given and the
            settings are wrong.
    """
    directory = Path(load_settings(profile, locked_left_out=True).system.data_dir if data_dir is None else data_dir)
    return Connection(ControlClient(absolute(directory, "data_dir"), monotonic_ns=time.monotonic_ns))


class Connection:
    """Requests to a running system. For one thread; a context manager.

    Besides the methods below there is one for each operation that may be asked from outside (`OPERATIONS` of
    `natya.actors.control`), which takes its arguments by name and returns the answer of its actor as it is:

        system.find_instrument(text="NIFTY", rows_max=5).instruments

    Each method raises `AskRefusedError`, `AskTimedOutError`, `AskFailedError` or `ConnectionLostError`; all are
    `ControlError`.
    """

    def __init__(self, client: ControlClient) -> None:
        """Made by `connect`."""
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process of the running system."""
        return self._client.daemon_pid

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def query(
        self,
        sql: str,
        parameters: Sequence[SqlValue] = (),
        *,
        timeout_s: float = 30.0,
        rows_max: int = 10_000_000,
    ) -> QueryResult:
        """Run one SELECT in the database; `parameters` replace its question marks.

        Read the result as `rows`, or by `columns()`, `arrow()`, `df()` or `polars()`. Many rows come as a file, so
        that neither side has to hold them all in memory.

        Raises:
            QueryFailedError: it was refused, took too long, is wrong, or has more than `rows_max` rows.
        """
        from ..actors.database import INLINE_ROWS_MAX, QueryResult  # noqa: PLC0415  loads DuckDB

        query = QueryToFile(
            sql=sql,
            parameters=tuple(parameters),
            timeout_s=timeout_s,
            rows_max=rows_max,
            inline_rows_max=INLINE_ROWS_MAX,
        )
        return QueryResult(self.work(query, timeout_s=timeout_s))

    def snapshot(self, path: str | Path, *, timeout_s: float = 600.0) -> Path:
        """Write all tables and views, as they are at one moment, to a new DuckDB file; return its path.

        The system goes on meanwhile. Archived days stay in the archive, which the file's `all_ticks` reads.

        Raises:
            FileExistsError: the file exists.
            QueryFailedError: it took too long, or the disk is full.
        """
        from ..actors.database import take  # noqa: PLC0415  loads DuckDB

        target = Path(path).expanduser().absolute()
        if target.exists():
            raise FileExistsError(f"{target} is there already")
        answer = self.work(BackUp(single_file=True, timeout_s=timeout_s), timeout_s=timeout_s)
        take(Path(answer.paths[0]), target)
        return target

    def work(self, message: msgspec.Struct, *, timeout_s: float) -> Any:
        """Have the database do work that may take `timeout_s` seconds, and return its answer.

        Raises:
            QueryFailedError: it was refused, took too long, or failed.
        """
        answer = self.request(DATABASE, message, timeout_s=timeout_s + ANSWER_S)
        if isinstance(answer, QueryFailed):
            raise QueryFailedError(answer.error, answer.reason)
        return answer

    def call(self, operation: str, *, actor: str = "", timeout_s: float | None = None, **arguments: Any) -> Any:
        """Ask for an operation by its name, such as `find-instrument`, and return the answer of its actor.

        Args:
            operation: name in the table of operations.
            actor: who is asked, where an operation is of any actor; empty: who does it.
            timeout_s: how long the answer may take; None: 5 s, or what the operation's own work may take.
            **arguments: of the operation; what is left out has its default.

        Raises:
            UnknownOperationError: there is none of that name, or it has no such argument.
        """
        entry = BY_NAME.get(operation)
        if entry is None:
            raise UnknownOperationError(f"an operation is one of {', '.join(BY_NAME)}, found {operation[:100]!r}")
        if timeout_s is not None and "timeout_s" in entry.arguments:
            arguments["timeout_s"] = timeout_s
        try:
            message = read_arguments(entry.request, arguments, strict=True)
        except msgspec.ValidationError as fault:
            raise UnknownOperationError(f"{operation}: {fault}") from fault
        work_s = getattr(message, "timeout_s", None)
        wait_s = ANSWER_S if timeout_s is None else timeout_s
        return self.request(actor or entry.actor, message, timeout_s=wait_s if work_s is None else work_s + ANSWER_S)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        entry = _BY_METHOD.get(name)
        if entry is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        method = functools.partial(self.call, entry.name)
        method.__doc__ = entry.summary
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_BY_METHOD})

    def tree(self, *, timeout_s: float = 5.0) -> SupervisionTree:
        """Return the state of every actor, parents before their children."""
        answer: SupervisionTree = self.request(SYSTEM, DescribeTree(), timeout_s=timeout_s)
        return answer

    def ping(self, actor: str = SYSTEM, *, timeout_s: float = 5.0) -> Pong:
        """Return the statistics of an actor."""
        answer: Pong = self.request(actor, Ping(), timeout_s=timeout_s)
        return answer

    def trace(self, correlation_id: str = "", *, timeout_s: float = 5.0) -> tuple[Hop, ...]:
        """Return the recorded hops of an order, by its client order id, or a request; without an id the newest."""
        answer: TraceRead = self.request(SYSTEM, ReadTrace(correlation_id=correlation_id), timeout_s=timeout_s)
        return answer.hops

    def cancel_orders_of(
        self,
        client_order_ids: Sequence[str] = (),
        *,
        everything: bool = False,
        strategy: str = "",
        symbol: str = "",
        timeout_s: float = 10.0,
    ) -> OrdersCancelling:
        """Have open orders cancelled: by id, or those of a strategy, in a symbol, or all; logged under your name."""
        message = CancelOrders(
            client_order_ids=tuple(client_order_ids),
            everything=everything,
            strategy=strategy,
            symbol=symbol,
            person=getpass.getuser(),
        )
        answer: OrdersCancelling = self.request(ORDERS, message, timeout_s=timeout_s)
        return answer

    def close_positions(self, *, strategy: str = "", symbol: str = "", timeout_s: float = 10.0) -> FlatteningBegun:
        """Have positions closed by limit orders that follow the market: all, those of a strategy, or in a symbol."""
        message = Flatten(strategy=strategy, symbol=symbol, person=getpass.getuser())
        answer: FlatteningBegun = self.request(FLATTENER, message, timeout_s=timeout_s)
        return answer

    def halt(self, reason: str, *, flatten: bool = False, timeout_s: float = 10.0) -> KillSwitchEngaged:
        """Put the kill switch on: no order leaves, and each open one is cancelled; journaled under your user's name."""
        message = EngageKillSwitch(reason=reason, person=getpass.getuser(), flatten=flatten)
        answer: KillSwitchEngaged = self.request(KILL_SWITCH, message, timeout_s=timeout_s)
        return answer

    def resume(self, reason: str, *, timeout_s: float = 10.0) -> Resumed | ResumeRefused:
        """Let orders pass again after the risk state was HALTED; the reason is journaled under your user's name."""
        message = Resume(reason=reason, person=getpass.getuser())
        answer: Resumed | ResumeRefused = self.request(ORDERS, message, timeout_s=timeout_s)
        return answer

    def settle_order(
        self, client_order_id: str, *, filled: int, reason: str, price: float | None = None, timeout_s: float = 10.0
    ) -> OrderSettled | SettleRefused:
        """Say how an order in doubt has ended: so many shares are filled in all, those not known yet at this price.

        It is journaled under your user's name; nothing is sent to the broker.
        """
        message = SettleOrder(
            client_order_id=client_order_id, filled=filled, price=price, reason=reason, person=getpass.getuser()
        )
        answer: OrderSettled | SettleRefused = self.request(ORDERS, message, timeout_s=timeout_s)
        return answer

    def settle_position(
        self, symbol: str, *, shares: int, price: float, reason: str, timeout_s: float = 10.0
    ) -> PositionSettled | SettleRefused:
        """Say that the broker has so many shares (signed), and that what our book has more went at this price.

        It is journaled under your user's name; nothing is sent to the broker.
        """
        message = SettlePosition(symbol=symbol, shares=shares, price=price, reason=reason, person=getpass.getuser())
        answer: PositionSettled | SettleRefused = self.request(ORDERS, message, timeout_s=timeout_s)
        return answer

    def set_limits(
        self,
        values: Mapping[str, object],
        reason: str,
        *,
        confirmed: Mapping[str, object] | None = None,
        timeout_s: float = 15.0,
    ) -> LimitsInForce | LimitsKept:
        """Put other limits in force, by name as in `[orders]`; the reason is journaled under your user's name.

        What lets more pass is wanted once more in `confirmed`, with `quantity_max`, `value_max_rupees`, `position_max`
        and `orders_in_flight_max` as they will be.
        """
        message = ChangeLimits(
            values={name: str(value) for name, value in values.items()},
            confirmed={name: str(value) for name, value in (confirmed or {}).items()},
            reason=reason,
            person=getpass.getuser(),
        )
        answer: LimitsInForce | LimitsKept = self.request(ORDERS, message, timeout_s=timeout_s)
        return answer

    def request(self, actor: str, message: msgspec.Struct, *, timeout_s: float = 5.0, correlation_id: str = "") -> Any:
        """Send any message that is admitted from outside to an actor, and return its answer.

        With a correlation id of your choice `trace` shows afterwards where the time went.
        """
        return self._client.request(actor, message, timeout_s=timeout_s, correlation_id=correlation_id)
