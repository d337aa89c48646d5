"""Quoting: texts inside SQL where no parameter may stand. Pure."""

from __future__ import annotations

import re


def quoted(text: str) -> str:
    """Write a text as SQL does, where no parameter may stand: in ATTACH, COPY and CREATE VIEW."""
    return "'" + text.replace("'", "''") + "'"


def pattern(path: str) -> str:
    """Write a path as a pattern that is matched by this path alone, for functions of DuckDB that take patterns."""
    return re.sub(r"[*?[]", r"[\g<0>]", path)


def unescaped(path: str) -> str:
    """Read such a pattern as the path it stands for."""
    return re.sub(r"\[([*?[])\]", r"\1", path)
