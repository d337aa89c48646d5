"""The page of a sweep and of a walk forward, and its maps of two parameters."""

import re
import statistics
from itertools import accumulate
from pathlib import Path

import msgspec
import natya_backtests
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from natya_backtests import a_test
from natya_browser import CHROMIUM, a_browser, watched_page
from natya_pages import Page
from natya_recordings import write_candles
from typer.testing import CliRunner

from natya.backtest.pages import heat, sweep
from natya.backtest.pages.heat import AXIS_MAX, LEVELS, beside, best_place, heat_maps, level, medians, varied
from natya.backtest.pages.sweep import page_of_sweep, page_of_walk
from natya.backtest.plan import Plan
from natya.backtest.sweeping.outcomes import Outcome
from natya.backtest.sweeping.shown import OUTCOME_HEAD
from natya.backtest.sweeping.sweep import Step, Walk
from natya.backtest.sweeping.windows import Window
from natya.cli.app import app
from natya.domain.time import DAY_NS

STYLE = Path(sweep.__file__).with_name("style.css")
PHONE = {"width": 390, "height": 844}
STRATEGY = f"{Path(natya_backtests.__file__)}:Crossover"


def grid(values, **sides):
    """Return the value of each choice of two or more parameters, the last of which changes fastest."""
    choices = [{}]
    for name, each in sides.items():
        choices = [{**choice, name: value} for choice in choices for value in each]
    return list(zip(choices, values, strict=True))


def an_outcome(sharpe, **parameters):
    return a_test(str(parameters), parameters=parameters, sharpe=sharpe, net_rupees=100 * (sharpe or 0))


@pytest.mark.parametrize(("most", "lines"), [(1, 2), (2, 1), (3, 1)])
def test_the_list_of_outcomes_says_where_it_is_not_all_of_them(monkeypatch, most, lines):
    monkeypatch.setattr(sweep, "OUTCOMES_MAX", most)
    parts = list(sweep._ranked([an_outcome(1.0, fast=1), an_outcome(0.5, fast=2)]))

    assert len(parts) == lines
    assert ("The best 1 of 2;" in parts[0]) == (most == 1)


@pytest.mark.parametrize("count", [1, 2])
def test_the_settings_are_those_of_all_tests_with_what_was_tried(count):
    outcomes = [an_outcome(1.0, fast=fast, slow=97) for fast in range(1, count + 1)]
    shown = "".join(sweep._asked(Plan(strategy=STRATEGY, data=(Path("a.csv"),)), outcomes))

    assert "97" in shown
    assert ("tried fast" in shown) is (count > 1)


class TestAMapOfTwoParameters:
    def test_has_the_value_of_each_pair_and_of_none_that_was_not_tried(self):
        valued = grid([1.0, 2.0, 3.0, None, 5.0], fast=[1], slow=[10, 20, 30, 40, 50])
        valued += grid([6.0], fast=[2], slow=[20])

        (found,) = heat_maps(valued)

        assert (found.across, found.down) == ("fast", "slow")
        assert (found.columns, found.rows) == (("1", "2"), ("10", "20", "30", "40", "50"))
        assert found.cells == ((1.0, None), (2.0, 6.0), (3.0, None), (None, None), (5.0, None))
        assert not found.is_joined

    def test_of_one_parameter_is_a_line_and_of_none_there_is_none(self):
        (found,) = heat_maps(grid([1.0, 2.0], fast=[1, 2], slow=[7]))

        assert (found.down, found.rows, found.cells) == ("", ("",), ((1.0, 2.0),))
        assert heat_maps(grid([1.0], fast=[1], slow=[7])) == []

    def test_stands_beside_those_of_other_choices_the_best_first(self):
        maps = heat_maps(grid([1.0, 2.0, 3.0, 4.0, 9.0, 5.0, 6.0, 7.0], a=[1, 2], side=["x", "y"], b=[1, 2]))

        # Of equally many values the first two parameters are the sides.
        assert {(each.across, each.down) for each in maps} == {("a", "side")}
        assert [each.others for each in maps] == [{"b": 1}, {"b": 2}]
        assert maps[0].cells == ((1.0, 9.0), (3.0, 6.0))
        assert best_place(maps[0]) == (0, 1)

    def test_has_the_two_parameters_with_the_most_values_for_its_sides(self):
        maps = heat_maps(grid(map(float, range(36)), a=[1, 2], b=[1, 2, 3], c=[1, 2], d=[1, 2, 3]))

        assert {(each.across, each.down) for each in maps} == {("b", "d")}
        assert [each.others for each in maps] == [
            {"a": 2, "c": 2}, {"a": 1, "c": 1}, {"a": 1, "c": 2}, {"a": 2, "c": 1},
        ]  # fmt: skip

    @pytest.mark.parametrize(("across", "down", "is_joined"), [(2, 2, False), (3, 2, True), (2, 3, True), (3, 1, True)])
    def test_is_joined_where_either_side_has_more_values_than_room(self, monkeypatch, across, down, is_joined):
        monkeypatch.setattr(heat, "AXIS_MAX", 2)
        (found,) = heat_maps(grid(map(float, range(across * down)), a=range(across), b=range(down)))

        assert found.is_joined is is_joined

    @pytest.mark.parametrize(
        ("values", "measure", "told"),
        [
            ([1.0, 2.0], "sharpe", ["The best cell has 2.00, half of those beside it have 1.00 or more"]),
            ([1.0, 2.0], "", []),
            ([1.0, None], "sharpe", []),
            ([None, None], "sharpe", []),
        ],
    )
    def test_tells_how_the_best_stands_out_where_it_has_a_measure_and_neighbours(self, values, measure, told):
        (found,) = heat_maps(grid(values, a=[1, 2]))

        assert [text.partition(": where")[0].rpartition(">")[2] for text in sweep._said(found, measure)] == told

    @pytest.mark.parametrize(
        ("values", "measure", "levels"),
        [
            ([-1.0, 4.0, 0.0, None], "sharpe", [-0.25, 1.0, 0.0, None]),
            ([-4.0, 1.0, 0.0, None], "sharpe", [-1.0, 0.25, 0.0, None]),
            ([1.0, 3.0, 0.0, 2.0], "profit_factor", [0.0, 1.0, -0.5, 0.5]),
            ([1.0, None, 4.0, 0.0], "", [0.25, None, 1.0, 0.0]),
        ],
    )
    def test_is_coloured_by_the_largest_distance_from_what_is_neutral(self, values, measure, levels):
        page = Page("".join(sweep._maps(grid(values, a=[1, 2, 3, 4]), "x", measure)))
        middle = LEVELS // 2

        found = [each["class"].split()[0] for each in page.all("td") if each.get("class", "").startswith("h")]
        assert found == ["hx" if each is None else f"h{middle + round(each * middle)}" for each in levels]

    def test_says_what_lies_beside_the_best(self):
        (found,) = heat_maps(grid([1.0, 2.0, 3.0, 4.0, 9.0, 5.0, 6.0, 7.0, None], a=[1, 2, 3], b=[1, 2, 3]))

        assert best_place(found) == (1, 1)
        assert beside(found, (1, 1)) == statistics.median([1, 2, 3, 4, 5, 6, 7])
        assert beside(found, (0, 0)) == statistics.median([2, 4, 9])

    @given(st.permutations([float(each) for each in range(16)]))
    def test_is_the_first_where_it_has_the_best_choice_of_all(self, values):
        valued = grid(values, a=[1, 2], b=[1, 2], c=[1, 2], d=[1, 2])
        best = next(choice for choice, value in valued if value == 15.0)

        maps = heat_maps(valued)

        assert len(maps) == 4
        assert maps[0].others == {name: best[name] for name in ("c", "d")}
        in_order = [{"c": c, "d": d} for c in (1, 2) for d in (1, 2)]
        assert [each.others for each in maps[1:]] == [each for each in in_order if each != maps[0].others]

    def test_is_one_of_so_many_and_those_left_out_are_counted(self, monkeypatch):
        monkeypatch.setattr(sweep, "MAPS_MAX", 1)
        cards = list(sweep._maps(grid(range(8), a=[1, 2], b=[1, 2], c=[1, 2]), "profit", "net_rupees"))

        assert len(cards) == 2
        assert "1 maps of other choices are left out." in cards[1]
        assert len(list(sweep._maps(grid(range(4), a=[1, 2], b=[1, 2]), "profit", "net_rupees"))) == 1

    @given(st.integers(2, 150), st.integers(1, 5))
    def test_with_more_values_than_room_joins_neighbours_to_their_median(self, across, down):
        values = [float(number * 37 % 101) for number in range(across * down)]
        (found,) = heat_maps(grid(values, a=range(across), b=range(down)))
        size = -(-across // AXIS_MAX)
        if (found.across, found.down) != ("a", "b" if down > 1 else ""):
            return

        assert len(found.columns) == -(-across // size) <= AXIS_MAX
        assert found.is_joined == (size > 1)
        for row, line in enumerate(found.cells):
            for column, value in enumerate(line):
                joined = [values[each * down + row] for each in range(column * size, min((column + 1) * size, across))]
                assert value == statistics.median(joined)

    def test_of_counts_has_the_sum_of_those_that_share_a_cell(self, monkeypatch):
        monkeypatch.setattr(heat, "AXIS_MAX", 2)
        counted, measured = (
            "".join(sweep._maps(grid([1.0, 2.0, 4.0, 8.0], fast=[1, 2, 3, 4]), "x", measure))
            for measure in ("", "sharpe")
        )

        assert [row[1:] for row in Page(counted).rows if row[0] == ""][-1] == ["3", "12"]
        assert "which has the sum of theirs" in counted
        assert [row[1:] for row in Page(measured).rows if row[0] == ""][-1] == ["1.50", "6.00"]
        assert "which has the median of theirs" in measured

    @given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6))
    def test_is_coloured_by_gain_and_loss(self, value, neutral, spread):
        found = level(value, neutral=neutral, spread=spread)

        assert 0 <= found < LEVELS
        assert level(neutral, neutral=neutral, spread=spread) == LEVELS // 2
        assert (found - LEVELS // 2) * (value - neutral) >= 0

    def test_of_several_times_has_the_median_of_each_choice(self):
        outcomes = [an_outcome(1.0, a=1), an_outcome(None, a=2), an_outcome(3.0, a=1), an_outcome(8.0, a=1)]

        assert medians(outcomes, "sharpe") == [({"a": 1}, 3.0), ({"a": 2}, None)]
        assert varied(each.parameters for each in outcomes) == {"a": [1, 2]}


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return write_candles(tmp_path_factory.mktemp("sweep") / "walk.csv", 120, seed=5, minutes_a_day=30)


def run(recording, *more):
    arguments = ["backtest", STRATEGY, "--data", str(recording), "--symbol", "TCS", "--workers", "1", *more]
    return CliRunner().invoke(app, arguments)


def luminance(colour):
    """Return the relative luminance of #rrggbb, 0 to 1, as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_value_of_a_cell_can_be_read_on_each_of_its_colours():
    style = STYLE.read_text()
    (text,) = re.findall(r"\.heat td \{[^}]* color: (#[0-9a-f]{6});", style)
    behind = dict(re.findall(r"\.h(\d) \{ background: (#[0-9a-f]{6}); \}", style))

    assert list(behind) == [str(each) for each in range(LEVELS)]
    assert all((luminance(each) + 0.05) / (luminance(text) + 0.05) >= 4.5 for each in behind.values())


class TestThePageOfASweep:
    def test_has_a_map_of_what_each_test_came_to_and_what_was_resumed(self, recording, tmp_path):
        path, kept = tmp_path / "sweep.html", tmp_path / "kept.jsonl"
        options = ["--by", "net_rupees", "--results", str(kept), "--html", str(path)]
        assert run(recording, "--sweep", "fast=2|3,slow=8", *options).exit_code == 0

        done = run(recording, "--sweep", "fast=2|3,slow=8|12", *options, "--json")

        assert done.exit_code == 0, done.stderr
        told = msgspec.json.decode(done.stdout)
        outcomes = msgspec.convert(told["outcomes"], list[Outcome])
        page = Page(path.read_text())
        cells = {(column, row[0]): value for row in page.rows if row[0] in {"8", "12"}
                 for column, value in zip(("2", "3"), row[1:], strict=True)}  # fmt: skip
        assert cells == {
            tuple(str(each.parameters[name]) for name in ("fast", "slow")): f"{each.net_rupees:+,.0f}"
            for each in outcomes
        }
        assert f"2 tests of an earlier sweep: not made again ({kept})" in page.texts["li"]
        assert page.figures["tests"] == "4"
        assert told["schema"] == 1
        assert ["tried slow", "8, 12"] in page.rows
        assert len([each for each in page.all("td") if "best" in each.get("class", "")]) == 1
        assert not page.all("script")

    def test_says_of_all_tests_how_the_best_stands_among_them_and_counts_no_gain_of_one_that_failed(self):
        plan = Plan(strategy=STRATEGY, data=(Path("a.csv"),))
        outcomes = [
            *(an_outcome(sharpe, fast=fast) for fast, sharpe in enumerate((1.5, -2.0, None, 0.25), start=1)),
            a_test("x", parameters={"fast": 9}, sharpe=9.0, net_rupees=900.0, failed="so"),
        ]
        page = Page(page_of_sweep(plan, outcomes, "sharpe"))

        assert page.figures == {
            "tests": "5",
            "chosen by": "sharpe",
            "best sharpe": "1.50",
            "half of all below": "0.25",
            "with a gain": "2",
        }
        assert "Best: fast=1" in page.texts["p"]
        assert [row[0] for row in page.rows if len(row) == 1 + len(OUTCOME_HEAD)][1:] == [
            "fast=1", "fast=4", "fast=2", "fast=3", "fast=9",
        ]  # fmt: skip
        assert page.texts["h1"] == ["natya_backtests:Crossover: sweep of 5 tests"]

    def test_takes_names_as_text(self, recording):
        hostile = "</td><script>alert(1)</script>"
        plan = Plan(strategy=STRATEGY, data=(recording,))
        outcomes = [an_outcome(each, side=f"{hostile}{each}") for each in (1.0, -2.0)]

        page = Page(page_of_sweep(plan, outcomes, "sharpe", [hostile]))

        assert not page.all("script")
        assert {f"{hostile}1.0", f"{hostile}-2.0"} <= {cell for row in page.rows for cell in row}


class TestThePageOfAWalk:
    def test_says_what_all_tests_came_to_one_after_the_other(self):
        plan = Plan(strategy=STRATEGY, data=(Path("a.csv"),), capital_rupees=1_000.0)
        trained, other = an_outcome(1.0, fast=2), an_outcome(0.5, fast=3)
        tested = [
            a_test("t1", parameters={"fast": 2}, net_rupees=100.0, total_return=0.1),
            a_test("t2", parameters={"fast": 2}, net_rupees=-50.0, total_return=-0.05),
            a_test("t3", parameters={"fast": 2}, net_rupees=70.0, total_return=0.07, failed="so"),
        ]
        steps = tuple(
            Step(window=Window(train_ns=n * DAY_NS, test_ns=(n + 1) * DAY_NS, end_ns=(n + 2) * DAY_NS), trained=trained,
                 tested=each)
            for n, each in enumerate(tested)
        )  # fmt: skip
        walk = Walk(by="sharpe", steps=steps, net_rupees=120.0, total_return=0.11815)
        page = Page(page_of_walk(plan, walk, [trained, other] * 3))

        assert page.figures == {
            "net of all tests": "+120.00",
            "return of all tests": "11.82 %",
            "times of testing": "3",
            "with a gain": "1",
            "chosen by": "sharpe",
            "choices": "2",
        }
        assert page.data["curve"]["equity"] == [1_000.0, 1_100.0, 1_045.0, 1_118.15]
        days = [each // (DAY_NS // 10**6) for each in accumulate(page.data["curve"]["milliseconds"])]
        assert days == [1, 2, 3, 4]
        chosen = [row[1:] for row in page.rows if row[0] == "" and len(row) == 3]
        assert ["3", "0"] in chosen
        assert page.texts["h1"] == ["natya_backtests:Crossover: walk forward"]

    def test_has_each_step_and_the_way_of_the_account(self, recording, tmp_path):
        path = tmp_path / "walk.html"
        options = ["--train", "2d", "--test", "1d", "--by", "net_rupees", "--html", str(path), "--json"]

        done = run(recording, "--sweep", "fast=2|3,slow=8", *options)

        assert done.exit_code == 0, done.stderr
        walk, page = msgspec.json.decode(done.stdout), Page(path.read_text())
        assert len(walk["steps"]) == 2
        worth = list(accumulate((1 + step["tested"]["total_return"] for step in walk["steps"]), lambda a, b: a * b))
        assert len(page.scripts) == 2  # what draws the curve, and the page's own
        assert page.data["curve"]["equity"] == [1e6, *(round(1e6 * each, 2) for each in worth)]
        assert list(accumulate(page.data["curve"]["milliseconds"]))[1:] == [
            step["window"]["end_ns"] // 10**6 for step in walk["steps"]
        ]
        assert [row[0].split()[-1] for row in page.rows if len(row) == 9] == ["from", "train", "test", "train", "test"]
        _, chosen, _, _ = (row[1:] for row in page.rows if not row[0])
        assert sum(map(int, chosen)) == 2


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
@pytest.mark.systems
@pytest.mark.parametrize("wishes", [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}])
@pytest.mark.parametrize("windows", [[], ["--train", "2d", "--test", "1d"]])
def test_both_are_drawn_by_a_browser_for_every_reader(recording, tmp_path, windows, wishes):
    path, complaints, asked = tmp_path / "page.html", [], []
    options = ["--by", "net_rupees", "--html", str(path), *windows]
    assert run(recording, "--sweep", "fast=2|3|4,slow=8|12", *options).exit_code == 0
    with a_browser() as browser:
        page = watched_page(browser.new_context(**wishes), complaints, asked)
        page.goto(path.as_uri())
        if windows:
            page.locator("canvas").wait_for(state="attached")
        read = Axe().run(page)
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    assert (complaints, asked, wide) == ([], [path.as_uri()], False)
    assert read.violations_count == 0, read.generate_report()
