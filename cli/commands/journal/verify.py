"""`natya journal verify`: read and check every record."""

from __future__ import annotations

from ....domain.wording import counted
from ...journals import journal_directory
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Read every record: checksum, sequence, hash chain, fact. Exits with 65 at the first damage, and names it."""
    from ....actors.journal import tools

    with journal_directory(data_dir, profile, checked=False) as directory:
        report = tools.verify(directory)
    whole = f"{counted(report.records, 'record')} in {counted(report.segments, 'segment')}"
    lines = [f"{whole} are whole, up to sequence {report.last_sequence}"]
    lines.append(f"hash of the last record: {report.last_hash or 'none'}")
    if report.torn_bytes:
        lines.append(f"{report.torn_bytes:,} bytes of a commit that did not finish: the next start cuts them")
    tell_answer(report, "\n".join(lines), json=json)
