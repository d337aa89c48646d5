"""What a check found."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

State: TypeAlias = Literal["ok", "warning", "fault"]


class Finding(msgspec.Struct, frozen=True):
    """What one check found."""

    check: str
    state: State
    found: str
    mend: str = ""
    """What to do about it; empty if there is nothing to do."""
