"""`natya journal stat`: the segment files."""

from __future__ import annotations

from ....domain.wording import counted
from ...journals import journal_directory
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show the segment files and what they hold."""
    from ....actors.journal import tools

    with journal_directory(data_dir, profile) as directory:
        found = tools.stat(directory)
    sequences = f"sequences {found.oldest_sequence} to {found.last_sequence}"
    lines = [f"{counted(found.records, 'record')} in {found.path}, {sequences}"]
    for segment in found.segments:
        kind = "archived" if segment.archived else "plain"
        lines.append(
            f"  {segment.first_sequence}-{segment.last_sequence}  {segment.file_bytes:,} bytes  {kind}  {segment.path}"
        )
    tell_answer(found, "\n".join(lines), json=json)
