"""`natya status`: what runs, and how it stands."""

from __future__ import annotations

from typing import Any

from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import directory_of, running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show in a few lines what runs, since when, how it stands, and what wants a look.

    Exits with 69 where nothing runs.
    """
    from ...config.data_directory import held_since_ns
    from ...messages.addresses import ALARMS, ORDERS
    from ...messages.health import AlarmsShown
    from ...messages.order_listing import OrdersStatistics
    from ...messages.system import Pong
    from ..views.status import Running, status_json, status_text

    directory = directory_of(data_dir, profile).absolute()
    with running(directory, profile) as system:
        health = system.health()
        has = {each.name for each in health.components}
        answer: Any = system.ping(ORDERS) if ORDERS in has else None
        counts = answer.statistics if isinstance(answer, Pong) else None
        alarms: Any = system.alarms() if ALARMS in has else None
        found = Running(
            pid=system.pid,
            data_dir=str(directory),
            since_ns=held_since_ns(directory),
            health=health,
            orders=counts if isinstance(counts, OrdersStatistics) else None,
            alarms=alarms if isinstance(alarms, AlarmsShown) else None,
            url=system.show_http().url,
        )
    tell_answer(status_json(found), status_text(found), json=json)
