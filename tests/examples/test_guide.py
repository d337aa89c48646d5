"""The guides: each of their snippets runs, one after the other."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from natya import get_container
from natya.services import register_services

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "actors.md"
SNIPPETS = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


PAGES = ("actors", "events", "testing", "getting-started", "embedding", "troubleshooting", "migration")


@pytest.fixture(autouse=True)
def container(tmp_path, monkeypatch):
    """What a page registers in the container of the process ends with it, and it opens nothing of the user's."""
    monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path))
    yield
    get_container().clear()
    register_services(get_container())


@pytest.mark.parametrize("name", [f"{page}.md" for page in PAGES])
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
