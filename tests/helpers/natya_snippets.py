"""The Python of a page of the docs, as sybil finds it: each snippet runs, one after the other, as one program."""

import ast
import asyncio
import inspect
import re
import sys
from types import ModuleType

from sybil import Document, Example
from sybil.evaluators.python import pad
from sybil.parsers.markdown import CodeBlockParser

PYTHON = re.compile(r"(?im)^[ \t>]*(?:`{3,}|~{3,})[ \t{]*(?:code\S*[ \t]+)?i?py(?:thon|con)?\d?\b")
"""How a block of Python begins, in whatever way Markdown has for it."""


def run(code, path, names):
    """Run a program, which may await at its top, in these names; what it defines is in them afterwards."""
    running = eval(compile(code, path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)  # noqa: S307  our own text
    if inspect.isawaitable(running):
        asyncio.run(running)


def _evaluate(example: Example):
    """Run a snippet with the line numbers of its page."""
    run(pad(example.parsed, example.line + example.parsed.line_offset), example.path, example.namespace)


def snippets_of(path, monkeypatch):
    """Return the snippets of a page, to be run by `evaluate`, and the module that they make; none is left out."""
    program = ModuleType(f"program_of_{path.stem}")
    monkeypatch.setitem(sys.modules, program.__name__, program)
    page = Document.parse(str(path), CodeBlockParser("python", _evaluate))
    page.namespace = program.__dict__
    snippets = [*page]
    begun = PYTHON.findall(page.text)
    assert len(snippets) == len(begun), f"{path}: of its Python, {begun}, {len(snippets)} would run: write ```python"
    return snippets, program
