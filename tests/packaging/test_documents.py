"""The documents lead to each other: a decision has a number of its own, and what a page points at is there."""

import re
from collections import Counter
from pathlib import Path

import msgspec

from natya.config.loader import load_settings
from natya.summary import Summary

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def test_no_two_decisions_have_one_number():
    numbers = Counter(page.name[:4] for page in DECISIONS.glob("*.md"))

    assert [number for number, count in numbers.items() if count > 1] == []


def test_what_a_document_links_to_is_there():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]

    assert len(links) > 10
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_the_readme_shows_every_field_of_the_summary_in_order():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r'^    (\{"profile".*?\})$', readme, re.MULTILINE | re.DOTALL)

    assert shown is not None
    assert list(msgspec.json.decode(shown[1])) == list(Summary.__struct_fields__)


def test_the_settings_that_the_readme_shows_are_accepted(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)

    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        load_settings("paper", config=file)
