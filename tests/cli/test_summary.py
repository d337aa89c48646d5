"""What the summary says of a run, and when a run was no success."""

import pytest

import natya
from natya.actors.database.requests.files import NOT_YET
from natya.cli.exit_codes import NOT_RECORDED, OK
from natya.cli.foreground import perform, summary_text
from natya.messages.order_listing import OrdersStatistics
from natya.summary import losses, summarize


class TestARunThatIsNotAllInTheDatabase:
    @pytest.mark.parametrize(
        ("counted", "told"),
        [
            ({"recorded": 0}, "1,000 of 1,000 ticks are not recorded in /m"),
            ({"recorded": 999}, "1 of 1,000 ticks are not recorded in /m"),
            ({"recorded_candles": 1}, "3 of 4 candles are not recorded in /m"),
            ({"unprojected": 7}, "7 facts of the journal are not in /c: the next start reads them there"),
        ],
        ids=["no tick", "all ticks but one", "candles", "facts"],
    )
    def test_ends_with_a_code_of_its_own_and_says_what_is_missing(self, play, settings, capsys, counted, told):
        assert perform(settings, lambda _: play(**counted)) == NOT_RECORDED
        assert capsys.readouterr().err == f"natya: {told}\n"

    def test_says_what_of_the_market_data_before_it_was_damaged(self, play, settings, capsys):
        assert perform(settings, lambda _: play(market_damage="put aside as /m.corrupt-1")) == NOT_RECORDED
        told = "natya: market data of earlier runs was damaged: put aside as /m.corrupt-1\n"
        assert capsys.readouterr().err == told

    def test_says_why_the_database_was_down(self, play, settings, capsys):
        perform(settings, lambda _: play(recorded=0, database_down="held by process 7"))

        assert capsys.readouterr().err.splitlines()[-1] == "natya: the database was down: held by process 7"

    def test_is_a_success_when_it_is_all_there_after_all(self, play, settings, capsys):
        assert perform(settings, lambda _: play(recorded=1_001, database_down="full a moment ago")) == OK
        assert not capsys.readouterr().err


class TestADatabaseThatNeverCameUp:
    def test_leaves_the_summary_of_what_was_traded(self, tmp_path):
        (tmp_path / "a file").touch()
        core = tmp_path / "a file" / "natya.duckdb"
        overrides = {
            "system.data_dir": str(tmp_path / "data"),
            "database.path": str(core),
            "system.shutdown_s": 0.5,  # that the database has to write what is not durable
            "feed.speed": 0.0,
            "feed.duration_s": 1.0,
            "control.enabled": False,
        }
        with natya.TradingSystem(natya.load_settings(environment={}, overrides=overrides)) as system:
            system.await_end()
            counted = system.stop()

        assert counted.ticks > 0
        assert (counted.recorded, counted.databases.core) == (0, str(core))
        assert "cannot be made" in counted.database_down or counted.database_down == NOT_YET
        assert losses(counted)


class TestASummary:
    def test_counts_what_is_durable_and_what_was_refused_by_rule(self, view):
        statistics = dict(view(ticks=990, refused_by_rule={"position": 2, "hours": 1}, lag=3).statistics)
        counted = summarize("paper", statistics, dead_letters=0, wall_s=1.0)

        assert (counted.ticks, counted.recorded) == (990, 980)
        assert (counted.candles, counted.recorded_candles) == (4, 2)
        assert list(counted.refused.items()) == [("hours", 1), ("position", 2)]
        assert counted.unprojected == 3
        assert len(losses(counted)) == 3

    def test_names_the_rules_for_a_person(self, play):
        assert "refused by rule: position 2, value 1,200\n" in summary_text(
            play(refused={"position": 2, "value": 1_200}).stop()
        )
        assert "refused" not in summary_text(play().stop())

    def test_is_read_from_a_peer_that_does_not_count_by_rule(self):
        counted = OrdersStatistics(
            risk_state="NORMAL", orders=1, fills=0, rejected=1, open_orders=0, uncertain_orders=0, positions=()
        )

        assert counted.refused_by_rule == {}
