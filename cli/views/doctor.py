"""What the doctor found, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...domain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..doctor.finding import Finding

_MARKS: Final = {"ok": "ok     ", "warning": "WARNING", "fault": "FAULT  "}


def findings_text(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, one for how to mend it, and one that counts."""
    width = max(len(each.check) for each in findings)
    lines = []
    for each in findings:
        lines.append(f"{_MARKS[each.state]}  {each.check:<{width}}  {each.found}")
        if each.mend:
            lines.append(f"{'':<{len(_MARKS['ok']) + width + 2}}  -> {each.mend}")
    count = {state: sum(each.state == state for each in findings) for state in ("fault", "warning")}
    told = " and ".join(counted(many, state) for state, many in count.items() if many)
    return "\n".join([*lines, told or "all is well"])
