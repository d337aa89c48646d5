"""The journal: facts go in and are acknowledged when they are durable; records come out in order."""

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from .accounts import AccountFact
from .control import ControlFact
from .delivery import EventFact
from .exchange import ExchangeFact
from .health import Timing
from .history import HistoryFact
from .kill_switch import FlatteningFact
from .market import MarketFact
from .nodes import NodeFact
from .orders import OrderFact
from .reconciliation import ReconciliationFact
from .risk import LimitsChanged
from .risk_state import RiskStateChanged
from .settings import SettingsFact
from .strategy_state import StrategyStateSaved
from .supervision import SupervisionFact
from .units import INTEGER_MAX, Bytes, Count, Cursor, Nanoseconds, Sequence

CheckpointName: TypeAlias = Literal["orders"]
"""Who builds something of the records; the names of its files begin so."""


class JournalShortened(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="JournalShortened"):
    """Fact: records before a sequence were removed on purpose; none of them is needed by the book of record.

    A journal that begins later than with sequence 1 and has no such fact has lost its beginning.
    """

    oldest_sequence: Sequence
    """The first sequence that is kept."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


Fact: TypeAlias = (
    OrderFact
    | RiskStateChanged
    | LimitsChanged
    | AccountFact
    | SupervisionFact
    | JournalShortened
    | ExchangeFact
    | MarketFact
    | HistoryFact
    | EventFact
    | ControlFact
    | ReconciliationFact
    | FlatteningFact
    | SettingsFact
    | StrategyStateSaved
    | NodeFact
)
"""Everything that may be journaled."""

_KEYS: Final = ("client_order_id", "child", "aggregate_id", "strategy")

_KEY_FIELDS: Final = {
    fact_type: next((name for name in _KEYS if name in fact_type.__struct_fields__), "") for fact_type in get_args(Fact)
}


def key_of(fact: Fact) -> str:
    """Return the key of a fact: its client order id, the name of its child, its aggregate, or whose state it is."""
    name = _KEY_FIELDS[type(fact)]
    return getattr(fact, name) if name else ""


class Append(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Append"):
    """From any actor to the journal: make these facts durable, all or none, in this order.

    Answered by `Appended` or `AppendRefused`.
    """

    facts: tuple[Fact, ...]
    """At least one."""

    correlation_id: str = ""
    """Of the request that they belong to; for an order its client order id."""

    writer: str = ""
    """Of whom appends rely on each other: one life of an actor, by a name that no other has. Empty: of nobody."""

    number: Count = 0
    """Of this append among those of its writer: 1, 2, 3."""

    follows: Count = 0
    """The number of the writer's append that must have been taken, or this one is refused; 0: none."""


class Appended(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Appended"):
    """Answer to `Append`, after `fdatasync`: the facts have these sequences, without gaps."""

    first_sequence: Sequence
    last_sequence: Sequence
    correlation_id: str = ""

    writer: str = ""
    """As in the `Append`: an answer to an earlier life of its writer may come to a later one."""

    number: Count = 0
    """As in the `Append`."""


class AppendRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AppendRefused"):
    """Answer to `Append`: not written, nothing is durable (disk full, or the file failed)."""

    reason: str
    correlation_id: str = ""

    writer: str = ""
    """As in the `Append`."""

    number: Count = 0
    """As in the `Append`."""


def appended(request: Append, first_sequence: int) -> Appended:
    """Return the answer to an `Append` whose facts are durable from a sequence on, without gaps."""
    return Appended(
        first_sequence=first_sequence,
        last_sequence=first_sequence + len(request.facts) - 1,
        correlation_id=request.correlation_id,
        writer=request.writer,
        number=request.number,
    )


def append_refused(request: Append, reason: str) -> AppendRefused:
    """Return the answer to an `Append` of which nothing was written."""
    return AppendRefused(
        reason=reason, correlation_id=request.correlation_id, writer=request.writer, number=request.number
    )


class ProveDurable(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ProveDurable"):
    """To the journal: write and sync something, to prove that an append would be. Answered by `DurableProved`."""


class DurableProved(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DurableProved"):
    """Answer to `ProveDurable`."""

    last_sequence: Cursor
    """Of the newest durable record."""


class JournalRecord(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="JournalRecord"):
    """One durable fact."""

    sequence: Sequence
    """From 1, without gaps, for the life of the data directory."""

    recorded_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC, by the journal's clock; may step back, the sequence never does."""

    correlation_id: str
    fact: Fact


class Journaled(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Journaled"):
    """From the journal to the events router after each group commit, before the writers are answered."""

    records: tuple[JournalRecord, ...]


class ReadJournal(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadJournal"):
    """To the journal: read the matching records after a sequence, in order. Answered by `JournalPage`.

    A page of fewer than `records_max` records has every match.
    """

    after_sequence: Cursor = 0
    records_max: Count = 10_000

    since_ns: Nanoseconds = 0
    """Recorded at this time or later: nanoseconds since 1970-01-01 UTC."""

    until_ns: Nanoseconds = INTEGER_MAX
    """Recorded before this time."""

    types: tuple[str, ...] = ()
    """Names of fact types; empty for all."""

    key: str = ""
    """A client order id, the name of a child or a strategy, an aggregate's id, or the correlation id of a request;
    empty for all."""


class JournalPage(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="JournalPage"):
    """Answer to `ReadJournal`."""

    records: tuple[JournalRecord, ...]

    last_sequence: Cursor
    """The newest durable sequence of the whole journal: a reader of everything asks again until it is there."""


class ReadCheckpoint(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadCheckpoint"):
    """To the journal, from whoever builds something of its records. Answered by `CheckpointRead`."""

    name: CheckpointName

    version: str
    """Of the code that builds: a checkpoint of any other is refused."""

    only_looks: bool = False
    """Wanted is only which there is: past and state are left out."""


class CheckpointRead(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CheckpointRead"):
    """Answer to `ReadCheckpoint`: what was built of the records up to one of this very journal."""

    name: CheckpointName

    sequence: Cursor = 0
    """Of the last record that it was built of; 0: there is none, and everything is to be read."""

    past: bytes = b""
    """What all checkpoints have added, one behind the other."""

    state: bytes = b""
    reason: str = ""
    """Why one that is there was refused; empty: there is none, or it counts."""


class KeepCheckpoint(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="KeepCheckpoint"):
    """To the journal: keep what was built of the records up to one, instead of the checkpoint before.

    It must be built of durable records alone. Answered by `CheckpointKept`.
    """

    name: CheckpointName
    version: str

    sequence: Sequence
    """Of the last record that it is built of."""

    follows: Cursor
    """Sequence of the checkpoint that it was built on, whose past goes on; 0: on none."""

    past: bytes
    """What is added to that past."""

    state: bytes


class CheckpointKept(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CheckpointKept"):
    """Answer to `KeepCheckpoint`."""

    name: CheckpointName

    sequence: Cursor = 0
    """Of the checkpoint that is on the disk now; 0: it was not kept."""

    reason: str = ""
    """Why not."""


class JournalStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="JournalStatistics"):
    """What the journal holds, and counts."""

    records: Count
    """Durable records in the data directory."""

    appended: Count
    """Records appended since it started."""

    commits: Count
    """Group commits (`fdatasync` calls) since it started."""

    bytes_written: Bytes
    path: str
    """The journal's directory."""

    commit: Timing = Timing()
    """How long a group commit took, with its write and `fdatasync`."""
