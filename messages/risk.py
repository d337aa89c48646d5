"""Risk: how much of each limit is used, asked by people and answered by orders."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from .risk_state import RiskState
from .units import Nanoseconds, Price, SomeShares

Amount: TypeAlias = Annotated[float, Meta(ge=-1e18, le=1e18)]
"""An amount in the limit's own unit (rupees, shares, orders), as its name says."""


class RiskFigure(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RiskFigure"):
    """One limit, and how much of it is used."""

    limit_name: str
    """Of the setting in `[orders]`, or of a strategy."""

    limit: Amount
    """0: off."""

    found: Amount | None
    """None: it is not known, and `formed` says why; then nothing that opens a position may pass."""

    formed: str
    """How the number was formed."""

    of: str = ""
    """The strategy or the symbol that it is of; empty: the account."""


class ReadRisk(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadRisk"):
    """To orders: how much of each limit is used now? Answered by `RiskRead`."""


class RiskRead(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RiskRead"):
    """Answer to `ReadRisk`."""

    risk_state: RiskState
    risk_cause: str
    """Of the newest change of the risk state; empty if there was none."""

    figures: tuple[RiskFigure, ...]
    as_of_ns: Nanoseconds
    """Market time: nanoseconds since 1970-01-01 UTC."""


class FundsTold(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FundsTold"):
    """From reconciliation to orders: what the broker says may be used for new orders."""

    available_rupees: Amount
    as_of_ns: Nanoseconds
    """When it was asked: nanoseconds since 1970-01-01 UTC. Orders since then may be in it or not."""


class PriceBand(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PriceBand"):
    """The exchange's price band of a symbol on this day: it takes no order at a price outside."""

    symbol: str
    low: Price
    """Rupees, as `high`; both are in it."""

    high: Price


class BandsTold(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="BandsTold"):
    """From reconciliation to orders, after each look: the price bands that the broker tells."""

    bands: tuple[PriceBand, ...]
    as_of_ns: Nanoseconds
    """When they were asked for: nanoseconds since 1970-01-01 UTC."""

    problem: str = ""
    """Why there are none, or not all; empty: the broker told all that it has."""


class FreezeQuantitiesTold(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FreezeQuantitiesTold"
):
    """From reconciliation to orders, after each look: how great an order of a symbol may be at the exchange."""

    of: dict[str, SomeShares]
    """Shares by symbol, in whole lots; symbols without such a limit, or whose limit is not known, are left out."""


class LimitChange(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LimitChange"):
    """One limit that differs from the run before."""

    name: str
    before: str
    """In JSON; empty: it was not written down before."""

    after: str
    """In JSON."""

    loosened: bool
    """Whether more may pass than before."""

    configured: str = ""
    """In JSON, what the settings said when a person changed it while the system ran: it holds as long as they say the
    same. Empty: it is that of the settings."""


class LimitsChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LimitsChanged"):
    """Fact: limits are others from now on; from orders.

    A run with real orders begins; or any, after settings were changed that a person had changed while it ran; or a
    person changes them now.
    """

    changes: tuple[LimitChange, ...]
    """Of the first run: every limit."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    person: str = ""
    """Who changed them while the system ran; empty: a start did."""

    reason: str = ""
    """Of that person."""


class ChangeLimits(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ChangeLimits"):
    """From a person to orders: these limits hold from now on, also after a restart.

    Stricter ones hold at once; one that lets more pass is wanted a second time, with those that real orders need.
    Answered by `LimitsInForce`, durable by then, or by `LimitsKept`.
    """

    values: dict[str, str]
    """By name, such as `position_max`; written as in the settings."""

    reason: str
    """Kept in the fact."""

    confirmed: dict[str, str] = {}
    """Where one lets more pass: `quantity_max`, `value_max_rupees`, `position_max` and `orders_in_flight_max` as they
    will be, and each that is loosened."""

    person: str = ""
    """Who wants it, as the operating system names the user."""


class LimitsInForce(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LimitsInForce"):
    """Answer to `ChangeLimits`: these are others now, durably; empty: they were so already."""

    changes: tuple[LimitChange, ...]


class LimitsKept(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LimitsKept"):
    """Answer to `ChangeLimits`: nothing is loosened, and why."""

    problems: tuple[str, ...]
