"""A play is a function of its recording, its settings and its seed: failures, restarts and times included."""

import os

import pytest

from natya.actors.journal.header import HEADER_SIZE

SEEDS = range(1, 1 + int(os.environ.get("PLAYS", "1")))
"""PLAYS is how many random plays are compared."""

BY_THE_CLOCK = {"name": "clock", "strategy": "natya_players:ByTheClock"}


def failing(every, **fields):
    return BY_THE_CLOCK | {"parameters": {"raises_every": every}} | fields


def trades(play):
    return [(fill.side, fill.price, fill.occurred_ns) for fill in play.fills]


class TestAStrategyThatIsRestarted:
    @pytest.mark.parametrize("every", [5])
    def test_misses_no_tick_and_trades_at_the_prices_of_one_that_never_failed(self, tmp_path, mornings, plays, every):
        recording = mornings(20)
        sound = plays(tmp_path / "sound", recording, BY_THE_CLOCK)
        shaken = plays(tmp_path / "shaken", recording, failing(every))

        assert len(sound.fills) == 40
        assert trades(shaken) == trades(sound)
        assert shaken.summary.restarts == 20 // every


ERRATIC = [
    {"name": name, "strategy": "natya_players:Erratic", "parameters": {"fails": fails}}
    for name, fails in (("one", 0.01), ("another", 0.03), ("third", 0.0))
]
LENIENT = {"supervision__restarts_max": 10_000, "supervision__escalate_after": 10_000}


def looking(system):
    """Ask every actor what it counts, again and again until the market ends."""
    while system.await_end(0.01) is None:
        system.look()


def records_bytes(data_dir):
    """Return what is in the journal's files behind their headers, which name the directory."""
    return b"".join(path.read_bytes()[HEADER_SIZE:] for path in sorted((data_dir / "journal").glob("*.journal")))


class TestAPlay:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_writes_the_same_journal_to_the_byte_however_often_it_is_asked_meanwhile(
        self, tmp_path, mornings, plays, seed
    ):
        recording = mornings(3)
        first = plays(tmp_path / "first", recording, *ERRATIC, feed__seed=seed, **LENIENT)
        second = plays(tmp_path / "second", recording, *ERRATIC, meanwhile=looking, feed__seed=seed, **LENIENT)

        assert first.summary.restarts > 0
        assert first.fills
        assert first.records == second.records
        assert records_bytes(tmp_path / "first") == records_bytes(tmp_path / "second")
