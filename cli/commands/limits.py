"""`natya limits`: every rule, its limit, and where that was set."""

from __future__ import annotations

from ..journals import limits_of_journal
from ..options import ConfigOption, DataDirOption, JsonOption, Profile, ProfileOption, SetOption, assignments
from ..session import load, tell_answer
from ..terminal import note


def command(
    *,
    profile: ProfileOption = Profile.PAPER,
    config: ConfigOption = None,
    settings: SetOption = [],
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """List every rule in the order in which they are asked, its limit, where that was set, and what it is for.

    A limit that a person has changed by `natya risk set` is listed as it is in force, with who did it and why. Where
    the system began with other settings than these, a note says so: `natya risk show` has the limits in force.
    """
    from msgspec.structs import asdict

    from ...actors.orders import OrdersActorSettings
    from ...actors.orders.limits_in_force import values_of, with_held
    from ...actors.orders.rules import RULES, is_on, limit_of, meaning_of, settings_of
    from ..views.risk import OFF, limits_json, limits_table, told_otherwise
    from ..views.tables import show

    own = {} if data_dir is None else {"system.data_dir": str(data_dir)}
    loaded = load(profile.value, own | assignments(settings), config=config)
    configured = OrdersActorSettings.of(loaded.settings.orders, strategies=loaded.settings.strategies)
    held, written = limits_of_journal(loaded.settings)
    limits, ended = with_held(configured, held)
    if told := told_otherwise(values_of(limits), written):
        where = loaded.settings.system.data_dir
        note(f"natya: the system in {where} began with {told}: natya risk show tells what is in force")
    by_person = {name: f"{each.person}: {each.reason}" for name, each in held.items() if name not in ended}
    rows = [
        {
            "rule": rule.__name__,
            "limit": limit_of(rule, limits) if is_on(rule, limits) else OFF,
            "origin": ", ".join(
                dict.fromkeys(
                    by_person.get(name, loaded.origins[key])
                    for name in settings_of(rule)
                    if (key := f"orders.{name}") in loaded.origins
                )
            ),
            "meaning": meaning_of(rule),
        }
        for rule in RULES
    ]
    rows += [
        {
            "rule": name,
            "limit": f"{limit:,.15g}",
            "origin": by_person.get("instruments", loaded.origins["orders.instruments"]),
            "meaning": f"Of {symbol}.",
        }
        for symbol, own in limits.instruments.items()
        for name, limit in asdict(own).items()
        if limit is not None
    ]
    tell_answer(limits_json(rows), lambda: show(limits_table(rows), whole=True), json=json)
