"""How counts are said to a person. Imports nothing: the command line says its first word without loading a room."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Say how many there are of something: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
