"""Bounds the memory that a query can take in one step, from its syntax tree, before it runs.

DuckDB's memory limit covers tables, joins, sorts and aggregates. It does not cover the values that one function call
makes of one batch of rows, and cannot be interrupted in it: `repeat('x', 2000000000)` is two gigabytes at once, in the
process that records the market. Nor does it cover query plans: a CTE that the next one names twice, thirty times over,
is a plan of a billion nodes. So an upper bound of both is computed here, and a query above the limit is refused. Growth
from batch to batch is interrupted while the query runs: see `memory.py`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ..errors import QueryRefused
from .functions import (
    AGGREGATES,
    COLLECTING,
    FIXED,
    FORMATTING,
    HOARDING,
    MAPPING,
    PADDING,
    REDUCING,
    REPEATING,
    REPLACING,
    SERIES,
    SUMS,
    WIDER,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ....messages.database import SqlValue

Node: TypeAlias = dict[str, Any]

ROW_BYTES_MAX: Final = 32_768
"""Bytes that all functions of a query may make of one row. A batch has 2,048 rows: 64 MiB."""

NODES_MAX: Final = 50_000
"""Nodes of the syntax tree, each CTE as often as it is named: about 20 MB of plan."""

TABLE_NODES: Final = 50
"""Nodes that a table scan counts for. 8,192 scans took DuckDB 2.4 s to plan, which cannot be interrupted."""

NUMBER_BYTES: Final = 16
COLUMN_BYTES: Final = 64
"""Assumed bytes of a table's value; longer ones are rare."""

COLLECTED_BYTES: Final = 1_024
"""Assumed bytes of a collecting aggregate or a recursion. DuckDB counts them: here they only must not be multiplied."""

ELEMENT_BYTES: Final = 4
LETTER_BYTES: Final = 4
CAST_FACTOR: Final = 8
_SMALL_TYPES = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
    | {"UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "INTERVAL"}
    | {"UUID"}
)
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})


class Size(msgspec.Struct, frozen=True):
    """Upper bounds of a part of a query."""

    bytes: float = COLUMN_BYTES
    """Bytes of its largest value."""

    made: float = 0
    """Bytes that its functions make for one row, all together."""

    nodes: int = 1
    """Nodes of the tree, with the CTEs that it names."""


class _Scope(msgspec.Struct, frozen=True):
    """Bounds of the names in scope."""

    queries: Mapping[str, Size]
    """Of WITH."""

    columns: float = COLUMN_BYTES
    """The largest value of a column that can be named."""

    aliases: Mapping[str, Size] = {}
    """Columns of the same SELECT."""


class _Sizes:
    """Computes the bounds of one statement."""

    def __init__(self, parameters: Sequence[SqlValue]) -> None:
        self.looked_at_parameters = False
        self._parameters = parameters

    def query(self, node: Node, scope: _Scope) -> Size:
        """Add up a query, those of its WITH first."""
        queries = dict(scope.queries)
        outer = max((size.bytes for size in scope.aliases.values()), default=0.0)
        scope = _with(scope, columns=max(scope.columns, outer), aliases={})
        for entry in node["cte_map"]["map"]:
            queries[entry["key"].lower()] = self.query(entry["value"]["query_node"], _with(scope, queries=queries))
        scope = _with(scope, queries=queries)
        match node["type"]:
            case "RECURSIVE_CTE_NODE":
                return self._recursion(node, scope)
            case "SELECT_NODE":
                return self._select(node, scope)
            case _:
                return self._all({key: value for key, value in node.items() if key != "cte_map"}, scope)

    def _select(self, node: Node, scope: _Scope) -> Size:
        table = self._all(node["from_table"], scope)
        scope = _with(scope, columns=max(scope.columns, table.bytes))
        largest, made, nodes = 0.0, table.made, table.nodes
        aliases: dict[str, Size] = {}
        for item in node["select_list"]:
            size = self._all(item, _with(scope, aliases=dict(aliases)))
            # `select *` hands everything on.
            largest, made, nodes = max(largest, size.bytes), made + size.made, nodes + size.nodes
            if alias := item.get("alias"):
                aliases[alias.lower()] = size
        rest = {key: value for key, value in node.items() if key not in {"cte_map", "from_table", "select_list"}}
        size = self._all(rest, _with(scope, aliases=aliases))
        return _within(Size(largest, made + size.made, nodes + size.nodes))

    def _recursion(self, node: Node, scope: _Scope) -> Size:
        name = node["cte_name"].lower()
        first = self._all(node["left"], scope)
        own = Size(max(first.bytes, COLUMN_BYTES))
        again = self._all(node["right"], _with(scope, queries={**scope.queries, name: own}))
        if again.bytes > own.bytes:  # its values grow with every step
            own = Size(max(again.bytes, COLLECTED_BYTES))
            again = self._all(node["right"], _with(scope, queries={**scope.queries, name: own}))
        return _within(Size(max(own.bytes, again.bytes), first.made + again.made, first.nodes + again.nodes))

    def _all(self, tree: Any, scope: _Scope) -> Size:
        """Add up everything below, up to the next query. The largest value is that of the topmost nodes."""
        nodes: list[Node] = []
        sizes: dict[int, Size] = {}
        waiting = [tree]
        while waiting:
            match waiting.pop():
                case {"type": str(kind), "cte_map": _} as query if kind in _QUERIES:
                    sizes[id(query)] = self.query(query, scope)
                case {"type": "BASE_TABLE", "table_name": str(name)} as table:
                    named = scope.queries.get(name.lower(), Size())
                    sizes[id(table)] = Size(named.bytes, named.made, named.nodes + TABLE_NODES)
                case {"type": "TABLE_FUNCTION", "function": {"arguments": arguments}} as node:
                    nodes.append(node)
                    waiting += arguments  # it gives row after row of them, and makes no value
                case dict() as node:
                    nodes.append(node)
                    waiting += node.values()
                case list() as several:
                    waiting += several
        # Children come after their parents.
        for node in reversed(nodes):
            children = list(_children(node))
            below = [sizes[id(child)] for child in children if id(child) in sizes]
            made = sum(each.made for each in below)
            count = sum(each.nodes for each in below) + TABLE_NODES * _tables(node)
            is_node = "class" in node
            if node.get("class") == "COLUMN_REF" and (own := scope.aliases.get(node["column_names"][-1].lower())):
                sizes[id(node)] = Size(max(own.bytes, scope.columns), own.made, own.nodes)
                continue
            value = self._value(node, sizes, below, scope) if is_node else _largest(below)
            if node.get("class") in {"FUNCTION", "CAST"} and value > 2 * COLUMN_BYTES and not _is_sum(node):
                made += value
            sizes[id(node)] = _within(Size(value, made, count + is_node))
        below = [sizes[id(each)] for each in ([tree] if isinstance(tree, dict) else tree)]
        return _within(Size(_largest(below), sum(each.made for each in below), sum(each.nodes for each in below)))

    def _value(  # noqa: C901, PLR0911  one a class
        self, node: Node, sizes: dict[int, Size], below: list[Size], scope: _Scope
    ) -> float:
        """Tell how large the value of an expression is at most."""
        match node:
            case {"class": "CONSTANT", "literal": {"text": str(text)}}:
                return max(NUMBER_BYTES, len(text))
            case {"class": "CONSTANT", "value": {"value": str(text)}}:
                return max(NUMBER_BYTES, len(text))
            case {"class": "CONSTANT"}:
                return NUMBER_BYTES
            case {"class": "PARAMETER"}:
                value = self._parameter(node)
                return max(COLUMN_BYTES, len(value) if isinstance(value, str | bytes) else NUMBER_BYTES)
            case {"class": "COLUMN_REF" | "STAR" | "POSITIONAL_REFERENCE"}:
                return max(scope.columns, _largest(below))
            case {"class": "LAMBDA", "expr": body}:
                return sizes[id(body)].bytes
            case {"class": "COMPARISON" | "CONJUNCTION" | "BETWEEN"}:
                return NUMBER_BYTES
            case {"class": "CAST", "type_expr": {"type_name": str(name)}} if name.upper() in _SMALL_TYPES:
                return NUMBER_BYTES
            case {"class": "CAST"}:
                return _widened(_largest(below), CAST_FACTOR)
            case {"class": "WINDOW", "function_name": str(name)} if name.lower() in HOARDING:
                return math.inf  # a state for each row, and no interrupt is heard meanwhile
            case {"class": "FUNCTION"}:
                arguments = [argument["expression"] for argument in node["arguments"]]
                return self._call(
                    node["function_name"].lower(), arguments, [sizes[id(each)].bytes for each in arguments]
                )
            case _:
                return _largest(below)

    def _call(self, name: str, arguments: list[Node], sizes: list[float]) -> float:  # noqa: C901, PLR0911  one a class
        if name in FIXED or not sizes:
            return NUMBER_BYTES
        if name in COLLECTING:
            return max(COLLECTED_BYTES, *sizes)
        if name in AGGREGATES:
            has_count = len(arguments) > 1 and arguments[-1]["class"] != "COLUMN_REF"  # `max(price, 10)` is a list
            return max(COLLECTED_BYTES, *sizes) if has_count else max(sizes)
        if name in SUMS:
            return NUMBER_BYTES if min(sizes) <= NUMBER_BYTES else sum(sizes)
        if name in PADDING or name in REPEATING:
            place = {**PADDING, **REPEATING}[name]
            count = max(0.0, self._most(arguments[place])) if place < len(arguments) else 0.0
            return max(sizes[0], count * (LETTER_BYTES if name in PADDING else max(sizes)))
        if name in SERIES:
            return NUMBER_BYTES * self._numbers(arguments)
        if name in REPLACING:
            return (sizes[0] + 1) * max(1.0, sizes[-1] - NUMBER_BYTES) if len(sizes) > 1 else sizes[0] * 2
        if name in FORMATTING:
            return sum(sizes) + self._widths(arguments[0])
        if name in MAPPING:
            return sizes[0] / ELEMENT_BYTES * max(sizes[1:], default=1.0)
        if name in REDUCING:
            return max(sizes) if _is_flat(arguments[1]) else math.inf
        return _widened(sum(sizes), WIDER.get(name, 1))

    def _numbers(self, arguments: list[Node]) -> float:
        """Count the numbers of a series; only of constants is it known."""
        bounds = [self._exact(argument) for argument in arguments]
        match bounds:
            case [int(end)]:
                return max(0, end)
            case [int(start), int(end)]:
                return max(0, end - start + 1)
            case [int(start), int(end), int(step)] if step:
                return max(0, (end - start) // step + 1)
            case _:
                return math.inf

    def _widths(self, text: Node) -> float:
        """Add up what may be a width or a precision in a format; a format that is no constant may have any."""
        match text:
            case {"class": "CONSTANT", "literal": {"text": str(written)}} if "*" not in written:
                # `{:{}}` takes its width from an argument.
                nested = "{" in re.sub(r"\{[^{}]*\}", "", written)
                return math.inf if nested else sum(min(int(digits), 10**9) for digits in re.findall(r"\d+", written))
            case _:
                return math.inf

    def _most(self, node: Node) -> float:  # noqa: PLR0911  one a form
        """Tell how large a whole number is at most."""
        exact = self._exact(node)
        if exact is not None:
            return exact
        match node:
            case {"class": "CAST", "child": child}:
                return self._most(child)
            case {"class": "FUNCTION", "function_name": "least", "arguments": arguments}:
                return min(self._most(each["expression"]) for each in arguments)
            case {"class": "FUNCTION", "function_name": "greatest", "arguments": arguments}:
                return max(self._most(each["expression"]) for each in arguments)
            case {"class": "FUNCTION", "function_name": "%" | "mod", "arguments": [_, {"expression": divisor}]}:
                return abs(self._most(divisor))
            case {"class": "FUNCTION", "function_name": "+", "arguments": [{"expression": one}, {"expression": other}]}:
                return self._most(one) + self._most(other)
            case _:
                return math.inf

    def _exact(self, node: Node) -> int | None:
        """Read a whole number that stands in the text, or in a parameter."""
        match node:
            case {"class": "CONSTANT", "literal": {"kind": "INTEGER", "text": str(text)}}:
                return _whole(text)
            case {"class": "PARAMETER"}:
                return _whole(self._parameter(node))
            case {"class": "CAST", "child": child, "type_expr": {"type_name": str(name)}} if "INT" in name.upper():
                return self._exact(child)
            case {"class": "FUNCTION", "function_name": "-", "arguments": [{"expression": negative}]}:
                exact = self._exact(negative)
                return None if exact is None else -exact
            case _:
                return None

    def _parameter(self, node: Node) -> SqlValue:
        self.looked_at_parameters = True
        number = node.get("identifier", "")
        place = int(number) - 1 if number.isdecimal() else -1
        return self._parameters[place] if 0 <= place < len(self._parameters) else None


def expect_bounded(statements: list[Node], parameters: Sequence[SqlValue] = ()) -> bool:
    """Check that a query cannot exceed the bounds in one step; return whether that depends on its parameters.

    Raises:
        QueryRefused: it can, or its size cannot be bounded.
    """
    sizes = _Sizes(parameters)
    for statement in statements:
        sizes.query(statement["node"], _Scope({}))
    return sizes.looked_at_parameters


def _within(size: Size) -> Size:
    """Refuse at the first node that exceeds the bounds."""
    if size.made > ROW_BYTES_MAX or size.bytes > max(ROW_BYTES_MAX, COLLECTED_BYTES) or math.isnan(size.bytes):
        raise QueryRefused(
            f"functions may make {ROW_BYTES_MAX:,} bytes of a row, and these can make more: counts and widths must be "
            "numbers in the text (or `least(80, …)`), series stand after FROM, large texts are not multiplied, lists "
            "not collected over windows"
        )
    if size.nodes > NODES_MAX:
        raise QueryRefused(
            f"a query of at most {NODES_MAX:,} parts wanted, each counted as often as it is named, found more: "
            "name parts of WITH less often"
        )
    return size


def _with(scope: _Scope, **changed: Any) -> _Scope:
    return msgspec.structs.replace(scope, **changed)


def _children(node: Node) -> Iterator[Node]:
    waiting = node["function"]["arguments"][:] if node.get("type") == "TABLE_FUNCTION" else list(node.values())
    while waiting:
        match waiting.pop():
            case dict() as child:
                yield child
            case list() as several:
                waiting += several


def _tables(node: Node) -> int:
    """Return the number of scans that a node adds itself: each column of a pivot, each grouping set."""
    match node:
        case {"type": "PIVOT", "pivots": pivots}:
            return math.prod(max(1, len(pivot.get("entries") or ())) for pivot in pivots)
        case {"group_sets": sets}:
            return len(sets or ())
        case {"type": "TABLE_FUNCTION"}:
            return 1
        case _:
            return 0


def _is_sum(node: Node) -> bool:
    """Return whether the node is an addition, most likely of numbers; a sum of lists is as large as they are."""
    return bool(node.get("function_name") in SUMS)


def _is_flat(function: Node) -> bool:
    """Tell whether what a lambda makes of its first parameter is no larger than that, and what comes to it."""
    match function:
        case {"class": "LAMBDA", "lhs": lhs, "expr": body}:
            nodes = [body, *_below(body)]
            called = {node["function_name"].lower() for node in nodes if node.get("class") == "FUNCTION"}
            parameters = [node["column_names"][-1] for node in (lhs, *_below(lhs)) if node.get("class") == "COLUMN_REF"]
            taken = [node["column_names"][-1] for node in nodes if node.get("class") == "COLUMN_REF"]
            once = bool(parameters) and taken.count(parameters[0]) <= 1
            return called <= FIXED or (once and called <= FIXED | SUMS | {"least", "greatest"})
        case _:
            return False


def _below(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        children = list(_children(waiting.pop()))
        yield from children
        waiting += children


def _largest(sizes: list[Size]) -> float:
    return max((size.bytes for size in sizes), default=0.0)


def _widened(size: float, factor: int) -> float:
    """Widen what is larger than a column; columns are small."""
    return size if size <= COLUMN_BYTES else size * factor


def _whole(value: SqlValue) -> int | None:
    try:
        return int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None
