"""The examples run as they stand."""

import json
from pathlib import Path

import pytest
from natya_starts import run_forked

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "candles.csv"
    prices = [100 + (place * 7 % 23) / 10 for place in range(100)]
    rows = [
        f"{1_767_240_000 + 60 * place},{price:.1f},{price + 1:.1f},{price - 1:.1f},{price:.1f},9"
        for place, price in enumerate(prices)
    ]
    path.write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")
    return path


def run(*command, **options):
    done = run_forked(*command, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_that_embeds_natya_prints_what_a_recording_came_to(recording):
    assert run(EXAMPLES / "embed.py", recording, "TCS").startswith("400 ticks, ")


def test_a_strategy_in_a_file_of_its_own_trades(recording, tmp_path):
    command = ["-m", "natya", "run", "--replay", recording, "--symbol", "TCS", "--speed", "max", "--summary", "json"]

    output = run(*command, "--strategy", "buy_the_dip.py", "--data-dir", tmp_path / "data", cwd=EXAMPLES)

    summary = json.loads(output)
    assert summary["ticks"] == 400
    assert summary["fills"] > 1
