"""The guides: each of their snippets runs, one after the other."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "actors.md"
SNIPPETS = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["actors.md", "testing.md"])
def test_does_what_it_says(name, monkeypatch):
    text = (DOCS / name).read_text()
    program = ModuleType("guide")
    monkeypatch.setitem(sys.modules, "guide", program)

    for found in SNIPPETS.finditer(text):
        # Blank lines before it, so that a failure names the line of the guide.
        source = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(source, name, "exec"), program.__dict__)  # noqa: S102  our own text


def test_shows_a_worker_in_forty_lines():
    worker = SNIPPETS.search(GUIDE.read_text())[1]
    lines = [line for line in worker.splitlines() if line.strip()]

    assert len(lines) <= 45
    assert "import natya\n" in worker
    assert "natya." not in " ".join(re.findall(r"^from .*", worker, re.MULTILINE))
