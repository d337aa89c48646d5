"""Paths at which DuckDB can have a database: it interprets some characters of a path as syntax."""

from __future__ import annotations


def path_problem(path: str) -> str:
    """Return why a database cannot be at this path; empty if it can."""
    if "?" in path:
        return "DuckDB takes what follows a question mark for options; a path without one is wanted"
    if "\\" in path:
        return "DuckDB takes a backslash for a slash; a path without one is wanted"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "DuckDB takes names in UTF-8 only"
    return ""
