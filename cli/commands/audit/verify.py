"""`natya audit verify`: that no record of who did what was changed or cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....domain.wording import counted
from ...journals import journal_path
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, load, tell_answer


def command(
    *,
    seals: Annotated[
        Path | None,
        typer.Option(
            help="A copy of days.seals that was kept elsewhere: the days here must be those, and what came after.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Read every record of the journal with its hash chain, compare the seals of days, and count the operations.

    Exits with 65 at the first record that was changed, and names it; if its checksum was made to fit, the next record
    is named, whose hash of it no longer fits; where a day that was over was cut off or written anew, that day. Who can
    write all files can write the seals anew, too: keep copies of the file days.seals elsewhere, or have a
    journal.seal_key.
    """
    from ....actors.journal import tools
    from ...views.audit import Verified

    settings = load(profile, {} if data_dir is None else {"system.data_dir": str(data_dir)}, config=config).settings
    key = settings.journal.seal_key.reveal().encode()
    directory = journal_path(settings)
    with faults():
        report = tools.verify(directory, seal_key=key, kept_seals=None if seals is None else seals.read_bytes())
    answer = Verified(
        asked=report.of_type.get("OperationAsked", 0),
        answered=report.of_type.get("OperationAnswered", 0),
        records=report.records,
        last_sequence=report.last_sequence,
        last_hash=report.last_hash,
        sealed_days=report.sealed_days,
        sealed_day=report.sealed_day,
        sealed_sequence=report.sealed_sequence,
        hmacs=report.hmacs,
        hmacs_checked=bool(key),
    )
    whole = f"{counted(report.records, 'record')} are whole, up to sequence {report.last_sequence}"
    lines = [f"{whole}: {counted(answer.asked, 'operation')}, {answer.answered} of them with an outcome"]
    if report.sealed_days:
        upto = f"the last {report.sealed_day} with sequence {report.sealed_sequence}"
        lines.append(f"sealed: {counted(report.sealed_days, 'day')}, {upto}: {directory / 'days.seals'}")
        if report.hmacs:
            checked = "proved with journal.seal_key" if key else "not proved: no journal.seal_key is given"
            lines.append(f"{counted(report.hmacs, 'seal')} of them with an HMAC, {checked}")
    else:
        lines.append("no day is sealed yet: the first is when it is over")
    lines.append(f"hash of the last record: {report.last_hash or 'none'}")
    tell_answer(answer, "\n".join(lines), json=json)
