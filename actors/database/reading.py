"""What a SELECT reads, told from its syntax tree: which tables, through which functions, out of which files.

DuckDB gives the tree as JSON (`json_serialize_sql`, 0.4 ms). Two decisions rest on it. Whether the text may run at all:
a table function reads files, and one that opens our own database file and closes it drops DuckDB's POSIX lock on it, so
that another process could write to it. And whether its answer may be kept: only if it can follow from nothing but
tables whose writes we see.
"""

from __future__ import annotations

import functools
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import msgspec

from .cache import Table
from .errors import QueryRefused
from .migrations import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...messages.database import SqlValue

Node: TypeAlias = dict[str, Any]

TEXTS_MAX = 1_024
ASKED_MIN = 2
_FILES = frozenset(FILES)

_PURE_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})

_CATALOG_FUNCTIONS = frozenset(
    {"duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions", "duckdb_indexes"}
    | {"duckdb_keywords", "duckdb_memory", "duckdb_schemas", "duckdb_settings", "duckdb_tables", "duckdb_triggers"}
    | {"duckdb_types", "duckdb_views", "pragma_database_size", "pragma_table_info", "pragma_version"}
)
"""They tell about the instance and touch nothing; what they tell can change without a write."""

_FILE_FUNCTIONS = frozenset(
    {"read_parquet", "parquet_scan", "parquet_schema", "parquet_metadata", "parquet_file_metadata"}
    | {"read_csv", "read_csv_auto", "sniff_csv", "read_json", "read_json_auto", "read_ndjson", "read_ndjson_auto"}
    | {"read_text", "read_blob", "glob"}
)

_VALUES_OF_A_SESSION = frozenset(
    {"current_catalog", "current_database", "current_date", "current_role", "current_schema", "current_time"}
    | {"current_timestamp", "current_user", "localtime", "localtimestamp", "session_user", "user"}
)
"""Written like columns; DuckDB calls a function if no column has the name."""

_SAME_WHILE_CONFIGURED = frozenset(
    {"+", "-", "century", "date_diff", "date_part", "date_sub", "date_trunc", "datediff", "datepart", "datesub"}
    | {"datetrunc", "day", "dayname", "dayofmonth", "dayofweek", "dayofyear", "decade", "era", "generate_series"}
    | {"hour", "isodow", "isoyear", "julian", "last_day", "microsecond", "millennium", "millisecond", "minute", "month"}
    | {"monthname", "quarter", "range", "second", "strftime", "time_bucket", "week", "weekday", "weekofyear", "year"}
    | {"yearweek"}
)
"""DuckDB calls them constant within a query: they depend on the time zone, which is locked like every setting."""

_TABLE_REFERENCES = frozenset(
    {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "SELECT_NODE"}
)

# A user's macro may have the name of any function: what we ask is asked of the engine's own.
_NAMED = """
select database_name, system.main.lower(table_name) as name from duckdb_tables()
where name in (select unnest(?::varchar[]))
union all
select '', system.main.lower(view_name) as name from duckdb_views() where name in (select unnest(?::varchar[]))
"""
_SERIALIZED = "select system.main.json_serialize_sql(?)"
_MACROS = "select function_name from duckdb_functions() where not internal"
"""10 ms: asked once after each write that may have made one."""

_PATTERN_STARTS = "*?[{"
_FILE_MARKS = "./\\" + _PATTERN_STARTS


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one SELECT reads."""

    tables: frozenset[str]
    """Names that stand where a table stands, in lower case, without what qualifies them."""

    local: frozenset[str]
    """Names that the text itself gives to queries (WITH)."""

    functions: frozenset[str]
    repeatable: bool
    """Nothing but tables and functions can change the answer."""

    files: tuple[str | int, ...] = ()
    """Files and patterns it reads: as text, or as the number of the parameter that holds it, from 1."""

    def paths(self, parameters: Sequence[SqlValue]) -> Iterator[str]:
        """Give the files and patterns, with the values of the parameters."""
        for file in self.files:
            yield file if isinstance(file, str) else _parameter(parameters, file)


class Known(msgspec.Struct):
    """What is known of a text that was asked before."""

    reading: Reading
    asked: int = 0
    """How often since `changed`; only from the second time on is it worth to find out what its names stand for."""

    changed: int = 0
    """The number of the last write that may have changed that, as of the last time it was asked."""

    tables: frozenset[Table] | None = None
    resolved: int = -1
    """The number of the cache's counter at which `tables` was found out; -1 for never."""


class Readings:
    """Remembers what texts read, `TEXTS_MAX` of them. Any thread may call.

    Args:
        own_files: paths that no query may open.
    """

    def __init__(self, own_files: Sequence[str]) -> None:
        self._own_files = [os.path.realpath(path) for path in own_files]
        self._guard = threading.Lock()
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._shadowed = False
        self._shadowed_as_of = -1

    def look(self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[SqlValue]) -> Known:
        """Tell what a text reads that is one SELECT, and refuse what no query may read.

        Raises:
            QueryRefused: it may read a file of the database itself, or calls a table function that is not for queries.
        """
        with self._guard:
            known = self._known.get(sql)
        if known is None:
            known = Known(reading=reading_of(cursor, sql))
        for path in known.reading.paths(parameters):
            _refuse_own(path, self._own_files)
        with self._guard:
            known.asked += 1
            self._known[sql] = known
            self._known.move_to_end(sql)
            if len(self._known) > TEXTS_MAX:
                self._known.popitem(last=False)
        return known

    def tables(
        self, cursor: duckdb.DuckDBPyConnection, known: Known, *, began: int, changed: int
    ) -> frozenset[Table] | None:
        """Tell which tables an answer follows from, and nothing else; None if that is not certain.

        Args:
            cursor: in the transaction of the answer.
            known: what its text reads.
            began: the cache's number before that transaction.
            changed: the number of the last write that may have changed which tables there are.
        """
        if known.changed != changed:
            known.changed, known.asked = changed, 1
        if known.asked < ASKED_MIN or not known.reading.repeatable:
            return None
        if known.resolved < changed or known.resolved < 0:
            is_shadowed = self._is_shadowed(cursor, began=began, changed=changed)
            known.tables, known.resolved = None if is_shadowed else self._resolve(cursor, known.reading), began
        return known.tables

    def _is_shadowed(self, cursor: duckdb.DuckDBPyConnection, *, began: int, changed: int) -> bool:
        """Tell whether a macro has the name of a function of the engine: any answer may follow from anything then.

        Operators and casts call functions, too, which no text names.
        """
        if self._shadowed_as_of < changed or self._shadowed_as_of < 0:
            macros = {name.lower() for (name,) in cursor.execute(_MACROS).fetchall()}
            self._shadowed, self._shadowed_as_of = not macros.isdisjoint(_functions()), began
        return self._shadowed

    def _resolve(self, cursor: duckdb.DuckDBPyConnection, reading: Reading) -> frozenset[Table] | None:
        """Every table that has one of the names counts, whatever qualifies it: one too many does no harm."""
        if not reading.functions <= _stable_functions():
            return None
        names = list(reading.tables)
        rows = cursor.execute(_NAMED, [names, names]).fetchall()
        if any(file not in _FILES for file, _ in rows):
            return None  # a view may call anything, and other files may be written to by others
        found = {name for _, name in rows}
        if not reading.tables - found <= reading.local:
            return None
        return frozenset((file, name) for file, name in rows)


def reading_of(cursor: duckdb.DuckDBPyConnection, sql: str) -> Reading:
    """Tell what a text reads that is known to be one SELECT.

    Raises:
        QueryRefused: it reads through a function that may do more than read tables and named files.
    """
    ((text,),) = cursor.execute(_SERIALIZED, [sql]).fetchall()
    try:
        tree = msgspec.json.decode(text)
    except RecursionError as depth:
        raise QueryRefused("a SELECT that can be looked into is wanted, this is nested too deeply") from depth
    if tree["error"]:
        # Wrong SQL: what DuckDB says when it runs is the better answer. What it runs and cannot show is refused.
        raise QueryRefused(f"a SELECT that can be looked into is wanted: {tree['error_message']}")
    return look_into(tree["statements"])


def look_into(statements: Any) -> Reading:
    """Read the syntax tree."""
    tables: set[str] = set()
    local: set[str] = set()
    functions: set[str] = set()
    files: list[str | int] = []
    repeatable = True
    for node in _nodes(statements):
        kind = node.get("type")
        if "cte_map" in node:
            local |= {entry["key"].lower() for entry in node["cte_map"]["map"]}
        if "sample" in node and (kind not in _TABLE_REFERENCES or node["sample"] or node.get("at_clause")):
            repeatable = False
        match node.get("class"), kind:
            case _, "BASE_TABLE":
                tables.add(_table(node))
            case _, "TABLE_FUNCTION":
                name = _function(node["function"])
                files += _files(name, node["function"]["arguments"])
                repeatable = repeatable and name in _PURE_TABLE_FUNCTIONS
            case "COLUMN_REF", _:
                repeatable = repeatable and node["column_names"][-1].lower() not in _VALUES_OF_A_SESSION
            case (("FUNCTION" | "WINDOW"), _):
                functions.add(_function(node))
    return Reading(
        tables=frozenset(tables),
        local=frozenset(local),
        functions=frozenset(functions),
        repeatable=repeatable,
        files=tuple(files),
    )


def _refuse_own(path: str, own_files: Sequence[str]) -> None:
    """Raise `QueryRefused` if the path, or a match of the pattern, may be one of these; DuckDB judges all others."""
    if "\0" in path:
        raise QueryRefused(f"a path wanted, found {path!r}")
    end = min((path.find(mark) for mark in _PATTERN_STARTS if mark in path), default=len(path))
    fixed = os.path.realpath(path) if end == len(path) else _folder(path[:end])
    if any(own == fixed if end == len(path) else own.startswith(fixed) for own in own_files):
        raise QueryRefused(f"{path} may be a file of the database itself: ask for its tables")


@functools.cache
def _functions() -> dict[str, bool]:
    """List the functions of this engine, and whether their value follows from their arguments: 16 ms, once."""
    with duckdb.connect() as engine:
        rows = engine.execute(
            "select function_name, bool_and(stability is not distinct from 'CONSISTENT') from duckdb_functions()"
            " group by all"
        ).fetchall()
    return {name.lower(): bool(is_stable) for name, is_stable in rows}


@functools.cache
def _stable_functions() -> frozenset[str]:
    """List those whose value follows from their arguments and the tables."""
    return frozenset(name for name, is_stable in _functions().items() if is_stable) | _SAME_WHILE_CONFIGURED


def _nodes(tree: Any) -> Iterator[Node]:
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case dict() as node:
                yield node
                waiting += node.values()
            case list() as several:
                waiting += several


def _table(node: Node) -> str:
    name: str = node["table_name"].lower()
    if any(mark in name for mark in _FILE_MARKS):
        raise QueryRefused(f"a table wanted, found {name}: files are read through read_parquet, read_csv or read_json")
    return name


def _function(node: Node) -> str:
    name: str = node["function_name"].lower()
    return name


def _files(function: str, arguments: list[Node]) -> list[str | int]:
    """Tell what a table function reads, which must stand in the text or in a parameter."""
    if function in _PURE_TABLE_FUNCTIONS or function in _CATALOG_FUNCTIONS:
        return []
    if function not in _FILE_FUNCTIONS:
        raise QueryRefused(f"the table function {function} is not for queries")
    files: list[str | int] = []
    for argument in arguments:
        match argument:
            case {"name": name} if name:  # an option, `filename := true`
                continue
            case {"expression": {"type": "COMPARE_EQUAL", "left": {"class": "COLUMN_REF"}}}:  # `filename = true`
                continue
            case {"expression": {"class": "FUNCTION", "function_name": "list_value", "arguments": listed}}:
                files += [_file(function, each["expression"]) for each in listed]
            case {"expression": expression}:
                files.append(_file(function, expression))
    return files


def _file(function: str, expression: Node) -> str | int:
    match expression:
        case {"class": "CONSTANT", "literal": {"kind": "STRING", "text": str(text)}}:
            return text
        case {"class": "PARAMETER", "identifier": str(number)} if number.isdecimal():
            return int(number)
        case _:
            raise QueryRefused(f"{function} takes its files as texts or numbered parameters, found {expression}")


def _parameter(parameters: Sequence[SqlValue], number: int) -> str:
    value = parameters[number - 1] if number <= len(parameters) else None
    if not isinstance(value, str):
        raise QueryRefused(f"parameter {number} must be a path, was {value!r}")
    return value


def _folder(path: str) -> str:
    """Resolve the folder that a pattern begins with; keep what follows it."""
    folder, _, rest = path.rpartition("/")
    return f"{os.path.realpath(folder or '.')}/{rest}"
