"""All settings, typed and frozen: one section a room, filled by the loader from files, environment and command line.

Every field has its default here only if no file needs to show it; what a user may want to change stands in
`default.toml` with a comment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .secrets import Secret

Positive: TypeAlias = Annotated[int, Meta(ge=1, le=1 << 53)]
PositiveSeconds: TypeAlias = Annotated[float, Meta(gt=0, le=86_400 * 366)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=86_400 * 366)]
Fraction: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class SystemSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process as a whole."""

    profile: Literal["paper", "live", "backtest"]

    data_dir: str
    """Directory of everything that survives the process; empty: the user's state directory, one for each profile."""

    stall_warn_s: PositiveSeconds
    """A handler that holds the event loop longer than this is named in the log."""

    trace_every: Positive
    """Of so many ticks and requests, one is traced from mailbox to mailbox; orders always are."""

    shutdown_s: PositiveSeconds
    """Each child gets this long to stop in order."""


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The journal files."""

    path: str
    """Directory of the segment files; empty: `journal` in the data directory."""

    segment_bytes: Annotated[int, Meta(ge=65_536, le=1 << 32)]
    """A segment file is preallocated to this size."""

    group_bytes_max: Annotated[int, Meta(ge=4_096, le=1 << 26)] = 256 * 1024
    """A group commit is written when it has this many bytes, also while more appends are waiting."""

    plain_segments_max: Positive = 4
    """Closed segments that stay as they are; older ones are archived (packed with gzip, still readable)."""

    retain_days: Annotated[int, Meta(ge=0, le=36_600)] = 0
    """Archived segments older than this are removed, up to the first that holds a fact of the book of record: orders,
    trades and the risk state are kept for ever. 0 keeps all."""


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The DuckDB files."""

    path: str
    """The core file; the market file lies beside it. Empty: `natya.duckdb` in the data directory."""

    max_connections: Annotated[int, Meta(ge=3, le=256)]
    """Connections of the pool: one writer for each file, the rest readers."""

    memory_limit_mb: Annotated[int, Meta(ge=64, le=1 << 24)]
    """What DuckDB may hold in memory."""

    threads: Positive
    """What DuckDB may use for one query."""

    batch_rows_max: Positive
    """A market batch is committed when it has this many rows."""

    batch_wait_s: PositiveSeconds
    """Or when its first row has waited this long."""

    tidy_interval_s: PositiveSeconds = 60.0
    """How often the database looks whether it is quiet enough to sort a day that is over."""

    cache_mb: Annotated[int, Meta(ge=0, le=1 << 20)] = 8
    """What answers to repeated queries may take; 0 to keep none."""

    encryption_key: Secret = Secret("")
    """Encrypts both files, where this DuckDB can do it safely; refused at the start where it cannot."""

    @property
    def market_path(self) -> str:
        """The market file: `natya-market.duckdb` beside `natya.duckdb`."""
        core = Path(self.path)
        return str(core.with_name(f"{core.stem}-market{core.suffix}"))


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker session."""

    name: str
    """Which body: `paper`."""

    client_id: str
    access_token: Secret
    base_url: str

    answer_timeout_s: PositiveSeconds = 5.0
    """A request without an answer after this long is in doubt."""

    orders_max: Positive = 1_000_000
    """Orders a session places; it remembers them all, so that none leaves twice, and refuses one more."""


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the redis transport of events connects to."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)]
    db: Annotated[int, Meta(ge=0, le=1_000_000)]


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paper exchange."""

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Limit prices must be whole multiples of it."""


class OrdersSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk gate and the book of record."""

    quantity_max: Positive
    """Shares one order may have."""

    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)]
    """Rupees one order may be worth at its limit price or at the last price."""

    position_max: Positive
    """Shares of one symbol, long or short, that may be held if every open order fills."""

    orders_a_moment_max: Positive = 1_000
    """Orders of one strategy while the market stands still: in a simulated market, those between two of its events."""

    orders_in_flight_max: Positive
    """Orders between intent and the broker's answer."""

    absence_horizon_s: PositiveSeconds
    """An uncertain order that the broker does not know counts as never placed only after this long."""

    lookup_interval_s: PositiveSeconds
    """How often an uncertain order is looked up."""

    symbols: tuple[str, ...] = ()
    """Only these may be traded; empty for all."""

    reconcile_interval_s: PositiveSeconds = 60.0
    """How often every open order is looked up: a report may be lost."""

    account: Literal["auto", "session", "new", "newest"] = "auto"
    """Which account a run trades on: the one of all sessions, a new one, or the newest. Auto: a replay on a new one,
    any other market on that of the sessions."""


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One strategy."""

    name: str
    """Name of the actor, unique among the strategies."""

    strategy: str
    """`module:Class` of a `StrategyActor`."""

    symbols: tuple[str, ...] = ()
    """What it hears; empty for all."""

    parameters: dict[str, Any] = {}
    """Given to the strategy as they are."""

    host: Literal["loop", "process"] = "loop"
    """Where it runs: beside all others, or in a process of its own, for one that computes for more than a moment."""

    turn_limit_s: Seconds = 10.0
    """In a process of its own: one that is at a turn (up to 16 messages) for longer is killed and started anew, as one
    that has failed. 0: it may take for ever, and a simulated market waits for it."""


class FeedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The market data source."""

    source: Literal["synthetic", "replay"]

    recording: str | tuple[str, ...]
    """File to replay, or several, side by side."""

    symbol: str
    """Symbol of a recording that has no symbol column, or not in every row."""

    speed: Annotated[float, Meta(ge=0, le=1e9)]
    """Times the recorded speed; 0 for as fast as possible."""

    bad_rows_max: Annotated[int, Meta(ge=0, le=1 << 53)]
    """Broken rows of a recording that are skipped before it is refused."""

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Prices are rounded to multiples of it where they enter."""

    symbols: tuple[str, ...]
    """Symbols of the synthetic market."""

    ticks_per_s: Annotated[float, Meta(gt=0, le=1e6)]
    """Ticks of each symbol a second in the synthetic market, at speed 1."""

    seed: Annotated[int, Meta(ge=0, le=(1 << 53))]
    """Of the synthetic market."""

    duration_s: Seconds
    """The market ends after so much of its time; 0 for never (a recording ends when it ends)."""

    unrecorded_ticks_max: Positive
    """A simulated market waits while more ticks than this are not yet durable."""

    interval: str = ""
    """How long the candles of a recording are, as `5m`; empty to tell it by their distances."""

    exchange: Literal["NSE", "BSE", "none"] = "NSE"
    """In whose sessions the ticks of a recorded candle lie; none where there are none."""

    @property
    def recordings(self) -> tuple[str, ...]:
        """The files to replay."""
        return (self.recording,) if isinstance(self.recording, str) else self.recording


class SupervisionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How children are restarted."""

    restarts_max: Positive
    """Restarts of all children of a supervisor in `window_s`; one more and it gives up."""

    window_s: PositiveSeconds
    backoff_first_s: PositiveSeconds
    backoff_max_s: PositiveSeconds

    backoff_reset_s: PositiveSeconds
    """A child that ran this long starts again at the first back-off."""

    fail_max: Positive
    """Failures in a row that open a child's breaker."""

    reset_timeout_s: PositiveSeconds
    """How long the breaker stays open before the child is tried again."""

    escalate_after: Positive
    """Openings in a row after which the supervisor gives up on the child."""


class ControlSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control socket, where other processes of this user may ask; every bound there is for one that misbehaves."""

    enabled: bool = True
    """Whether there is one."""

    connections_max: Annotated[int, Meta(ge=1, le=1_024)] = 16
    """Processes connected at once; one more is told so and let go."""

    in_flight_max: Annotated[int, Meta(ge=1, le=1_024)] = 16
    """Questions of one connection that may wait for their answers; one more is refused."""

    ask_bytes_max: Annotated[int, Meta(ge=1_024, le=1 << 24)] = 1 << 20
    """A longer question is refused unread, and the connection closed."""

    unsent_bytes_max: Annotated[int, Meta(ge=1 << 20, le=1 << 28)] = 1 << 25
    """Bytes of answers that wait for one connection to read them; at more it is closed."""

    timeout_max_s: PositiveSeconds = 3_600.0
    """The longest time a question may give its actor: a backup takes a while. Whoever leaves ends his question."""

    stall_s: PositiveSeconds = 10.0
    """A connection that halts so long in the middle of a question, or of reading an answer, is closed."""

    idle_s: PositiveSeconds = 3_600.0
    """A connection that asks nothing for so long is closed."""

    query_rows_max: Positive = 1_000_000
    """Rows that a query may ask for."""

    trace_hops_max: Positive = 50_000
    """Hops that one question may ask for."""

    file_rows_max: Positive = 1_000_000_000
    """Rows that a query may ask for in a file."""

    journal_records_max: Positive = 10_000
    """Journal records that one question may ask for."""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logging."""

    level: Literal["debug", "info", "warning", "error"]

    path: str
    """A file of JSON lines; empty: `natya.log` in the data directory; `-` for standard error."""

    file_bytes_max: Annotated[int, Meta(ge=65_536, le=1 << 32)] = 10_485_760
    """A file of this size is put aside and a new one begun."""

    files_max: Annotated[int, Meta(ge=2, le=1_000)] = 5
    """Files there are at most, the current one included; the oldest is deleted."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a process needs to know before it starts."""

    system: SystemSettings
    journal: JournalSettings
    database: DatabaseSettings
    broker: BrokerSettings
    redis: RedisSettings
    exchange: ExchangeSettings
    orders: OrdersSettings
    feed: FeedSettings
    supervision: SupervisionSettings
    log: LogSettings
    strategies: tuple[StrategySettings, ...]
    control: ControlSettings = ControlSettings()
