"""The generated reference leaves nothing out; Sphinx itself is not wanted for that."""

import re
import runpy
from pathlib import Path

import pytest

from natya.actors.control.operations import OPERATIONS
from natya.actors.observability.metrics import METRICS
from natya.cli.app import COMMANDS
from natya.config.keys import KEYS
from natya.messages.codec import MESSAGE_TYPES

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "reference"
    runpy.run_path(str(DOCS / "reference.py"))["write"](folder)
    return {page.stem: page.read_text(encoding="utf-8") for page in folder.iterdir()}


class TestTheReference:
    def test_has_every_command_with_what_it_does(self, pages):
        headings = re.findall(r"^#+ natya (.*[^…])\n\n```text\nUsage: natya (.*?) \[", pages["commands"], re.MULTILINE)

        assert headings == [(name.replace(".", " "),) * 2 for name in COMMANDS]

    def test_has_every_operation_message_and_metric(self, pages):
        assert re.findall(r"^\| `([a-z-]+)`", pages["operations"], re.MULTILINE) == [each.name for each in OPERATIONS]
        headings = re.findall(r"^### (\w+)", pages["messages"], re.MULTILINE)
        assert sorted(headings) == sorted(each.__name__ for each in MESSAGE_TYPES)
        metrics = re.findall(r"^\| `natya_(\w+?)(?:_total)?`", pages["metrics"], re.MULTILINE)
        assert metrics == [each.name for each in METRICS]

    def test_has_every_setting_with_its_default(self, pages):
        names = re.findall(r"^(\w+) +=", pages["settings"], re.MULTILINE)

        assert {key.rpartition(".")[2] for key in KEYS} - set(names) == {"profile"}, "which is no setting of a file"


def test_every_page_is_in_the_table_of_contents():
    listed = set(re.findall(r"^[\w/-]+$", (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE))
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}

    assert pages <= listed
