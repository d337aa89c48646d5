"""Spans of whole numbers, from a first one to before an end: what several cover together, and what is left (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""The first, and the one behind the last; nothing where that is not greater. Of times, or of days."""


def united(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Put spans together that touch, in their order; those of nothing are left out."""
    found: list[Span] = []
    for first, end in sorted(span for span in spans if span[0] < span[1]):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((first, end))
    return tuple(found)


def without(spans: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of spans, in their order, where others are taken out of them."""
    gone = united(taken)
    found: list[Span] = []
    for first, end in spans:
        left = first
        for since, until in gone:
            found.append((left, min(since, end)))
            left = max(left, until)
        found.append((left, end))
    return tuple(span for span in found if span[0] < span[1])
