"""`natya risk …`: limits, how much of each is used, and what they said of an order."""

import json
import time

import natya_builders
import pytest
from typer.testing import CliRunner

from natya.actors.control import ControlActor, ControlActorSettings, NotRunningError
from natya.actors.journal import Journal, JournalActor
from natya.actors.orders import OrdersActor
from natya.actors.runtime import InProcessSystem
from natya.cli.app import app
from natya.cli.views.risk import _limit, _used
from natya.config.sections.journal import JournalSettings
from natya.messages.risk import LimitChange, LimitsChanged, RiskFigure

make = natya_builders.BUILDERS


@pytest.fixture
def data_dir(tmp_path):
    """The journal of ten shares that are held, and five that are ordered."""
    journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    journal.open()
    facts = [make.intent("A-1"), make.filled("A-1"), make.cancelled("A-1"), make.intent("A-2", quantity=5)]
    journal.append([*facts, make.cancelled("A-2")], correlation_id="A")
    journal.commit()
    journal.close()
    return tmp_path


def natya(*arguments, code=0):
    answer = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "300"})
    assert answer.exit_code == code, answer.output
    return answer.stdout + (answer.stderr if code else "")


def by_rule(rows, key="rule"):
    return {row[key]: row for row in rows}


class TestLimits:
    def test_are_listed_with_where_they_were_set_and_what_for(self):
        answer = json.loads(natya("limits", "--set", "orders.repeats_max=3", "--json"))
        rules = by_rule(answer["rules"])

        assert (rules["repeats_max"]["limit"], rules["repeats_max"]["origin"]) == ("3", "command line")
        assert (rules["day_loss_max_rupees"]["limit"], rules["day_loss_max_rupees"]["origin"]) == (
            "off",
            "default.toml",
        )
        assert all(row["meaning"].endswith(".") for row in answer["rules"])

    def test_are_shown_a_line_a_rule(self):
        lines = natya("limits").splitlines()

        assert [line.split()[0] for line in lines[1:4]] == ["risk_state", "clock_skew_max_s", "client_order_id"]

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ({"quantity_max": "10"}, "quantity_max 10 where these settings have 100: natya risk show"),
            (
                {"quantity_max": "10", "repeats_max": "3", "position_max": "1000"},
                "quantity_max 10 where these settings have 100, and 1 more limit otherwise: natya risk show",
            ),
            ({"quantity_max": "100"}, ""),
        ],
    )
    def test_that_are_not_those_with_which_the_system_began_are_said_to_be_others(self, tmp_path, written, told):
        changes = tuple(LimitChange(name=name, before="", after=each, loosened=False) for name, each in written.items())
        journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        journal.append((LimitsChanged(changes=changes, occurred_ns=1),))
        journal.commit()
        journal.close()
        answer = CliRunner().invoke(app, ["limits", "--data-dir", str(tmp_path)])

        assert answer.exit_code == 0
        assert (told in " ".join(answer.stderr.split())) if told else not answer.stderr


class TestWhatIsUsed:
    def test_is_told_by_the_running_system(self, data_dir):
        with InProcessSystem() as system:
            settings = JournalSettings.default(path=str(data_dir / "journal"), segment_bytes=65_536)
            system.start("journal", JournalActor, settings)
            system.start("orders", OrdersActor, make.limits())
            system.start("control", ControlActor, ControlActorSettings(data_dir=data_dir))
            answer = json.loads(natya("risk", "show", "--data-dir", data_dir, "--json"))
            shown = natya("risk", "show", "--data-dir", data_dir)

        figures = by_rule(answer["figures"], "limit_name")
        assert answer["risk_state"] == "NORMAL"
        assert figures["position_max"]["found"] == 10
        assert "10 held, 0 open to buy, 0 open to sell" in shown

    def test_is_not_known_without_one(self, tmp_path):
        natya("risk", "show", "--data-dir", tmp_path, code=69)


class TestWhatWasSaidOfAnOrder:
    def test_is_told_from_the_journal_though_nothing_runs(self, data_dir):
        answer = json.loads(natya("risk", "explain", "A-2", "--data-dir", data_dir, "--json").splitlines()[-1])
        rules = by_rule(answer["rules"])

        assert answer["decision"] == "OrderIntended"
        assert rules["position_max"]["found"] == "15 if all open orders fill: 10 held, 0 ordered, 5 with this"
        assert rules["value_max_rupees"]["verdict"] == "unknown"

    def test_is_told_with_prices_of_the_system_that_the_settings_name(self, data_dir, tmp_path, monkeypatch):
        """By another system's prices the numbers of its rules would be wrong, and nothing would say so."""
        own = tmp_path / "own.toml"
        own.write_text(f'[system]\ndata_dir = "{data_dir}"\n')
        asked = []

        def connect(directory):
            asked.append(directory)
            raise NotRunningError(directory)

        monkeypatch.setattr("natya.client.connect", connect)
        natya("risk", "explain", "A-2", "--config", own, "--json")

        assert asked == [str(data_dir)]

    def test_of_no_order_ends_with_an_error(self, data_dir):
        assert "no order 'B-1'" in natya("risk", "explain", "B-1", "--data-dir", data_dir, code=1)


@pytest.mark.parametrize(
    ("limit", "found", "shown", "style"),
    [
        (0, None, "unknown", "dim"),
        (100, None, "unknown", "yellow"),
        (0, 5, "5", "dim"),
        (100, 0, "0", "dim"),
        (100, 79.5, "79.5", "dim"),
        (100, 80, "80", "yellow"),
        (1_000, 999, "999", "yellow"),
        (1_000, 1_000, "1,000", "bold red"),
        (100, 120, "120", "bold red"),
    ],
)
def test_what_is_used_of_a_limit_is_coloured_from_eight_tenths_of_it_on(limit, found, shown, style):
    text = _used(RiskFigure(limit_name="position_max", limit=limit, found=found, formed="shares"))

    assert (text.plain, str(text.style)) == (shown, style)


@pytest.mark.parametrize(("limit", "shown"), [(0, "off"), (1_000, "1,000"), (2.5, "2.5")])
def test_a_limit_is_its_number_and_one_of_nothing_is_off(limit, shown):
    assert _limit(RiskFigure(limit_name="position_max", limit=limit, found=0, formed="shares")) == shown
