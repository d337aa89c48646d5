"""`natya audit verify`: that no record of who did what was changed."""

from __future__ import annotations

from collections import Counter

from ....domain.wording import counted
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import journal_directory, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Read every record of the journal with its hash chain, and count the operations among them.

    Exits with 65 at the first record that was changed, and names it; where its checksum was made to fit, the next one
    is named, whose hash of it is wrong. Keep the hash that is printed elsewhere: it proves the last record, too, and
    that nobody wrote all of it anew.
    """
    from ....actors.journal import JournalView, tools
    from ....actors.journal.disk import RealDisk
    from ...views.audit import FACTS, Verified

    with journal_directory(data_dir, profile, checked=False) as directory:
        report = tools.verify(directory)
        audited = Counter(
            type(record.fact).__name__ for record in JournalView.of_directory(RealDisk(), directory).find(types=FACTS)
        )
    answer = Verified(
        asked=audited["OperationAsked"],
        answered=audited["OperationAnswered"],
        records=report.records,
        last_sequence=report.last_sequence,
        last_hash=report.last_hash,
    )
    whole = f"{counted(report.records, 'record')} are whole, up to sequence {report.last_sequence}"
    lines = [f"{whole}: {counted(answer.asked, 'operation')}, {answer.answered} of them with an outcome"]
    lines.append(f"hash of the last record: {report.last_hash or 'none'}")
    tell_answer(answer, "\n".join(lines), json=json)
