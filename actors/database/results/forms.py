"""How SQL types are stored in a Parquet file and shown: as numbers, texts or JSON, exactly."""

from __future__ import annotations

import re
from typing import Final

from ..queries.statements import PLAIN_TYPES

INLINE_ROWS_MAX: Final = 500
INLINE_CHARACTERS_MAX: Final = 1 << 17
"""Rows, and characters of all texts, of the largest answer without a file: the trading process encodes it in one go."""

_EXACT: Final = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
    | {"FLOAT", "DOUBLE", "VARCHAR", "BLOB", "UUID", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NS"}
    | {"TIMESTAMP WITH TIME ZONE"}
)
"""Types that Parquet gives back as they were; so it does decimals, and lists, structs and maps of all of them."""

_HUGE: Final = frozenset({"HUGEINT", "UHUGEINT"})
_MOMENTS: Final = frozenset({"DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"})
"""Fetched as objects they lose nanoseconds, and infinity becomes the year 9999."""

_INLINE: Final = (
    PLAIN_TYPES | _HUGE | frozenset({"UBIGINT", "BLOB", "UUID", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_NS"})
)
"""Types whose values are restored exactly from their texts. Times with a zone are not: the text has the zone of its
reader."""

_NOT_IN_PARQUET: Final = ("HUGEINT", "BIT", "TIME WITH TIME ZONE", "UNION(", "TUPLE(", "ENUM(", "BIGNUM", "VARIANT")
_NO_NUMBERS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')


def quoted_name(name: str) -> str:
    """Write an identifier as SQL does."""
    return '"' + name.replace('"', '""') + '"'


def is_nested(kind: str) -> bool:
    """Tell whether values of a type hold others."""
    return kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(", "UNION(", "TUPLE(")) or kind == "VARIANT"


def is_json(kind: str) -> bool:
    """Whether values of a type are shown as JSON."""
    return is_nested(kind) or kind == "JSON"


def stored(name: str, kind: str) -> str:
    """Select a column as something that Parquet has."""
    column = quoted_name(name)
    if is_nested(kind):
        return f"to_json({column})::varchar as {column}" if _is_stored_as_json(kind) else column
    return column if kind in _EXACT or kind.startswith("DECIMAL(") else f"{column}::varchar as {column}"


def restored(name: str, kind: str) -> str:
    """Select a column of such a file as it was, where there is a type for that."""
    column = quoted_name(name)
    return f"{column}::{kind} as {column}" if kind in _HUGE else column


def told(name: str, kind: str) -> str:
    """Select a column of such a file as numbers and texts: times in ISO 8601, nested values as JSON."""
    column = quoted_name(name)
    if is_nested(kind):
        return column if _is_stored_as_json(kind) else f"to_json({column})::varchar as {column}"
    if kind in _MOMENTS:
        return rf"regexp_replace({column}::varchar, '^(\S+\d) (\d)', '\1T\2') as {column}"
    return restored(name, kind)


def is_inline(kind: str) -> bool:
    """Tell whether values of a type, as `told` shows them, may stand for a file: `rebuilt` has them back."""
    return kind in _INLINE or kind.startswith("DECIMAL(")


def rebuilt(name: str, kind: str) -> str:
    """Select a column as such a file has it, from a list of its values as they were told: the one parameter."""
    column = quoted_name(name)
    if kind == "BLOB":
        return f"unhex(unnest(?::varchar[])) as {column}"
    if kind in _HUGE:
        return f"unnest(?::varchar[]) as {column}"
    return f"unnest(?::{kind if kind in PLAIN_TYPES else 'varchar'}[])::{kind} as {column}"


def is_told_plainly(kind: str) -> bool:
    """Tell whether what `told` selects is fetched as a number or a text."""
    return kind in PLAIN_TYPES or kind in _MOMENTS or (kind not in _EXACT | _HUGE and not kind.startswith("DECIMAL("))


def json_of(text: str) -> str:
    """Make the engine's JSON proper: it writes Infinity and NaN as if they were numbers. They are texts."""
    if "Infinity" not in text and "NaN" not in text:
        return text
    return _NO_NUMBERS.sub(lambda found: found[0] if found[0].startswith('"') else f'"{found[0]}"', text)


def _is_stored_as_json(kind: str) -> bool:
    return any(name in kind for name in _NOT_IN_PARQUET)
