"""`natya instruments …` as a shell calls it, beside a system and without one."""

import json
import os

import pytest
from natya_publisher import saying
from natya_scrips import listed
from typer.testing import CliRunner

import natya
from natya.actors.control import NotRunningError
from natya.cli.app import app
from natya.messages.instruments import ShowInstrument


@pytest.fixture
def shell(tmp_path):
    ours = ("NATYA_", "BROKER_", "DATABASE_", "REDIS_")
    without = {name: None for name in os.environ if name.startswith(ours)} | {"NATYA_INSTRUMENTS__ROWS_MIN": "1"}

    def call(*arguments):
        given = ["instruments", *map(str, arguments), "--data-dir", str(tmp_path / "data")]
        return CliRunner().invoke(app, given, env=without, catch_exceptions=False)

    return call


class TestWithoutASystem:
    def test_the_built_in_instruments_are_shown(self, shell):
        assert "RELIANCE" in shell("find", "reliance").stdout
        assert json.loads(shell("show", "INFY", "--json").stdout)["security_id"] == "1594"

    def test_a_list_is_read_from_a_file_and_asked(self, shell, publish):
        path = publish()

        assert f"16 instruments from {path}" in shell("refresh", "--file", path).stdout
        assert "security_id       35084" in shell("show", "NIFTY-29Sep2026-29150-CE").stdout
        found = json.loads(shell("find", "call", "--underlying", "NIFTY", "--expired", "--json").stdout)
        assert [each["symbol"] for each in found["instruments"]] == [
            "NIFTY-22Sep2026-29150-CE",
            "NIFTY-29Sep2026-29150-CE",
        ]
        assert (found["total"], found["list"]["instruments"]) == (2, 16)

    def test_a_list_is_fetched_from_an_address(self, shell, serve):
        publisher = serve(saying(listed()))

        told = json.loads(shell("refresh", "--url", publisher.url, "--json").stdout)
        assert (told["list"]["source"], told["running"]) == (publisher.url, False)

    def test_a_broken_list_is_refused_with_65_and_the_one_before_is_kept(self, shell, publish):
        shell("refresh", "--file", publish())

        refused = shell("refresh", "--file", publish("<html>\n", name="broken.csv"))
        assert (refused.exit_code, "columns: SEM_EXM_EXCH_ID" in refused.stderr) == (65, True)
        assert shell("show", "HFCL").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "code", "reason"),
        [
            (("show", "NIX"), 1, "found 'NIX'"),
            (("show", "infosys"), 1, "which is that of BSE:INFY, INFY"),
            (("refresh", "--file", "/nowhere/list.csv"), 73, "No such file"),
            (("refresh", "--file", "a", "--url", "b"), 2, "--file and --url"),
            (("find", "--segment", "MOON"), 2, "MOON"),
        ],
        ids=["unknown", "several", "no file", "both", "segment"],
    )
    def test_what_cannot_be_answered_says_why(self, shell, publish, arguments, code, reason):
        shell("refresh", "--file", publish())

        refused = shell(*arguments)
        assert (refused.exit_code, reason in refused.stderr) == (code, True)


class TestBesideASystem:
    def test_a_new_list_is_used_by_it_at_once(self, shell, publish, tmp_path):
        settings = {"system.data_dir": str(tmp_path / "data"), "feed.duration_s": 600.0, "log.path": "-"}
        with natya.TradingSystem(natya.load_settings("paper", overrides=settings)) as system:
            told = json.loads(shell("refresh", "--file", publish(), "--json").stdout)
            answer = system.request("instruments", ShowInstrument(name="BSE_EQ:500209"), timeout_s=10)

        assert told["running"]
        assert (answer.instrument.symbol, answer.of.instruments) == ("BSE:INFY", 16)
        with pytest.raises(NotRunningError), natya.connect(tmp_path / "data") as gone:
            gone.ping()
