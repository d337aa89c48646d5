"""Which messages are admitted from outside: those that change nothing, add, renew or archive data, and Resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...messages.codec import UndecodableMessageError, decode
from ...messages.database import ArchiveDay, BackUp, CheckDatabase, Query, QueryToFile, SaveMarketData
from ...messages.history import ReadChart
from ...messages.instruments import FindInstrument, RefreshInstruments, ReopenInstruments, ShowInstrument
from ...messages.journal import ReadJournal
from ...messages.orders import Resume
from ...messages.supervision import DescribeTree
from ...messages.system import Ping
from ...messages.tokens import LogIn, RenewToken, ShowToken
from ...messages.trace import ReadTrace
from .errors import AskRefusedError

if TYPE_CHECKING:
    from ...config.sections.control import ControlSettings
    from ...messages.control import Ask

Check: TypeAlias = "Callable[[Any, ControlSettings], str]"
"""Returns which limit a message exceeds; an empty text if none."""


def _anything(_message: Any, _limits: ControlSettings) -> str:
    return ""


def _query(query: Query, limits: ControlSettings) -> str:
    return _at_most("rows_max", query.rows_max, limits.query_rows_max) or _in_time(query, limits)


def _query_to_file(query: QueryToFile, limits: ControlSettings) -> str:
    return _at_most("rows_max", query.rows_max, limits.file_rows_max) or _in_time(query, limits)


def _in_time(work: Query | QueryToFile | BackUp | CheckDatabase, limits: ControlSettings) -> str:
    return _at_most("timeout_s", work.timeout_s, limits.timeout_max_s)


def _read_journal(request: ReadJournal, limits: ControlSettings) -> str:
    return _at_most("records_max", request.records_max, limits.journal_records_max)


def _read_trace(request: ReadTrace, limits: ControlSettings) -> str:
    return _at_most("hops_max", request.hops_max, limits.trace_hops_max)


def _at_most(name: str, found: float, wanted: float) -> str:
    return "" if found <= wanted else f"{name} is at most {wanted:g}, found {found:g}"


ADMITTED: Final[dict[type, Check]] = {
    ArchiveDay: _anything,
    BackUp: _in_time,
    CheckDatabase: _in_time,
    DescribeTree: _anything,
    FindInstrument: _anything,
    LogIn: _anything,
    Ping: _anything,
    Query: _query,
    QueryToFile: _query_to_file,
    ReadChart: _anything,
    ReadJournal: _read_journal,
    ReadTrace: _read_trace,
    RenewToken: _anything,
    RefreshInstruments: _anything,
    ReopenInstruments: _anything,
    Resume: _anything,
    SaveMarketData: _anything,
    ShowInstrument: _anything,
    ShowToken: _anything,
}
"""Every admitted message type, with its check. To admit another, add a line."""


def admit(ask: Ask, limits: ControlSettings) -> Any:
    """Decode the message of a request and return it, if it is admitted.

    Raises:
        AskRefusedError: it is not admitted, exceeds a limit, or cannot be decoded.
    """
    if too_long := _at_most("timeout_s", ask.timeout_s, limits.timeout_max_s):
        raise AskRefusedError("forbidden", too_long)
    try:
        message = decode(ask.message)
    except UndecodableMessageError as fault:
        raise AskRefusedError("malformed", str(fault)) from fault
    check = ADMITTED.get(type(message))
    if check is None:
        admitted = ", ".join(sorted(each.__name__ for each in ADMITTED))
        raise AskRefusedError("forbidden", f"from outside one may ask {admitted}, found {type(message).__name__}")
    if too_much := check(message, limits):
        raise AskRefusedError("forbidden", too_much)
    return message
