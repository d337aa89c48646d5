"""The pages of the docs and the README: each of their snippets runs, one after the other."""

import re
from pathlib import Path

import pytest
from natya_processes import await_that
from natya_snippets import PYTHON, snippets_of
from natya_swings import write_days

import natya
from natya import get_container
from natya.services import register_services

ROOT = Path(__file__).parents[2]
TEXTS = [page for pages in ("*.md", "docs/**/*.md", "examples/**/*.md") for page in sorted(ROOT.glob(pages))]
PAGES = [str(page.relative_to(ROOT)) for page in TEXTS if PYTHON.search(page.read_text(encoding="utf-8"))]
README = "README.md"


@pytest.fixture(autouse=True)
def container(tmp_path, monkeypatch):
    """What a page registers in the container of the process ends with it, and it opens nothing of the user's."""
    monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path))
    yield
    get_container().clear()
    register_services(get_container())


@pytest.mark.parametrize("name", [page for page in PAGES if page != README])
def test_does_what_it_says(name, monkeypatch):
    for snippet in snippets_of(ROOT / name, monkeypatch)[0]:
        snippet.evaluate()


def test_of_the_readme_does_so_too(tmp_path, monkeypatch):
    """But for the one that orders at Dhan, which is tried at the paper exchange by a test of its own."""
    monkeypatch.chdir(tmp_path)
    write_days(tmp_path / "candles.csv")
    snippets, program = snippets_of(ROOT / README, monkeypatch)
    adapter, strategy, embedded, events, notebook, connection = snippets
    assert "DhanBrokerAdapter" in adapter.parsed

    for snippet in (strategy, embedded):
        snippet.evaluate()
    candles = program.market
    notebook.evaluate()
    assert (program.summary.ticks, program.result.data.symbol) == (600, "TCS")
    program.market.close()  # else the next system could not open it
    with monkeypatch.context() as short:
        short.setenv("NATYA_FEED__DURATION_S", "1")
        short.setenv("NATYA_FEED__SPEED", "0")
        events.evaluate()
    market = {**candles, "feed.symbol": "RELIANCE"}
    trades = {"system.data_dir": "data", "strategies": [{"name": "dip", "strategy": program.BuyTheDip}]}
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=market | trades)) as system:
        system.await_end()
        sold = "select * from fills_utc where symbol = 'RELIANCE'"
        with natya.connect("data") as client:
            await_that(lambda: len(client.query(sold)))  # it is projected a moment later
        connection.evaluate()

    assert (tmp_path / "now.duckdb").exists()


def test_tells_the_line_of_its_page_where_a_snippet_is_wrong(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nheld = 1\n```\n\nThen:\n\n```python\nsold = held\nassert sold == 2\n```\n")
    first, second = snippets_of(page, monkeypatch)[0]
    first.evaluate()

    with pytest.raises(AssertionError) as fault:
        second.evaluate()
    assert (fault.traceback[-1].path, fault.traceback[-1].lineno + 1) == (page, 11)


@pytest.mark.parametrize("begun", ["```py", "```{code-block} python", "``` pycon", "> ```Python"])
def test_leaves_out_no_python_that_is_begun_in_another_way(begun, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(f"{begun}\nheld = 1\n```\n")

    with pytest.raises(AssertionError, match="of its Python"):
        snippets_of(page, monkeypatch)


def test_shows_a_worker_in_forty_lines(monkeypatch):
    worker = snippets_of(ROOT / "docs" / "actors.md", monkeypatch)[0][0].parsed
    lines = [line for line in worker.splitlines() if line.strip()]

    assert len(lines) <= 45
    assert "import natya\n" in worker
    assert "natya." not in " ".join(re.findall(r"^from .*", worker, re.MULTILINE))
