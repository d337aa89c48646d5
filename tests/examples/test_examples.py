"""The examples run as they stand."""

import json
import os
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


def test_an_asyncio_program_hears_of_fills_while_it_trades():
    *fills, price, told = run(EXAMPLES / "asyncio_app.py", "30").splitlines()

    assert fills
    assert all(line.startswith(("BUY ", "SELL ")) for line in fills)
    assert price.startswith("TCS at ")
    assert len(fills) >= int(told.split()[0])


def test_a_broker_of_one_s_own_is_asked_once_for_an_order_and_tells_a_refusal():
    assert run(EXAMPLES / "own_broker.py").splitlines() == [
        "known there: True",
        "WriteAccepted {'number': 1}",
        "WriteAccepted {'number': 1}",
        "WriteRefused 400",
        "orders there: 1",
    ]


def test_a_transport_of_one_s_own_has_each_event_heard_once():
    *heard, more = run(EXAMPLES / "own_transport.py").splitlines()

    assert sorted(heard) == [f"nagpur hears of parcel-{number}" for number in (1, 2, 3)]
    assert more == "more than once: 0"


def test_the_notebook_runs_from_its_first_cell_to_its_last(recording, tmp_path):
    program = tmp_path / "cells.py"
    cells = json.loads((EXAMPLES / "research.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    program.write_text(
        "\n\n".join([*code, "print(len(trades), len(equity) > 0)"]).replace("candles.csv", str(recording))
    )

    trades, is_told = run(program, cwd=EXAMPLES, env={**os.environ, "PYTHONPATH": str(EXAMPLES)}).split()

    assert (int(trades) > 0, is_told) == (True, "True")
