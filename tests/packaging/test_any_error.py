"""The places where any error is caught, whatever it is, pinned in `any_error.txt`, a line each.

Who catches more than he can act on hides a mistake. That a handler takes any error must not come from a slip: who means
it writes the line anew that the test shows.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import natya

ROOT = Path(natya.__file__).parent
APART = {".venv", "benchmarks", "build", "docs", "examples", "tests"}
"""Folders whose code is none of the package."""
PINNED = Path(__file__).with_name("any_error.txt")
ANY = {"Exception", "BaseException"}


def sources() -> list[Path]:
    return [each for each in sorted(ROOT.rglob("*.py")) if each.relative_to(ROOT).parts[0] not in APART]


def caught(handler: ast.ExceptHandler) -> set[str]:
    """Return which of the errors that all others are it names; a bare one is all."""
    if handler.type is None:
        return {"BaseException"}
    return {each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)} & ANY


def places(path: Path) -> Iterator[str]:
    """Return a line for each handler of any error, by the function that it is in."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)

    def look(node: ast.AST, within: str) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            within = f"{within}.{node.name}" if within else node.name
        if isinstance(node, ast.ExceptHandler):
            yield from (f"{module} {within} {name}" for name in sorted(caught(node)))
        for below in ast.iter_child_nodes(node):
            yield from look(below, within)

    return look(ast.parse(path.read_bytes()), "")


def test_is_caught_where_it_is_meant_to_be_and_nowhere_else():
    found = sorted(line for path in sources() for line in places(path))

    assert found == PINNED.read_text().splitlines(), "write these into any_error.txt, if they are meant"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("try: a\nexcept ValueError: b", []),
        ("try: a\nexcept: b", ["m  BaseException"]),
        ("def f():\n try: a\n except (KeyError, Exception) as e: b", ["m f Exception"]),
        ("class C:\n async def f(self):\n  try: a\n  except BaseException: raise", ["m C.f BaseException"]),
    ],
)
def test_is_found_wherever_it_is_caught(tmp_path, monkeypatch, source, found):
    path = tmp_path / "m.py"
    path.write_text(source)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)

    assert list(places(path)) == found
