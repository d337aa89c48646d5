"""A strategy that asks for candles."""

import csv
import datetime as dt

import pytest
from natya_recordings import write_candles

from natya.domain.candles import path_of, split, times_of
from natya.domain.time import SECOND_NS

pytestmark = pytest.mark.usefixtures("engines")

MINUTE_NS = 60 * SECOND_NS


def write_ticks_of(candles, path):
    """Write the trades that a replay of these candles makes up."""
    volume = 0
    with candles.open(newline="") as source, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["exchange_ns", "ltp", "ltq", "volume"])
        for row in csv.DictReader(source):
            start_ns = int(dt.datetime.fromisoformat(row["date"]).timestamp()) * SECOND_NS
            prices = path_of(*(round(float(row[name]) * 20) for name in ("open", "high", "low", "close")))
            times = times_of(((start_ns, start_ns + MINUTE_NS),))
            for time_ns, price, quantity in zip(times, prices, split(int(row["volume"])), strict=True):
                volume += quantity
                writer.writerow([time_ns, price / 20, quantity, volume])
    return path


def noted(path):
    return [tuple(map(float, line.split())) for line in path.read_text().splitlines()]


class TestAReplay:
    def test_of_ticks_looks_to_a_strategy_like_one_of_candles(self, tmp_path, plays):
        candles = write_candles(tmp_path / "candles.csv", 43)
        ticks = write_ticks_of(candles, tmp_path / "ticks.csv")
        notes = {}
        for recording in (candles, ticks):
            notes[recording] = tmp_path / f"{recording.stem}.txt"
            charting = {
                "name": "c",
                "strategy": "natya_players:Charting",
                "parameters": {"notes": str(notes[recording])},
            }
            plays(tmp_path / recording.stem, recording, charting)

        of_candles, of_ticks = map(noted, (notes[candles], notes[ticks]))
        minutes = [each for each in of_candles if each[0] == 1]
        assert len(minutes) == 43
        assert [each for each in of_ticks if each[0] == 1] == minutes[:-1]  # the last one is not known to be over
        fives = [each for each in of_ticks if each[0] == 5]
        assert len(fives) == 8
        assert [each for each in of_candles if each[0] == 5] == fives
        assert [each[6] for each in fives] == [500.0] * 8

    def test_of_a_whole_day_has_the_last_of_those_that_are_made_with_candles_as_with_ticks(self, tmp_path, plays):
        candles = write_candles(tmp_path / "candles.csv", 375)
        ticks = write_ticks_of(candles, tmp_path / "ticks.csv")
        fives = []
        for recording in (candles, ticks):
            notes = tmp_path / f"{recording.stem}.txt"
            charting = {"name": "c", "strategy": "natya_players:Charting", "parameters": {"notes": str(notes)}}
            plays(tmp_path / recording.stem, recording, charting)
            fives.append([each for each in noted(notes) if each[0] == 5])

        of_candles, of_ticks = fives
        assert len(of_candles) == 75
        assert of_candles == of_ticks

    def test_gives_the_lengths_of_its_settings_instead_of_its_own(self, tmp_path, plays):
        candles = write_candles(tmp_path / "candles.csv", 16)
        charting = {
            "name": "c",
            "strategy": "natya_players:Charting",
            "candles": ["15m"],
            "parameters": {"notes": str(tmp_path / "notes")},
        }
        plays(tmp_path / "data", candles, charting)

        assert [each[0] for each in noted(tmp_path / "notes")] == [15]
