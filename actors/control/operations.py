"""Every operation that may be asked from outside, once: what it is called, who does it, and who may ask for it.

The control socket admits the messages of this table, `natya.connect()` has a method for each of its operations, and
those that are audited are journaled and logged with who asked. To admit another, add an entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from ...messages import addresses as names
from ...messages.codec import UndecodableMessageError, decode
from ...messages.control import HttpShown, ShowHttp
from ...messages.database import (
    ArchiveDay,
    BackedUp,
    BackUp,
    CheckDatabase,
    DatabaseChecked,
    DaysArchived,
    MarketDataSaved,
    Query,
    QueryFailed,
    QueryToFile,
    Rows,
    RowsFile,
    SaveMarketData,
)
from ...messages.delivery import (
    ChangeDeadLetters,
    DeadLettersChangeDone,
    DeadLettersListed,
    EventsPublished,
    ListDeadLetters,
    PublishEvents,
    PublishRefused,
)
from ...messages.health import (
    AlarmsShown,
    Health,
    MetricsRead,
    NotificationsTested,
    ReadHealth,
    ReadMetrics,
    ShowAlarms,
    TestNotifications,
)
from ...messages.history import ChartNotRead, ChartRead, ReadChart
from ...messages.instruments import (
    FindInstrument,
    InstrumentsFound,
    InstrumentShown,
    InstrumentsKept,
    InstrumentsRefreshed,
    InstrumentUnknown,
    RefreshInstruments,
    ReopenInstruments,
    ShowInstrument,
)
from ...messages.journal import JournalPage, ReadJournal
from ...messages.kill_switch import (
    EngageKillSwitch,
    Flatten,
    FlatteningBegun,
    KillSwitchEngaged,
    KillSwitchRead,
    ReadKillSwitch,
    ReleaseKillSwitch,
)
from ...messages.log import LogRead, ReadLog
from ...messages.order_listing import (
    CancelOrders,
    OrdersCancelling,
    OrderSettled,
    OrdersRead,
    PositionSettled,
    PositionsRead,
    ReadOrders,
    ReadPositions,
    SettleOrder,
    SettlePosition,
    SettleRefused,
)
from ...messages.presence import PresenceNoted, ReportPresence
from ...messages.profit import ProfitCurve, ReadProfitCurve
from ...messages.replays import ReplayBegun, ReplayEvents, ReplayRefused, ReplayStopped, StopReplay
from ...messages.risk import ChangeLimits, LimitsInForce, LimitsKept, ReadRisk, RiskRead
from ...messages.risk_state import Resume, Resumed, ResumeRefused
from ...messages.settings import ReloadRefused, ReloadSettings, SettingsReloaded
from ...messages.strategies import (
    ListStrategies,
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategiesListed,
    StrategyChanged,
    StrategyNotChanged,
    SwapStrategy,
)
from ...messages.supervision import DescribeTree, SupervisionTree
from ...messages.system import Ping, Pong
from ...messages.tokens import LogIn, RenewToken, ShowToken, TakeSecrets, TokenStatus
from ...messages.trace import ReadTrace, TraceRead
from .errors import AskRefusedError
from .forms import arguments_form

if TYPE_CHECKING:
    from ...config.sections.control import ControlSettings
    from ...messages.control import Ask

Role: TypeAlias = Literal["read", "operate", "trade"]
"""`read`: looks. `operate`: keeps the system in order, or makes it trade less. `trade`: lets orders leave, or renews
what they leave with."""

ROLES: Final[tuple[Role, ...]] = ("read", "operate", "trade")
"""Each may do what those before it may."""

Check: TypeAlias = "Callable[[Any, ControlSettings], str]"
"""Returns which limit a message exceeds; an empty text if none."""

ARGUMENT_CHARACTERS_MAX: Final = 200
"""Longest argument in an audit line."""


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
    return "" if found <= wanted else f"{name} is at most {wanted}, found {found}"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the table."""

    request: type[msgspec.Struct]
    """Its message; the fields are the arguments, and the first line of its docstring says what it does."""

    answers: tuple[type[msgspec.Struct], ...]
    """What the actor may say; besides, each may say `Failed` and `Unavailable`."""

    actor: str
    """Who is asked."""

    role: Role
    """Who may ask for it: this one, and those above it."""

    role_with: tuple[tuple[str, Role], ...] = ()
    """Arguments, and the higher role that one needs who gives them (as more than nothing, such as `true`)."""

    local_arguments: frozenset[str] = frozenset()
    """Arguments that only a user of this machine may give: they are none over HTTP."""

    name: str = ""
    """Words joined by hyphens; empty: those of the message's name."""

    of_any_actor: bool = False
    """Another actor may be asked than `actor`."""

    over_http: bool = True
    """Whether it is served over HTTP, too: not where the answer is a file for the user that asks."""

    check: Check = _anything

    audited: bool = False
    """Whether the request is journaled and logged: who asked, with which arguments, and the outcome."""

    journals_itself: bool = False
    """Whether its effect is a fact of its own, of which there may be many a second: who asked is only logged."""

    def __post_init__(self) -> None:
        """Make the name."""
        if not self.name:
            msgspec.structs.force_setattr(
                self, "name", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.request.__name__).lower()
            )

    def role_of(self, message: Any) -> Role:
        """Return the role that one needs for it with the arguments of this message."""
        wanted = (role for name, role in self.role_with if getattr(message, name))
        return max((self.role, *wanted), key=ROLES.index)

    @property
    def role_told(self) -> str:
        """Return which role it takes, in words: `operate; trade with flatten`."""
        return "; ".join((self.role, *(f"{role} with {name}" for name, role in self.role_with)))

    @property
    def method(self) -> str:
        """Return its name as one of Python."""
        return self.name.replace("-", "_")

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the names of its arguments; who asks is none, since it is known."""
        return tuple(field for field in self.request.__struct_fields__ if field != "asker")

    @property
    def http_form(self) -> type[msgspec.Struct]:
        """Return the type of an object with its arguments as they come over HTTP."""
        return arguments_form(self.request, self.local_arguments)

    @property
    def summary(self) -> str:
        """Return what it does, in a sentence or two."""
        return " ".join((self.request.__doc__ or "").partition("\n\n")[0].split())


OPERATIONS: Final = (
    Operation(request=Ping, answers=(Pong,), actor=names.SYSTEM, role="read", of_any_actor=True),
    Operation(
        name="tree",
        request=DescribeTree,
        answers=(SupervisionTree,),
        actor=names.SYSTEM,
        role="read",
        of_any_actor=True,
    ),
    Operation(name="health", request=ReadHealth, answers=(Health,), actor=names.CONTROL, role="read"),
    Operation(name="alarms", request=ShowAlarms, answers=(AlarmsShown,), actor=names.ALARMS, role="read"),
    Operation(
        request=TestNotifications, answers=(NotificationsTested,), actor=names.ALARMS, role="operate", audited=True
    ),
    Operation(
        request=ReloadSettings,
        answers=(SettingsReloaded, ReloadRefused),
        actor=names.SETTINGS,
        role="trade",
        audited=True,
    ),
    Operation(request=ShowHttp, answers=(HttpShown,), actor=names.CONTROL, role="read"),
    Operation(name="metrics", request=ReadMetrics, answers=(MetricsRead,), actor=names.CONTROL, role="read"),
    Operation(request=ReadLog, answers=(LogRead,), actor=names.CONTROL, role="read"),
    Operation(request=ReadProfitCurve, answers=(ProfitCurve,), actor=names.CONTROL, role="read"),
    Operation(
        name="trace",
        request=ReadTrace,
        answers=(TraceRead,),
        actor=names.SYSTEM,
        role="read",
        of_any_actor=True,
        check=_read_trace,
    ),
    Operation(request=ReadJournal, answers=(JournalPage,), actor=names.JOURNAL, role="read", check=_read_journal),
    Operation(request=Query, answers=(Rows, QueryFailed), actor=names.DATABASE, role="read", check=_query),
    Operation(
        over_http=False,
        request=QueryToFile,
        answers=(RowsFile, QueryFailed),
        actor=names.DATABASE,
        role="read",
        check=_query_to_file,
    ),
    Operation(
        request=CheckDatabase, answers=(DatabaseChecked, QueryFailed), actor=names.DATABASE, role="read", check=_in_time
    ),
    Operation(
        over_http=False,
        request=BackUp,
        answers=(BackedUp, QueryFailed),
        actor=names.DATABASE,
        role="operate",
        check=_in_time,
        audited=True,
    ),
    Operation(
        request=ArchiveDay, answers=(DaysArchived, QueryFailed), actor=names.DATABASE, role="operate", audited=True
    ),
    Operation(
        request=SaveMarketData,
        answers=(MarketDataSaved, QueryFailed),
        actor=names.DATABASE,
        role="operate",
        audited=True,
    ),
    Operation(request=ListDeadLetters, answers=(DeadLettersListed,), actor=names.DELIVERY, role="read"),
    Operation(
        request=ChangeDeadLetters,
        answers=(DeadLettersChangeDone,),
        actor=names.DELIVERY,
        role="operate",
        local_arguments=frozenset({"payload"}),  # bytes, which JSON has no form for
        audited=True,
    ),
    Operation(
        request=ReplayEvents,
        answers=(ReplayBegun, ReplayRefused),
        actor=names.DELIVERY,
        role="operate",
        audited=True,
    ),
    Operation(request=StopReplay, answers=(ReplayStopped,), actor=names.DELIVERY, role="operate", audited=True),
    Operation(
        over_http=False,
        request=PublishEvents,
        answers=(EventsPublished, PublishRefused),
        actor=names.DELIVERY,
        role="operate",
        audited=True,
        journals_itself=True,
    ),
    Operation(request=FindInstrument, answers=(InstrumentsFound,), actor=names.INSTRUMENTS, role="read"),
    Operation(
        request=ShowInstrument, answers=(InstrumentShown, InstrumentUnknown), actor=names.INSTRUMENTS, role="read"
    ),
    Operation(
        request=RefreshInstruments,
        answers=(InstrumentsRefreshed, InstrumentsKept),
        actor=names.INSTRUMENTS,
        role="operate",
        audited=True,
    ),
    Operation(
        request=ReopenInstruments,
        answers=(InstrumentsRefreshed,),
        actor=names.INSTRUMENTS,
        role="operate",
        audited=True,
    ),
    Operation(request=ReadChart, answers=(ChartRead, ChartNotRead), actor=names.HISTORY, role="read"),
    Operation(request=ShowToken, answers=(TokenStatus,), actor=names.BROKER_TOKENS, role="read"),
    Operation(request=RenewToken, answers=(TokenStatus,), actor=names.BROKER_TOKENS, role="trade", audited=True),
    Operation(request=TakeSecrets, answers=(TokenStatus,), actor=names.BROKER_TOKENS, role="trade", audited=True),
    Operation(request=LogIn, answers=(TokenStatus,), actor=names.BROKER_TOKENS, role="trade", audited=True),
    Operation(
        request=EngageKillSwitch,
        answers=(KillSwitchEngaged,),
        actor=names.KILL_SWITCH,
        role="operate",
        role_with=(("flatten", "trade"),),  # orders leave that close what is held
        audited=True,
    ),
    Operation(
        request=ReleaseKillSwitch, answers=(KillSwitchRead,), actor=names.KILL_SWITCH, role="trade", audited=True
    ),
    Operation(request=ReadKillSwitch, answers=(KillSwitchRead,), actor=names.KILL_SWITCH, role="read"),
    Operation(name="risk", request=ReadRisk, answers=(RiskRead,), actor=names.ORDERS, role="read"),
    Operation(
        request=ChangeLimits, answers=(LimitsInForce, LimitsKept), actor=names.ORDERS, role="trade", audited=True
    ),
    Operation(request=ReportPresence, answers=(PresenceNoted,), actor=names.ORDERS, role="operate", audited=True),
    Operation(request=Flatten, answers=(FlatteningBegun,), actor=names.FLATTENER, role="trade", audited=True),
    Operation(request=ReadOrders, answers=(OrdersRead,), actor=names.ORDERS, role="read"),
    Operation(request=ReadPositions, answers=(PositionsRead,), actor=names.ORDERS, role="read"),
    Operation(request=CancelOrders, answers=(OrdersCancelling,), actor=names.ORDERS, role="operate", audited=True),
    Operation(
        request=SettleOrder, answers=(OrderSettled, SettleRefused), actor=names.ORDERS, role="trade", audited=True
    ),
    Operation(
        request=SettlePosition, answers=(PositionSettled, SettleRefused), actor=names.ORDERS, role="trade", audited=True
    ),
    Operation(request=Resume, answers=(Resumed, ResumeRefused), actor=names.ORDERS, role="trade", audited=True),
    Operation(request=ListStrategies, answers=(StrategiesListed,), actor=names.STRATEGIES, role="read"),
    Operation(
        request=StopStrategy,
        answers=(StrategyChanged, StrategyNotChanged),
        actor=names.STRATEGIES,
        role="operate",
        audited=True,
    ),
    Operation(
        request=StartStrategy,
        answers=(StrategyChanged, StrategyNotChanged),
        actor=names.STRATEGIES,
        role="trade",
        local_arguments=frozenset({"settings"}),  # they name code to be run
        audited=True,
    ),
    *(
        Operation(
            over_http=False,  # it has code run that only a user of this machine may name
            request=request,
            answers=(StrategyChanged, StrategyNotChanged),
            actor=names.STRATEGIES,
            role="trade",
            audited=True,
        )
        for request in (SwapStrategy, ReloadStrategy)
    ),
)

BY_NAME: Final = {each.name: each for each in OPERATIONS}
BY_REQUEST: Final = {each.request: each for each in OPERATIONS}


def admit(ask: Ask, limits: ControlSettings) -> tuple[Operation, Any]:
    """Decode the message of a request, and return it with its operation, if it is admitted.

    Raises:
        AskRefusedError: it is not admitted, exceeds a limit, or cannot be decoded.
    """
    if too_long := _at_most("timeout_s", ask.timeout_s, limits.timeout_max_s):
        raise AskRefusedError("forbidden", too_long)
    try:
        message = decode(ask.message)
    except UndecodableMessageError as fault:
        raise AskRefusedError("malformed", str(fault)) from fault
    operation = BY_REQUEST.get(type(message))
    if operation is None:
        admitted = ", ".join(sorted(each.request.__name__ for each in OPERATIONS))
        found = type(message).__name__  # first, since a long text is cut
        raise AskRefusedError("forbidden", f"{found} is nothing that may be asked from outside: {admitted} wanted")
    expect_within(operation, message, actor=ask.actor, limits=limits)
    return operation, message


def expect_within(operation: Operation, message: Any, *, actor: str, limits: ControlSettings) -> None:
    """Check whom it is asked of, and its limits.

    Raises:
        AskRefusedError: it is another actor's, or exceeds a limit.
    """
    if actor != operation.actor and not operation.of_any_actor:
        raise AskRefusedError(
            "forbidden", f"{operation.name} is for {operation.actor}, and was to be asked of {actor[:100]!r}"
        )
    if too_much := operation.check(message, limits):
        raise AskRefusedError("forbidden", too_much)


def arguments_of(message: msgspec.Struct) -> dict[str, object]:
    """Return the arguments of a message for an audit line: short, and of a series only how many."""
    return {name: _short(getattr(message, name)) for name in message.__struct_fields__ if name != "asker"}


def _short(value: object) -> object:
    if isinstance(value, tuple):
        return len(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= ARGUMENT_CHARACTERS_MAX else f"{text[:ARGUMENT_CHARACTERS_MAX]}…"
