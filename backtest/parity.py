"""Parity: whether a backtest on what a session has recorded gives the orders of that session, one for one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from ..actors.journal import JournalView
from ..actors.journal.disk import RealDisk
from ..actors.strategy import path_of
from ..config.loader import load_with_origins
from ..domain.booked import is_booked
from ..domain.client_order_ids import is_own
from ..domain.money import exact_value
from ..domain.time import time_text
from ..domain.wording import counted, some
from ..messages.accounts import AccountEntered
from ..messages.orders import OrderFilled, OrderIntended
from ..transfer import AS_STORED, played_interval, was_live, was_made_up
from .errors import BacktestRefusedError
from .plan import END_NS, SEGMENT_BYTES, places_in
from .running.running import play_settings
from .running.stored import stored_in
from .running.warm_up import bars_wanted, past_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

TICKS: Final = "ticks"
"""Instead of a length of candles."""

TYPES: Final = ("AccountEntered", "OrderIntended", "OrderFilled")

LIVES_SHOWN_MAX: Final = 3

OF_A_RUN: Final = frozenset({"client_order_id", "occurred_ns", "trade_id"})
"""Fields of a fact that may differ between a session and its backtest: names that are given anew, and times."""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of a session with its backtest."""

    orders: int
    """Of the session."""

    fills: int
    backtest_orders: int
    backtest_fills: int
    difference: str
    """The first one, in words; empty: there is none."""

    played: str = ""
    """What the backtest played: `ticks`, or `candles of 1m`; by default what the session was played."""

    notes: tuple[str, ...] = ()


def parity(  # noqa: PLR0913  by name
    data_dir: Path,
    *,
    profile: str = "paper",
    config: Path | None = None,
    strategies: Sequence[str] = (),
    since_ns: int = 0,
    until_ns: int = END_NS,
    interval: str = "",
    settings: dict[str, Any] | None = None,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Parity:
    """Play the recorded market data with the session's strategies and settings, and compare orders and fills.

    The session is what the journal has of the account that was entered last, between two times. It began flat, and in
    that time its strategies were started once: a backtest begins so. Where one was begun anew, a note says when.

    Args:
        data_dir: of the session; nothing in it is changed.
        profile: of the session's settings.
        config: the session's own settings.
        strategies: `module:Class` or files, instead of those in the settings; named as `natya run --strategy` does.
        since_ns: nanoseconds since 1970-01-01 UTC.
        until_ns: exclusive.
        interval: play recorded candles of this length, or `ticks`; empty: what the session has played.
        settings: of the session, by key.
        on_progress: as of `play`.

    Raises:
        BacktestRefusedError: there is no journal, no order in it, or no market data; or none of the strategies that
            ordered is among the settings'.
        SettingsError, DatabaseError, JournalError, StrategyError: see there.
    """
    journal = data_dir / "journal"
    if not journal.is_dir():
        raise BacktestRefusedError(f"the data directory of a session wanted, found no journal in {data_dir}")
    session = _session(journal, since_ns, until_ns)
    if not session:
        raise BacktestRefusedError(f"a session with orders wanted, found none in {journal}")
    with tempfile.TemporaryDirectory(prefix="natya-parity-") as folder:
        scratch = Path(folder)
        given: dict[str, Any] = {
            **AS_STORED,
            **(settings or {}),
            "log.level": "warning",
            "journal.segment_bytes": SEGMENT_BYTES,
            "feed.source": "replay",
            "feed.recording": str(data_dir),
            "feed.speed": 0.0,
            "feed.duration_s": 0.0,
            "feed.options": {},
            "broker.name": "paper",
            "broker.wire": False,
            "broker.live": False,
            "broker.options": {},
            "orders.account": "new",
            **places_in(scratch / "data"),
        }
        if strategies:
            given["strategies"] = [_named(strategy) for strategy in strategies]
        loaded = load_with_origins(profile, config=config, environment={}, overrides=given).settings
        orders, named = _of(OrderIntended, session), {each.name for each in loaded.strategies}
        own = {order.strategy for order in orders if is_own(order.strategy, order.client_order_id)}
        if own and not own & named:
            raise BacktestRefusedError(_others(own, named))
        if not interval:
            interval = played_interval(data_dir, since_ns=since_ns or None, until_ns=_end_of(until_ns))
        interval = "" if interval == TICKS else interval
        past = past_ns(bars_wanted(each.strategy for each in loaded.strategies))
        recordings = stored_in(
            data_dir, scratch, symbols=(), since_ns=max(0, since_ns - past), until_ns=until_ns, interval=interval
        )
        raw = play_settings(
            replace(loaded, feed=replace(loaded.feed, recording=tuple(map(str, recordings)))),
            since_ns=since_ns,
            until_ns=until_ns,
            symbols=frozenset(),
            is_made_up=was_made_up(data_dir, since_ns=since_ns or None, until_ns=_end_of(until_ns)),
            is_kept=False,
            on_progress=on_progress,
        )
    fills = _of(OrderFilled, session)
    order_difference = first_difference("order", orders, raw.record.intended)
    is_live = was_live(data_dir, since_ns=since_ns or None, until_ns=_end_of(until_ns))
    return Parity(
        orders=len(orders),
        fills=len(fills),
        backtest_orders=len(raw.record.intended),
        backtest_fills=len(raw.record.fills),
        difference=order_difference or first_difference("fill", fills, raw.record.fills),
        played=f"candles of {interval}" if interval else TICKS,
        notes=(
            *raw.notes,
            *([raw.failed] if raw.failed else []),
            *(met_later(fills, raw.record.fills) if is_live and not order_difference else ()),
            *([_others(own - named, named)] if own - named else []),
            *begun_anew(orders, fills),
        ),
    )


def _others(missing: set[str], named: set[str]) -> str:
    """Say that the session had strategies which the settings do not have: none of their orders can be the same."""
    return (
        f"the session traded {some(sorted(missing))}, the settings have {some(sorted(named)) or 'no strategy'}: name "
        "what ran, by --strategy or --config"
    )


def met_later(recorded: Sequence[OrderFilled], replayed: Sequence[OrderFilled]) -> Iterator[str]:
    """Yield what the way of its orders cost a session on live prices.

    A market that is recorded waits for an order; one that is live has gone on when it arrives.

    Args:
        recorded: fills of the session.
        replayed: fills of the backtest, of the same orders.
    """
    worse = [
        exact_value(fill.price, fill.quantity * sign) - exact_value(other.price, fill.quantity * sign)
        for name in dict.fromkeys(fill.strategy for fill in recorded)
        for fill, other in zip(_by(name, recorded), _by(name, replayed), strict=False)
        if fill.price != other.price and fill.quantity == other.quantity
        for sign in [1 if fill.side == "BUY" else -1]
    ]
    if worse:
        cost = sum(worse)
        yield (
            "prices came live, and an order met the market that was there when it arrived: "
            f"{len(worse):,} of {counted(len(recorded), 'fill')} had another price than in the backtest, "
            f"together {abs(cost):,.2f} rupees {'worse' if cost > 0 else 'better'}"
        )


def _by(strategy: str, facts: Iterable[Any]) -> list[Any]:
    return [fact for fact in facts if fact.strategy == strategy]


def begun_anew(orders: Iterable[OrderIntended], fills: Iterable[OrderFilled] = ()) -> Iterator[str]:
    """Yield why the backtest may differ from a session in which a strategy was begun anew: of each one, and when."""
    lives: dict[str, dict[str, int]] = {}
    booked = {fill.client_order_id for fill in fills if is_booked(fill.trade_id)}
    for order in orders:
        if is_own(order.strategy, order.client_order_id) and order.client_order_id not in booked:
            life = order.client_order_id.rsplit("-", 2)[1]
            lives.setdefault(order.strategy, {}).setdefault(life, order.occurred_ns)
    for strategy, begun in sorted(lives.items()):
        if later := [time_text(time_ns) for time_ns in [*begun.values()][1:]]:
            more = ", …" if len(later) > LIVES_SHOWN_MAX else ""
            yield (
                f"{strategy} was begun anew in the session, and ordered again from {', '.join(later[:LIVES_SHOWN_MAX])}"
                f"{more} on: a backtest begins once, and knows the candles and prices that the session missed meanwhile"
            )


def _end_of(until_ns: int) -> int | None:
    return None if until_ns == END_NS else until_ns


def first_difference(noun: str, recorded: Sequence[Any], replayed: Sequence[Any]) -> str:
    """Return the first difference between two lists of facts, strategy by strategy, in words; empty if there is none.

    Strategies are compared one by one: which of two is first at the same moment means nothing.
    """
    names = dict.fromkeys(fact.strategy for fact in (*recorded, *replayed))
    found = [each for name in names if (each := _difference(noun, name, recorded, replayed)) is not None]
    return min(found)[1] if found else ""


def _difference(noun: str, strategy: str, recorded: Sequence[Any], replayed: Sequence[Any]) -> tuple[int, str] | None:
    ours, theirs = _by(strategy, recorded), _by(strategy, replayed)
    for number, (fact, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        said, again = _content(fact), _content(other)
        if said != again:
            fields = ", ".join(
                f"{name} {said[name]!r} and {again[name]!r}" for name in said if said[name] != again[name]
            )
            return fact.occurred_ns, (
                f"{noun} {number} of {strategy}: the session has {_told(fact)}, the backtest {_told(other)} ({fields})"
            )
    if len(ours) == len(theirs):
        return None
    number = min(len(ours), len(theirs))
    more, whose, other = (ours, "session", "backtest") if len(ours) > number else (theirs, "backtest", "session")
    fact = more[number]
    return fact.occurred_ns, f"{noun} {number + 1} of {strategy}: the {whose} has {_told(fact)}, the {other} none"


def _content(fact: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(fact).items() if name not in OF_A_RUN}


def _told(fact: OrderIntended | OrderFilled) -> str:
    price = fact.price if isinstance(fact, OrderFilled) else fact.limit_price
    at = "at the market" if price is None else f"at {price}"
    return f"{fact.side} {fact.quantity} {fact.symbol} {at}, {time_text(fact.occurred_ns)}"


def _session(journal: Path, since_ns: int, until_ns: int) -> list[OrderIntended | OrderFilled]:
    """Return the orders and fills of the account that was entered last."""
    found: list[OrderIntended | OrderFilled] = []
    for record in JournalView.of_directory(RealDisk(), journal).find(types=TYPES):
        fact = record.fact
        if isinstance(fact, AccountEntered):
            found.clear()
        elif isinstance(fact, OrderIntended | OrderFilled) and since_ns <= fact.occurred_ns < until_ns:
            found.append(fact)
    return found


def _of(kind: type[Any], facts: Iterable[Any]) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _named(strategy: str) -> dict[str, str]:
    path = path_of(strategy)
    return {"name": path.rpartition(":")[2].lower(), "strategy": path}
