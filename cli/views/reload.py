"""The outcome of reading the settings anew, as text and JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...messages.settings import ReloadRefused

if TYPE_CHECKING:
    from ...messages.settings import SettingsReloaded

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""


def reload_lines(answer: SettingsReloaded | ReloadRefused) -> list[str]:
    """Return it in lines."""
    if isinstance(answer, ReloadRefused):
        return ["the settings in force stay:", *answer.problems]
    return [f"{each.key}: {each.before} -> {each.after}" for each in answer.changes] or ["no setting has changed"]


def reload_json(answer: SettingsReloaded | ReloadRefused, *, applied: bool) -> dict[str, Any]:
    """Return all of it."""
    if isinstance(answer, ReloadRefused):
        return {"schema": SCHEMA, "applied": False, "changes": [], "problems": list(answer.problems)}
    changes = [{"key": each.key, "before": each.before, "after": each.after} for each in answer.changes]
    return {"schema": SCHEMA, "applied": applied and bool(changes), "changes": changes, "problems": []}
