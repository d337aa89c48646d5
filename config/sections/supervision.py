"""[supervision]: how children are restarted."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Positive, PositiveSeconds, Section


class SupervisionSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How children are restarted."""

    TABLE: ClassVar[str] = "supervision"

    restarts_max: Annotated[int, Meta(ge=0, le=1 << 53)]
    """Restarts of all children of a supervisor in `window_s`; one more and it gives up. 0: at the first failure."""

    window_s: PositiveSeconds
    backoff_first_s: PositiveSeconds
    """Wait before the second restart of a child; the first is at once."""

    backoff_max_s: PositiveSeconds
    """The longest wait before a restart."""

    backoff_reset_s: PositiveSeconds
    """The back-off of a child that ran this long begins anew."""

    fail_max: Positive
    """Failures in a row that open a child's breaker."""

    reset_timeout_s: PositiveSeconds
    """How long the breaker stays open before the child is tried again."""

    escalate_after: Positive
    """Openings in a row after which the supervisor gives up on the child."""
