"""Plays of recordings through the whole system, in this process."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from natya_database import with_files
from natya_recordings import BEGIN

import natya
from natya.actors.journal.tools import tail
from natya.messages.orders import OrderFilled


def write_mornings(path, days, *, first_minute=40, minutes=12):
    """Write one-minute candles of a part of each morning, whose prices tell the day and the minute apart."""
    lines = ["date,open,high,low,close,volume"]
    for day in range(days):
        for minute in range(first_minute, first_minute + minutes):
            moment = BEGIN + timedelta(days=day, minutes=minute)
            price = 1_000 + day * 2 + (minute - first_minute) * 0.1
            lines.append(f"{moment.isoformat()},{price:.2f},{price:.2f},{price:.2f},{price:.2f},100")
    path.write_text("\n".join(lines) + "\n")
    return path


def play(data_dir, recording, *strategies, meanwhile=None, **overrides):
    """Play it to the end; return the summary, the journal's records, and the fills among them."""
    settings = natya.load_settings(
        "paper",
        environment={},
        overrides={
            "system.data_dir": str(with_files(data_dir)),
            "feed.source": "replay",
            "feed.recording": str(recording),
            "feed.symbol": "TCS",
            "feed.speed": 0.0,
            "control.enabled": False,
            "strategies": list(strategies),
        }
        | {name.replace("__", "."): value for name, value in overrides.items()},
    )
    with natya.TradingSystem(settings) as system:
        ends_early = meanwhile is not None and meanwhile(system)
        assert ends_early or system.await_end(50) is not None
        summary = system.stop()
    records = tail(data_dir / "journal", records_max=1_000_000)
    fills = [record.fact for record in records if isinstance(record.fact, OrderFilled)]
    return SimpleNamespace(summary=summary, records=records, fills=fills)


@pytest.fixture
def mornings(tmp_path):
    return lambda days, **fields: write_mornings(tmp_path / "mornings.csv", days, **fields)


@pytest.fixture(scope="session")
def plays():
    return play
