"""Which secrets are set, for people and programs; never a value, nor its length."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from ...config.errors import SettingsError
from ...config.keys import SECRET_KEYS
from ...config.loader import load_with_origins
from ...config.secret_files import SecretUnfitError
from ...domain.time import second_text
from ..secret_outcomes import SCHEMA
from ..terminal import plain
from .columns import lined

if TYPE_CHECKING:
    from rich.table import Table

    from ...config.keepers import Kind
    from ...config.secret_folder import SecretFolder
    from ..secret_outcomes import Tried


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One secret of the settings."""

    key: str
    is_set: bool
    origin: str
    """Where the one in force comes from; empty: there is none, or the settings are refused."""

    kept_since_ns: int | None
    """When it was kept in the folder; None: it is not."""

    kept_by: str = ""
    """`files`, `age` or `keyring`; empty: it is not kept, or cannot be looked at."""

    problem: str = ""
    """Why the one in the folder cannot be used."""


def rows(folder: SecretFolder, profile: str, *, config: Path | None) -> list[Row]:
    """Look at all; settings that are refused are no reason to show nothing."""
    try:
        overrides = {"system.data_dir": str(folder.path.parent)}
        loaded = load_with_origins(
            profile, config=config, environment=os.environ, overrides=overrides, locked_left_out=True, only_looks=True
        )
    except SettingsError:
        loaded = None
    found = []
    kinds = _kinds(folder)
    for key in sorted(SECRET_KEYS):
        section, _, name = key.partition(".")
        version, problem = folder.version(key), ""
        try:
            kept = folder.read(key)
        except SecretUnfitError as fault:
            kept, problem = None, str(fault)
        in_force = kept if loaded is None else getattr(getattr(loaded.settings, section), name)
        found.append(
            Row(
                key=key,
                is_set=bool(in_force),
                origin=loaded.origins[key] if loaded is not None and in_force else "",
                kept_since_ns=None if version is None else version[1],
                kept_by=kinds.get(key, ""),
                problem=problem,
            )
        )
    return found


def _kinds(folder: SecretFolder) -> dict[str, Kind]:
    try:
        return folder.kinds()
    except SecretUnfitError:
        return {}


def as_json(found: list[Row]) -> dict[str, Any]:
    """Return all of it."""
    return {"schema": SCHEMA, "secrets": found}


def tried_json(found: Tried) -> dict[str, Any]:
    """Return all of it."""
    return {"schema": SCHEMA, **msgspec.structs.asdict(found)}


def as_table(found: list[Row]) -> Table:
    """Return a line a secret."""
    table = lined("secret", "", "kept since", "kept by", "from")
    for each in found:
        state = Text("unfit", "red") if each.problem else "set" if each.is_set else "-"
        since = "" if each.kept_since_ns is None else second_text(each.kept_since_ns)
        table.add_row(each.key, state, since, each.kept_by, plain("see below" if each.problem else each.origin))
    return table


def problems(found: list[Row]) -> list[str]:
    """Return a line for each that cannot be used: too long for a column."""
    return [f"{each.key}: {each.problem}" for each in found if each.problem]
