"""`natya kill-switch off`: remove the file; HALTED stays."""

from __future__ import annotations

from ...exit_codes import FAILED
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, give_up, tell_answer
from ...switching import halt_file, release


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Put the kill switch off. Orders pass again only after `natya resume --reason`. Exits with 1 where it was off."""
    with faults():
        where = release(data_dir, profile)
    if not where:
        give_up(f"the kill switch on wanted, found it off: there is no {halt_file(data_dir, profile).path}", FAILED)
    told = f"the kill switch is off; orders stay halted until `natya resume --reason …` ({where} is removed)"
    tell_answer({"engaged": False, "path": where}, told, json=json)
