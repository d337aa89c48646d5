"""A run whose database could not take all of it: it ends in order, but not well."""

import json

import duckdb
import pytest
from natya_recordings import write_candles
from natya_starts import run_natya

from natya.cli.exit_codes import NOT_RECORDED, OK


@pytest.fixture
def replay(tmp_path):
    """Replay a small recording in a process of its own; return exit code, summary and complaints."""
    recording = write_candles(tmp_path / "candles.csv", 50)

    def run(*options):
        command = ["run", "--replay", recording, "--symbol", "TCS", "--speed", "max"]
        ended = run_natya(*command, "--data-dir", tmp_path / "data", "--summary", "json", *options, timeout=60)
        return ended.returncode, json.loads(ended.stdout), ended.stderr

    return run


class TestAMarketFileThatAnotherProcessReadsAllTheTime:
    def test_is_named_and_the_summary_counts_what_is_durable(self, replay, tmp_path):
        market = tmp_path / "data" / "natya-market.duckdb"
        market.parent.mkdir()
        with duckdb.connect(str(market)):
            pass
        # Of this process: an open file of another is what the daemon meets.
        with duckdb.connect(str(market), read_only=True):
            # It is waited for until then: five times as long by default.
            code, summary, told = replay("--set", "system.shutdown_s=2")

        assert code == NOT_RECORDED
        assert (summary["ticks"], summary["recorded"], summary["recorded_candles"]) == (200, 0, 0)
        assert f"200 of 200 ticks are not recorded in {market}" in told
        assert "50 of 50 candles are not recorded" in told
        assert "the database was down" in told

        code, summary, told = replay()
        assert (code, summary["recorded"], summary["recorded_candles"], told) == (OK, 200, 50, "")

        code, summary, told = replay()
        assert (code, summary["recorded"], told) == (OK, 200, "")
