"""Risk: how much of each limit is used, asked by people and answered by orders."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from .orders import RiskState
from .units import Nanoseconds

Amount: TypeAlias = Annotated[float, Meta(ge=-1e18, le=1e18)]
"""Of whatever a limit is of: rupees, shares, orders; the limit's name says it."""


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


class LimitChange(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LimitChange"):
    """One limit that is another one than in the run before."""

    name: str
    before: str
    """In JSON; empty: it was not written down before."""

    after: str
    """In JSON."""

    loosened: bool
    """Whether more may pass than before."""


class LimitsChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LimitsChanged"):
    """Fact: a run with real orders begins, and its limits are others than in the one before; from orders."""

    changes: tuple[LimitChange, ...]
    """Of the first run: every limit."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""
