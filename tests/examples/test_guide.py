"""The pages of the docs and the README: each of their snippets runs, one after the other."""

import re
from pathlib import Path

import pytest
from natya_processes import await_that
from natya_snippets import snippets_of
from natya_swings import write_days

import natya
from natya import get_container
from natya.services import register_services

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md") if "```python" in path.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def container(tmp_path, monkeypatch):
    """What a page registers in the container of the process ends with it, and it opens nothing of the user's."""
    monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path))
    yield
    get_container().clear()
    register_services(get_container())


@pytest.mark.parametrize("name", PAGES)
def test_does_what_it_says(name, monkeypatch):
    for snippet in snippets_of(ROOT / "docs" / name, monkeypatch)[0]:
        snippet.evaluate()


def test_of_the_readme_does_so_too(tmp_path, monkeypatch):
    """But for the one that orders at Dhan, which is tried at the paper exchange by a test of its own."""
    monkeypatch.chdir(tmp_path)
    write_days(tmp_path / "candles.csv")
    snippets, program = snippets_of(ROOT / "README.md", monkeypatch)
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


def test_shows_a_worker_in_forty_lines(monkeypatch):
    worker = snippets_of(ROOT / "docs" / "actors.md", monkeypatch)[0][0].parsed
    lines = [line for line in worker.splitlines() if line.strip()]

    assert len(lines) <= 45
    assert "import natya\n" in worker
    assert "natya." not in " ".join(re.findall(r"^from .*", worker, re.MULTILINE))
