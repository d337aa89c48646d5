"""The documents lead to each other: a decision has a number of its own, and what a page points at is there."""

import re
from collections import Counter
from pathlib import Path

import msgspec
from typer.main import get_command

from natya.actors.orders.rules.table import RULES
from natya.cli.app import app
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
    shown = re.search(r'^    (\{"schema".*?\})$', readme, re.MULTILINE | re.DOTALL)

    assert shown is not None
    assert list(msgspec.json.decode(shown[1])) == ["schema", *Summary.__struct_fields__]


def test_the_architecture_names_each_module_of_the_root_and_each_room():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = [each.name for each in ROOT.glob("*.py") if each.name != "setup.py"]
    rooms = [f"{each.parent.name}/" for each in (ROOT / "actors").glob("*/__init__.py")]

    assert len(rooms) > 10
    assert [name for name in (*modules, *rooms) if name not in page] == []


def test_the_readme_says_how_many_rules_are_asked():
    assert f"{len(RULES)} rules are asked" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_settings_that_the_readme_shows_are_accepted(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)

    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        load_settings("paper", config=file)


def commands_in(text):
    """The words of each command that a page has: in a line of code, or between backticks."""
    lines = re.findall(r"^(?: {4,}|\$ )(.*)$", text, re.MULTILINE)
    lines += [
        line
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    in_lines = [part for line in lines for part in re.split(r" && | \| |; ", line.partition(" #")[0])]
    found = [part.strip() for part in (*in_lines, *re.findall(r"`(natya [^`]+)`", text))]
    for command in found:
        if match := re.match(r"(?:[A-Z_]+=\S+ )*natya (.*)", command):
            yield match[1].replace("\\|", "|").split()


def faults_of(words):
    """What is wrong with a command: a word of its name, or an option, that there is not."""
    found = get_command(app)
    while hasattr(found, "commands"):
        if not words or not re.fullmatch(r"[a-z|-]+", words[0]):
            return []
        names = words[0].split("|")
        if unknown := [name for name in names if name not in found.commands]:
            return unknown
        found, words = found.commands[names[-1]], words[1:]
    there = {"--help", *(option for each in found.params for option in (*each.opts, *each.secondary_opts))}
    options = [word.partition("=")[0].rstrip(",;:.)]") for word in words if word.startswith("--")]
    return [option for option in options if option not in there]


def test_each_command_of_a_document_is_there_with_its_options():
    guides = (*(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md"))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *guides]
    found = [(page, words) for page in pages for words in commands_in(page.read_text(encoding="utf-8"))]
    faults = [f"{page.name}: natya {' '.join(words)}: {faults_of(words)}" for page, words in found if faults_of(words)]

    assert len(found) > 200
    assert faults == []
