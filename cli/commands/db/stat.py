"""`natya db stat`: files, rows, days and symbols."""

from __future__ import annotations

from ....domain.wording import counted
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, owner_of, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show the files, how many rows each table has, and which days and symbols there are.

    natya db stat --json
    """
    from ....client import stat as look

    with faults(), owner_of(data_dir, profile) as owner:
        found = look(owner)
    days = f"{counted(found.days, 'day')} ({found.archived_days} archived)"
    lines = [
        *(f"{file}: {size:,} bytes" for file, size in found.files.items()),
        *(f"  {table} {count:,}" for table, count in found.rows.items()),
        f"the journal is projected up to sequence {found.projected_sequence}",
        f"ticks of {days}, {found.first_day} to {found.last_day}",
        f"symbols: {', '.join(found.symbols) or 'none'}",
    ]
    tell_answer(found, "\n".join(lines), json=json)
