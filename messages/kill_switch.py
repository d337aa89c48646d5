"""The kill switch: on, off, and what orders does of it; and the loss of a day at which the broker itself closes all.

It is on while the file `HALT` is in the data directory, whoever put it there. The owner of the file tells orders, and
orders halts: no order passes, and each open one is cancelled. Off is not on again: only `Resume` leaves HALTED.
"""

from typing import TypeAlias

import msgspec

from .units import Count, Nanoseconds, Rupees


class EngageKillSwitch(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="EngageKillSwitch"):
    """From a person to the owner of the switch: put it on. Answered by `KillSwitchEngaged`."""

    reason: str
    """Kept in the file and in the journal."""

    person: str = ""
    """Who wants it, as the operating system names the user."""

    flatten: bool = False
    """Close all positions, too: by limit orders that follow the market."""


class KillSwitchEngaged(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="KillSwitchEngaged"):
    """Answer to `EngageKillSwitch`: no order passes."""

    cancelling: Count
    """Orders whose cancellation is under way."""

    problem: str = ""
    """What could not be done: the file not written, the halt not journaled yet. Empty: nothing."""


class ReleaseKillSwitch(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReleaseKillSwitch"):
    """From a person to the owner of the switch: put it off. Answered by `KillSwitchRead`; HALTED stays."""


class ReadKillSwitch(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadKillSwitch"):
    """From a person to the owner of the switch: is it on? Answered by `KillSwitchRead`."""


class KillSwitchRead(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="KillSwitchRead"):
    """Answer to `ReadKillSwitch` and `ReleaseKillSwitch`: the state of the switch."""

    engaged: bool
    reason: str = ""
    person: str = ""
    flatten: bool = False

    told: bool = False
    """Orders has confirmed that it has halted for it."""

    at_broker: str = ""
    """The state of the broker's own switch (`kill_switch.at_broker`); empty where that is not set."""

    path: str = ""
    """Of each file that is there, separated by commas; empty where it is off."""


class HaltTrading(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="HaltTrading"):
    """To orders, from the owner of the switch: let nothing pass, and cancel every open order.

    Answered by `TradingHalted`. A repeat cancels again what is still open.
    """

    cause: str
    person: str = ""


class TradingHalted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TradingHalted"):
    """Answer to `HaltTrading`: no order passes from now on."""

    cancelling: Count
    """Orders that are open, each of which is being cancelled; 0 also while the journal is still read back."""

    not_written: str = ""
    """Why the halt is not durable yet; it holds all the same. Empty: it is."""


class KillSwitchStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="KillSwitchStatistics"
):
    """What the owner of the switch counts."""

    engaged: bool
    looks: Count
    """At the file."""

    halts: Count
    """Times that orders was told and confirmed."""


class Flatten(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Flatten"):
    """To the flattener, from a person or the kill switch: close what is held. Answered by `FlatteningBegun`."""

    strategy: str = ""
    """Only what this strategy holds; empty: what any does."""

    symbol: str = ""
    """Only in this symbol; empty: in any."""

    person: str = ""


class FlatteningBegun(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FlatteningBegun"):
    """Answer to `Flatten`: it goes on until nothing is held any more, also over a restart."""

    not_written: str = ""
    """Why that is not durable yet; empty: it is. It is written as soon as it can be."""


class FlatteningWanted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FlatteningWanted"):
    """Fact: what is held is to be closed, until there is nothing left of it; also by the next process."""

    strategy: str
    """Empty: what any holds."""

    symbol: str
    """Empty: any."""

    person: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class FlatteningEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FlatteningEnded"):
    """Fact: nothing is held any more of what was to be closed."""

    strategy: str
    symbol: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


FlatteningFact: TypeAlias = FlatteningWanted | FlatteningEnded


class StopTrading(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StopTrading"):
    """To the broker session: have the broker take no order of the account for the rest of the day, whoever sends it.

    Answered by `TradingStopped`.
    """


class TradingStopped(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TradingStopped"):
    """Answer to `StopTrading`."""

    problem: str = ""
    """Why it is not known to be so; empty: the broker says that it takes none."""


class SetLossExit(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SetLossExit"):
    """To the broker session: have the broker close all of the account at this loss of the day, whoever holds it.

    Answered by `LossExitSet`. A repeat changes nothing; the broker forgets it with the day.
    """

    loss_rupees: Rupees
    """0: at none, where it was asked for here before."""

    with_kill_switch: bool = False
    """Whether the broker then takes no order for the rest of the day."""


class LossExitSet(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LossExitSet"):
    """Answer to `SetLossExit`."""

    loss_rupees: Rupees | None
    """At which the broker closes all, as it says itself; a lesser one that somebody else has set stays. 0: at none;
    None: that is not known."""

    problem: str = ""
    """Why it is not known to be as wanted; empty: it is."""


class LossExitStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LossExitStatistics"
):
    """What the owner of the broker's exit knows."""

    wanted_rupees: Rupees
    """Loss of the day at which the broker is to close all; 0: at none, or that is not known yet."""

    loss_rupees: Rupees | None
    """At which it does, as it has told last; 0: at none; None: not known."""

    looks: Count
