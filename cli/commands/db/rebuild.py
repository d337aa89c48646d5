"""`natya db rebuild`: the core file anew from the journal."""

from __future__ import annotations

from ....domain.wording import counted
from ...journals import journal_of, pages
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import alone, faults, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Write the core file anew from the journal; not while a system runs there. Market data is not touched.

    The whole journal is verified first: from a damaged one nothing is rebuilt, and the core file stays as it is.

    What was there stays beside it as FILE.old-1: delete it when you have seen that all is well.

    natya db rebuild
    """
    from ....actors.database import rebuild as rebuild_core
    from ...views import rows

    with faults(), alone(data_dir, profile) as settings, rows.progress("rebuild") as on_progress:
        view = journal_of(settings, verified=True)
        last, old = rebuild_core(settings.database, pages(view, on_progress), first=view.oldest_sequence)
    core = settings.database.path
    text = f"{core}: rebuilt from {counted(last, 'record')}" + (f"; the old one is {old}" if old else "")
    tell_answer({"file": core, "records": last, "old": None if old is None else str(old)}, text, json=json)
