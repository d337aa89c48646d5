"""What a benchmark found, and whether that is good enough."""

import runpy
from pathlib import Path

import pytest

figures = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "figures.py"), run_name="figures_under_test")
Figure, table, in_turns = figures["Figure"], figures["table"], figures["in_turns"]


class TestAFigure:
    @pytest.mark.parametrize(
        ("given", "met"),
        [
            ({"value": 3.0, "floor": 2.0, "target": 1.5}, True),
            ({"value": 3.1, "floor": 2.0, "target": 1.5}, False),
            ({"value": 3.0, "target": 3.0}, True),
            ({"value": 3.0, "target": 2.9}, False),
            ({"value": 1.0, "floor": 2.0, "target": 0.5, "at_least": True}, True),
            ({"value": 0.9, "floor": 2.0, "target": 0.5, "at_least": True}, False),
        ],
    )
    def test_is_met_as_its_ratio_or_itself_says(self, given, met):
        assert Figure(name="a", unit="us", **given).met is met

    def test_is_one_row_of_the_table(self):
        figure = Figure(
            name="writers", value=55_520.4, unit="/s", floor=1e6, floor_name="a loop", target=0.1, at_least=True
        )

        assert table([figure]).splitlines() == [
            "figure   measured   floor, in the same run  ratio  target",
            "writers  55,520 /s  1,000,000 /s a loop     0.06   >= 0.1  MISSED",
        ]


class TestTurns:
    def test_are_taken_one_after_the_other(self):
        order = []

        medians = in_turns(lambda: order.append("a"), lambda: order.append("b"), rounds=3)

        assert order == ["a", "b"] * 3
        assert len(medians) == 2
