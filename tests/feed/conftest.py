"""Builders for the feed."""

from pathlib import Path

import pytest

from natya.actors.feed.recording import Recording
from natya.config.sections.feed import FeedSettings


@pytest.fixture
def write(tmp_path):
    """Write a recording of these lines, or bytes; return its path."""

    def build(*lines, name="recording.csv", end="\n"):
        path = tmp_path / name
        path.write_bytes("".join(line + end for line in lines).encode())
        return path

    return build


@pytest.fixture(scope="session")
def recording():
    def build(path, *, symbol="TCS", **options):
        return Recording(path, symbol=symbol, **options)

    return build


@pytest.fixture
def messages(recording):
    """Read a whole recording."""

    def build(path, **options):
        return [message for chunk in recording(path, **options).chunks() for message in chunk]

    return build


@pytest.fixture(scope="session")
def feed_settings():
    def build(**changes):
        fields = {
            "source": "replay",
            "recording": "",
            "symbol": "TCS",
            "speed": 0.0,
            "bad_rows_max": 0,
            "tick_size_rupees": 0.05,
            "symbols": ("TCS", "INFY"),
            "ticks_per_s": 10.0,
            "seed": 7,
            "duration_s": 0.0,
            "unrecorded_ticks_max": 1_000_000,
        }
        if isinstance(path := changes.get("recording"), Path):
            changes["recording"] = str(path)
        return FeedSettings.default(**(fields | changes))

    return build
