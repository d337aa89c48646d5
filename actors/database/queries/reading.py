"""What a SELECT reads, told from its syntax tree: which tables, through which functions.

DuckDB gives the tree as JSON (`json_serialize_sql`, 0.4 ms). Two decisions rest on it. Whether the text may run at all:
no query opens a file. One that opens our own database file, by whatever spelling, and closes it drops DuckDB's POSIX
lock on it, and another process could write to it. So a query names tables, and calls functions of a list, and its tree
has nothing in it that is not known here. And whether its answer may be kept: only if it can follow from nothing but
tables whose writes we see.
"""

from __future__ import annotations

import functools
import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import msgspec

from ..errors import QueryRefused
from ..tables.archive_folder import NAME
from ..tables.migrations import FILES
from .bounds import COLUMN_BYTES, expect_bounded
from .cache import Table
from .functions import FUNCTIONS, TABLE_FUNCTIONS, TABLE_FUNCTIONS_OF_ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ....messages.database import SqlValue

Node: TypeAlias = dict[str, Any]

TEXTS_MAX = 1_024
ASKED_MIN = 2
_FILES = frozenset(FILES)

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

_VIEWS = """
select system.main.lower(view_name), sql from duckdb_views()
where not internal and system.main.lower(view_name) in (select unnest(?::varchar[]))
"""
_NAME = r'(?:\w+|"[^"]+")'
_VIEW = re.compile(
    rf"CREATE VIEW (?:{_NAME}\.)*{_NAME}(?: \({_NAME}(?:, {_NAME})*\))? AS (\(*(?:SELECT|FROM|WITH)\b.*);", re.DOTALL
)
"""As DuckDB writes them down."""

_FILE_MARKS = "./\\*?[{:"
"""DuckDB takes a table that is not there for a file, if its name has an ending."""

_QUALIFIERS = frozenset({"core", "market", "main", "temp", "system", "information_schema", "pg_catalog"})

_EXPRESSIONS = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA"}
    | {"OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"}
)
_OTHER_NODES = frozenset(
    {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}
    | {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
    | {"DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER"}
    | {"ASCENDING", "DESCENDING", "ORDER_DEFAULT"}
)
"""What may stand in a tree: INSERT stands in a WITH, too, and another engine may know more."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one SELECT reads."""

    tables: frozenset[str]
    """Names that stand where a table stands, in lower case, without what qualifies them."""

    local: frozenset[str]
    """Names that the text itself gives to queries (WITH)."""

    functions: frozenset[str]
    repeatable: bool
    """Nothing but tables and functions can change the answer."""

    table_functions: frozenset[str] = frozenset()
    by_parameters: bool = False
    """Whether it may run depends on the values of its parameters."""

    @property
    def calls(self) -> frozenset[str]:
        """Functions of any kind."""
        return self.functions | self.table_functions


class Known(msgspec.Struct):
    """What is known of a text that was asked before."""

    reading: Reading
    looked_up: int = -1
    """The number of the cache's counter at which its names were looked up in the catalog; -1 for never."""

    asked: int = 0
    """How often since `changed`; only from the second time on is it worth to find out what its names stand for."""

    changed: int = 0
    """The number of the last write that may have changed that, as of the last time it was asked."""

    tables: frozenset[Table] | None = None
    resolved: int = -1
    """The number of the cache's counter at which `tables` was found out; -1 for never."""


class Readings:
    """Remembers what texts read, `TEXTS_MAX` of them. Any thread may call."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._macros: frozenset[str] = frozenset()
        self._macros_as_of = -1

    def look(
        self,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        parameters: Sequence[SqlValue],
        *,
        began: int,
        changed: int,
    ) -> Known:
        """Tell what a text reads that is one SELECT, and refuse what no query may.

        Args:
            cursor: in the transaction of the answer.
            sql: the text.
            parameters: its values.
            began: the cache's number before that transaction.
            changed: the number of the last write that may have changed which tables, views and macros there are.

        Raises:
            QueryRefused: it calls a function that is not for queries, reads what may be a file, or can grow beyond
                bounds in one step.
        """
        with self._guard:
            known = self._known.get(sql)
        if known is None:
            known = Known(reading=reading_of(cursor, sql, parameters))
        elif known.reading.by_parameters or any(map(_is_long, parameters)):
            reading_of(cursor, sql, parameters)
        if known.looked_up < changed or known.looked_up < 0:
            self._look_up(cursor, known.reading, began=began, changed=changed)
            known.looked_up = began
        with self._guard:
            known.asked += 1
            self._known[sql] = known
            self._known.move_to_end(sql)
            if len(self._known) > TEXTS_MAX:
                self._known.popitem(last=False)
        return known

    def _look_up(self, cursor: duckdb.DuckDBPyConnection, reading: Reading, *, began: int, changed: int) -> None:
        """See that no name stands for more than it says: a view may call anything, and a macro be called like any."""
        macros = self._macros_of(cursor, began=began, changed=changed)
        waiting, seen = [reading], set(reading.tables)
        while waiting:
            now = waiting.pop()
            if shadowed := sorted(now.calls & macros):
                raise QueryRefused(f"a function of the engine wanted, found a macro of the name {shadowed[0]}")
            for name, sql in cursor.execute(_VIEWS, [list(now.tables)]).fetchall():
                below = self._view(cursor, name, sql)
                waiting.append(msgspec.structs.replace(below, tables=below.tables - seen))
                seen |= below.tables

    def _view(self, cursor: duckdb.DuckDBPyConnection, name: str, sql: str) -> Reading:
        written = _VIEW.fullmatch(sql)
        if written is None:
            raise QueryRefused(f"a view that can be looked into is wanted, {name} is not")
        return reading_of(cursor, written[1], is_view=True)

    def _macros_of(self, cursor: duckdb.DuckDBPyConnection, *, began: int, changed: int) -> frozenset[str]:
        if self._macros_as_of < changed or self._macros_as_of < 0:
            self._macros = frozenset(name.lower() for (name,) in cursor.execute(_MACROS).fetchall())
            self._macros_as_of = began
        return self._macros

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
            # Operators and casts call functions, too, which no text names.
            is_shadowed = not self._macros_of(cursor, began=began, changed=changed).isdisjoint(_functions())
            known.tables, known.resolved = None if is_shadowed else self._resolve(cursor, known.reading), began
        return known.tables

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


def reading_of(
    cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[SqlValue] = (), *, is_view: bool = False
) -> Reading:
    """Tell what a text reads that is known to be one SELECT.

    Raises:
        QueryRefused: there is something in it that is not for queries, or it can grow beyond bounds in one step.
    """
    ((text,),) = cursor.execute(_SERIALIZED, [sql]).fetchall()
    try:
        tree = msgspec.json.decode(text)
        if tree["error"]:
            # Wrong SQL: what DuckDB says when it runs is the better answer. What it runs and cannot show is refused.
            raise QueryRefused(f"a SELECT that can be looked into is wanted: {tree['error_message']}")
        reading = look_into(tree["statements"], is_view=is_view)
        by_parameters = expect_bounded(tree["statements"], parameters)
    except RecursionError as depth:
        raise QueryRefused("a SELECT that can be looked into is wanted, this is nested too deeply") from depth
    return msgspec.structs.replace(reading, by_parameters=by_parameters)


def look_into(statements: Any, *, is_view: bool = False) -> Reading:
    """Read the syntax tree.

    Args:
        statements: as the engine writes them down.
        is_view: it is one, and may read archived days.

    Raises:
        QueryRefused: there is something in it that is not for queries.
    """
    tables: set[str] = set()
    local: set[str] = set()
    functions: set[str] = set()
    table_functions: set[str] = set()
    repeatable = True
    for node in _nodes(statements):
        kind = node.get("type")
        _expect_known(node)
        if "cte_map" in node:
            local |= {entry["key"].lower() for entry in node["cte_map"]["map"]}
        if "sample" in node and (kind not in _TABLE_REFERENCES or node["sample"] or node.get("at_clause")):
            repeatable = False
        match node.get("class"), kind:
            case None, "BASE_TABLE":
                tables.add(_table(node))
            case None, "SHOW_REF":
                _expect_no_file(node["table_name"].strip('"').lower())
                repeatable = False
            case None, "TABLE_FUNCTION":
                name = _table_function(node["function"], is_view=is_view)
                table_functions.add(name)
                repeatable = repeatable and name in TABLE_FUNCTIONS_OF_ARGUMENTS
            case "COLUMN_REF", _:
                repeatable = repeatable and node["column_names"][-1].lower() not in _VALUES_OF_A_SESSION
            case (("FUNCTION" | "WINDOW"), _):
                functions.add(node["function_name"].lower())
    if refused := sorted(functions - FUNCTIONS - table_functions):
        raise QueryRefused(f"the function {refused[0]} is not for queries")
    return Reading(
        tables=frozenset(tables),
        local=frozenset(local),
        functions=frozenset(functions),
        repeatable=repeatable,
        table_functions=frozenset(table_functions),
    )


def _expect_known(node: Node) -> None:
    """Refuse what nobody has thought about."""
    kind, expression = node.get("type"), node.get("class")
    if expression is not None:
        if expression not in _EXPRESSIONS:
            raise QueryRefused(f"{expression} is not for queries")
    elif isinstance(kind, str) and kind not in _OTHER_NODES and not kind.endswith("_TYPE_INFO"):
        raise QueryRefused(f"{kind} is not for queries")
    if node.get("at_clause"):
        raise QueryRefused("AT is not for queries: the tables have no versions")


def _table(node: Node) -> str:
    name: str = node["table_name"].lower()
    path = [part.lower() for part in node["qualified_name"]["path"]]
    for part in (name, *path):
        _expect_no_file(part)
    if not _QUALIFIERS.issuperset(path[:-1]):
        raise QueryRefused(f"a table of core or market wanted, found {'.'.join(path)}")
    return name


def _expect_no_file(name: str) -> None:
    if any(mark in name for mark in _FILE_MARKS):
        raise QueryRefused(f"a table wanted, found {name}: queries read no files")


def _table_function(function: Node, *, is_view: bool) -> str:
    name: str = function["function_name"].lower()
    if name in TABLE_FUNCTIONS:
        return name
    if is_view and name == "read_parquet" and all(_is_archived(each) for each in function["arguments"]):
        return name
    raise QueryRefused(f"the table function {name} is not for queries")


def _is_archived(argument: Node) -> bool:
    """Tell whether a view reads days of our own archive there, or says how."""
    match argument:
        case {"name": "filename" | "union_by_name" | "hive_partitioning"}:
            return True
        case {"expression": {"class": "CONSTANT", "literal": {"kind": "STRING", "text": str(path)}}}:
            folders = path.split("/")
            # The engine opens it only below folders of ours, and says so where the files were moved without it.
            return NAME in folders and ".." not in folders and path.endswith(".parquet")
        case {"expression": {"class": "FUNCTION", "function_name": "list_value", "arguments": listed}}:
            return all(map(_is_archived, listed))
        case {"expression": {"type": "COMPARE_EQUAL", "left": {"class": "COLUMN_REF"}, "right": {"class": "CONSTANT"}}}:
            return True
        case _:
            return False


def _is_long(value: SqlValue) -> bool:
    return isinstance(value, str | bytes) and len(value) > COLUMN_BYTES


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
