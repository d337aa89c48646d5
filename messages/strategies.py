"""Strategies of a running system: listed, started, stopped, and replaced by others of the same name."""

import msgspec

from .units import Count


class ListStrategies(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ListStrategies"):
    """To the supervisor of strategies: which are there? Answered by `StrategiesListed`."""


class StrategyShown(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyShown"):
    """One strategy."""

    name: str
    strategy: str
    """`module:Class`."""

    state: str
    """As in the supervision tree; `STOPPED`: by a person, until a person starts it."""

    host: str
    restarts: Count
    has_state: bool
    """Its class declares a `State`: what it knows outlives a restart and a swap."""

    error: str = ""
    """Its newest failure."""


class StrategiesListed(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="StrategiesListed"):
    """Answer to `ListStrategies`, in the order of starting."""

    strategies: tuple[StrategyShown, ...]


class StartStrategy(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StartStrategy"):
    """To the supervisor of strategies: start one that was stopped or parked, or a new one with these settings.

    Answered, as each of the following, by `StrategyChanged` when it has begun, or by `StrategyNotChanged`.
    """

    name: str

    settings: str = ""
    """In JSON, as a table `[[strategies]]` has them; empty: of one that was stopped or parked."""


class StopStrategy(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StopStrategy"):
    """To the supervisor of strategies: stop this one until it is started; what it holds stays."""

    name: str


class SwapStrategy(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SwapStrategy"):
    """To the supervisor of strategies: let another class go on under this name, with its state, position and orders.

    Of one that runs on another node it is passed on to its deputy, and from there to the supervisor of that node; so is
    `ReloadStrategy`.
    """

    name: str
    strategy: str
    """`module:Class`."""


class ReloadStrategy(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReloadStrategy"):
    """To the supervisor of strategies: read its file and the files beside it anew, and swap its class for that."""

    name: str


class StrategyChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyChanged"):
    """Answer: the change was made."""

    name: str
    strategy: str
    """`module:Class`."""

    modules: tuple[str, ...] = ()
    """Of a reload: modules whose source has changed."""

    handed_over: Count = 0
    """Of a swap: messages (prices, candles, facts) that came after the old one's last and before the new one's first;
    the new one is sent them, in order."""

    conflated: Count = 0
    """Of a swap: ticks that came between and were left out, since there were too many: of each symbol the newest is
    sent."""


class StrategyNotChanged(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyNotChanged"
):
    """Answer: the change was not made; what ran before runs on."""

    name: str
    reason: str

    is_busy: bool = False
    """Another change of it is under way, or the system stops."""
