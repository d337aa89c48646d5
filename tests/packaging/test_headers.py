"""The head of an actor's file says what it hears and sends: as its code does."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import natya

ROOT = Path(natya.__file__).parent
PARTS = ("Owns", "Hears", "Sends", "Fails")


@cache
def text_of(path):
    return path.read_text(encoding="utf-8")


def classes_in(folder):
    return {name for path in folder.rglob("*.py") for name in re.findall(r"(?m)^class (\w+)", text_of(path))}


MESSAGES = classes_in(ROOT / "messages")
CLASSES = MESSAGES.union(*(classes_in(ROOT / room) for room in ("actors", "config", "domain")))
FAMILIES = {
    name: set(re.findall(r"\w+", members)) & MESSAGES
    for path in (ROOT / "messages").glob("*.py")
    for name, members in re.findall(r"(?m)^(\w+): TypeAlias = ([^=\[]*?)\n\S", text_of(path) + "\n-")
}
"""The messages of each alias that is made of them: `OrderFact`."""


def head_of(path):
    """Each part of the head of a file by its name; none: it has no such head."""
    head = re.match(r'"""(.*?)"""', text_of(path), flags=re.DOTALL)
    parts = re.split(rf"^({'|'.join(PARTS)}) +", head[1] if head else "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@cache
def handled(path):
    """The messages that the handlers of a file are declared for; not those of an actor to itself."""
    if "@handles(" not in text_of(path):
        return set()
    named = {
        node.id
        for each in ast.walk(ast.parse(text_of(path)))
        if isinstance(each, ast.FunctionDef)
        for decorator in each.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "handles"
        for argument in decorator.args
        for node in ast.walk(argument)
        if isinstance(node, ast.Name)
    }
    return named & MESSAGES


OTHERS = {"DuckDB"}
"""Names of others that look like ours."""

BASES = {"runtime/actor.py"}
"""What every actor does."""

DOORS = {"nodes/door.py"}
"""Hands on whatever is said to it."""

ACTORS = sorted(
    path
    for path in (ROOT / "actors").rglob("*.py")
    if (head_of(path) or handled(path)) and str(path.relative_to(ROOT / "actors")) not in BASES
)


def told(text):
    names = set(re.findall(r"[A-Z]\w+", text))
    return names.union(*(FAMILIES.get(name, ()) for name in names))


@pytest.mark.parametrize("path", ACTORS, ids=lambda path: str(path.relative_to(ROOT / "actors")))
class TestAnActorsFile:
    def test_opens_with_what_it_owns_hears_and_sends_and_how_it_fails(self, path):
        assert tuple(head_of(path)) == PARTS

    def test_names_each_message_that_it_has_a_handler_for(self, path):
        if str(path.relative_to(ROOT / "actors")) in DOORS:
            return
        assert handled(path) - told(head_of(path)["Hears"]) == set()

    def test_names_nothing_that_is_not_there(self, path):
        named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]*)+\b", "".join(head_of(path).values())))
        assert named - CLASSES - FAMILIES.keys() - OTHERS == set()
