"""Finds what a SELECT reads from its syntax tree: which tables, through which functions.

DuckDB gives the tree as JSON (`json_serialize_sql`, 0.4 ms). Whether the text may run at all rests on it: no query
opens a file. One that opens our own database file, by whatever spelling, and closes it drops DuckDB's POSIX lock on it,
and another process could write to it. So a query names tables, and calls functions of a list, and its tree has nothing
in it that is not known here.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from ..errors import QueryRefused
from ..tables.archive_folder import NAME
from .bounds import COLUMN_BYTES, expect_bounded
from .functions import FUNCTIONS, TABLE_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import duckdb

    from ....messages.database import SqlValue

T = TypeVar("T")
Node: TypeAlias = dict[str, Any]

TEXTS_MAX = 1_024
NEVER: Final = -1

# A user's macro may have the name of any function: our own queries name the schema `system.main`.
_SERIALIZED = "select system.main.json_serialize_sql(?)"
_MACROS = "select function_name from duckdb_functions() where not internal"
"""10 to 20 ms, whatever is asked of them: once after each definition, for a text that calls a function."""

_VIEWS = "select system.main.lower(view_name), sql from duckdb_views() where not internal"
"""3 ms, for some of them or all: once after each definition."""

_NAME = r'(?:\w+|"[^"]+")'
_VIEW = re.compile(
    rf"CREATE VIEW (?:{_NAME}\.)*{_NAME}(?: \({_NAME}(?:, {_NAME})*\))? AS (\(*(?:SELECT|FROM|WITH)\b.*);", re.DOTALL
)
"""A view's definition, as DuckDB shows it."""

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
"""Kinds of nodes that may be in a tree: others are refused, such as an INSERT in a WITH, or what a later DuckDB
adds."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one SELECT reads."""

    tables: frozenset[str]
    """Names that stand where a table stands, in lower case, without what qualifies them."""

    functions: frozenset[str]
    table_functions: frozenset[str] = frozenset()
    by_parameters: bool = False
    """Whether the permission to run depends on the values of its parameters."""

    @property
    def calls(self) -> frozenset[str]:
        """Functions of any kind."""
        return self.functions | self.table_functions


class Known(msgspec.Struct):
    """What is known of a query text that was seen before."""

    reading: Reading
    looked_up: int = NEVER
    """Count of definitions at which its names were looked up in the catalog."""


class Noted(Generic[T]):
    """What was found in the catalog, and at which count of definitions."""

    def __init__(self, value: T, as_of: int) -> None:
        self.value, self.as_of = value, as_of


class Views(msgspec.Struct, frozen=True):
    """The views of both files by name: two schemas may have one of the same name each."""

    texts: Mapping[str, Sequence[str]]
    readings: dict[str, Reading]
    """By text, of those that were looked into so far."""


class Readings:
    """Remembers what texts read, `TEXTS_MAX` of them. Any thread may call.

    What a name stands for can change only where something is defined. So definitions are counted, and names looked up
    again after the next one: `changing` surrounds it from before its first statement until it is committed.
    """

    def __init__(self, *, of_new_files: bool) -> None:
        """Begin, before anything was asked; of files that are yet to be made it is known that they hold no macro."""
        self._guard = threading.Lock()
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._definitions = self._changing = 0
        self._macros: Noted[frozenset[str]] = Noted(frozenset(), self._definitions if of_new_files else NEVER)
        self._views = Noted(Views({}, {}), NEVER)

    @contextlib.contextmanager
    def changing(self, *, macros: bool) -> Iterator[None]:
        """Surround a statement that may define or drop tables or views, with `macros` also macros."""
        with self._guard:
            self._changing += 1
        try:
            yield
        finally:
            with self._guard:
                self._changing -= 1
                self._definitions += 1
                if not macros and self._macros.as_of == self._definitions - 1:
                    self._macros.as_of = self._definitions

    def now(self) -> int:
        """Return the count of definitions so far, to be read before a transaction; `NEVER` while one is under way."""
        with self._guard:
            return NEVER if self._changing else self._definitions

    def look(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[SqlValue], *, as_of: int = NEVER
    ) -> None:
        """Refuse what no query may read, of a text that is one SELECT.

        Args:
            cursor: in the transaction of the answer.
            sql: the text.
            parameters: its values.
            as_of: `now`, before that transaction.

        Raises:
            QueryRefused: it calls a function that is not for queries, reads what may be a file, or can grow beyond
                bounds in one step.
        """
        if as_of != self.now():
            as_of = NEVER  # which definitions the transaction sees is not known
        with self._guard:
            known = self._known.get(sql)
        if known is None:
            known = Known(reading=reading_of(cursor, sql, parameters))
        elif known.reading.by_parameters or any(map(_is_long, parameters)):
            reading_of(cursor, sql, parameters)
        if known.looked_up != as_of or as_of == NEVER:
            self._look_up(cursor, known.reading, as_of=as_of)
            known.looked_up = as_of
        with self._guard:
            self._known[sql] = known
            self._known.move_to_end(sql)
            if len(self._known) > TEXTS_MAX:
                self._known.popitem(last=False)

    def _look_up(self, cursor: duckdb.DuckDBPyConnection, reading: Reading, *, as_of: int) -> None:
        """Check the names in the catalog: a view may call any function, and a macro may have any function's name."""
        waiting, seen = [reading], set(reading.tables)
        macros: frozenset[str] | None = None
        views: Views | None = None
        while waiting:
            now = waiting.pop()
            if now.calls and macros is None:
                macros = self._noted(self._macros, _macros_in, cursor, as_of=as_of)
            if macros and (shadowed := sorted(now.calls & macros)):
                raise QueryRefused(f"a function of the engine wanted, found a macro of the name {shadowed[0]}")
            if not now.tables:
                continue
            if views is None:
                views = self._noted(self._views, _views_in, cursor, as_of=as_of)
            for below in _below(cursor, now.tables, views):
                waiting.append(msgspec.structs.replace(below, tables=below.tables - seen))
                seen |= below.tables

    def _noted(
        self,
        noted: Noted[T],
        find: Callable[[duckdb.DuckDBPyConnection], T],
        cursor: duckdb.DuckDBPyConnection,
        *,
        as_of: int,
    ) -> T:
        """Return what was found at this count of definitions; find it anew at another."""
        with self._guard:
            if noted.as_of == as_of != NEVER:
                return noted.value
        value = find(cursor)
        if as_of != NEVER:
            with self._guard:
                noted.value, noted.as_of = value, as_of
        return value


def _macros_in(cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
    return frozenset(name.lower() for (name,) in cursor.execute(_MACROS).fetchall())


def _views_in(cursor: duckdb.DuckDBPyConnection) -> Views:
    texts: dict[str, list[str]] = {}
    for name, sql in cursor.execute(_VIEWS).fetchall():
        texts.setdefault(name, []).append(sql)
    return Views(texts, {})


def _below(cursor: duckdb.DuckDBPyConnection, tables: frozenset[str], views: Views) -> Iterator[Reading]:
    """Yield what those of the tables read that are views."""
    for name in tables & views.texts.keys():
        for sql in views.texts[name]:
            if sql not in views.readings:
                written = _VIEW.fullmatch(sql)
                if written is None:
                    raise QueryRefused(f"a view that can be looked into is wanted, {name} is not")
                views.readings[sql] = reading_of(cursor, written[1], is_view=True)
            yield views.readings[sql]


def reading_of(
    cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[SqlValue] = (), *, is_view: bool = False
) -> Reading:
    """Return what a text reads that is known to be one SELECT.

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
    functions: set[str] = set()
    table_functions: set[str] = set()
    for node in _nodes(statements):
        kind = node.get("type")
        _expect_known(node)
        match node.get("class"), kind:
            case None, "BASE_TABLE":
                tables.add(_table(node))
            case None, "SHOW_REF":
                _expect_no_file(node["table_name"].strip('"').lower())
            case None, "TABLE_FUNCTION":
                table_functions.add(_table_function(node["function"], is_view=is_view))
            case (("FUNCTION" | "WINDOW"), _):
                functions.add(node["function_name"].lower())
    if refused := sorted(functions - FUNCTIONS - table_functions):
        raise QueryRefused(f"the function {refused[0]} is not for queries")
    return Reading(
        tables=frozenset(tables),
        functions=frozenset(functions),
        table_functions=frozenset(table_functions),
    )


def _expect_known(node: Node) -> None:
    """Refuse a node of an unknown kind."""
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
    """Return whether the argument is the list of our archived files in a view, or an option of reading them."""
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


def _nodes(tree: Any) -> Iterator[Node]:
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case dict() as node:
                yield node
                waiting += node.values()
            case list() as several:
                waiting += several
