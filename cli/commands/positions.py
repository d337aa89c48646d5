"""`natya positions`: what the account holds."""

from __future__ import annotations

from ..book import read_book
from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show what the account holds, which strategy holds it, and the profit before charges; where no system runs, too.

    An unrealised profit is by the newest price that the running system has, or, where none runs, that was recorded; the
    time of that is shown.
    """
    from ...messages.order_listing import ReadPositions
    from ..views.orders import positions_json, positions_text

    found = read_book(data_dir, profile, ReadPositions())
    tell_answer(positions_json(found), lambda: positions_text(found), json=json)
