"""A project's `natya.toml` holds for every command that is given in its folder."""

import json
import os

import pytest
import typer

from natya.cli import own_settings
from natya.cli.session import settings_of
from natya.config.errors import SettingsError


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "natya.toml").write_text('[system]\ndata_dir = "data"\n[orders]\nquantity_max = 7\n')
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


class TestInTheFolderOfAProject:
    def test_the_kill_switch_is_that_of_its_system(self, natya, project):
        """Not that of the profile's own directory, where another system may run, or none."""
        on = natya("kill-switch", "on", "--reason", "stop", "--json")

        assert json.loads(on.stdout)["path"] == str(project / "data" / "HALT")
        assert (project / "data" / "HALT").exists()

    @pytest.mark.parametrize(
        "command", [("tree",), ("health",), ("reload",), ("orders",), ("positions",), ("dashboard",)]
    )
    def test_a_system_is_looked_for_in_its_data_directory(self, natya, project, command):
        found = natya(*command)

        assert found.exit_code != 0
        assert str(project / "data") in found.stderr

    def test_settings_are_those_of_its_file(self, natya, project):
        told = natya("config", "show", "--json")
        shown = json.loads(told.stdout)

        assert f"settings of {project / 'natya.toml'}" in told.stderr
        assert shown["settings"]["orders.quantity_max"] == {"value": 7, "origin": str(project / "natya.toml")}

    def test_another_file_that_is_named_ranks_above_it(self, natya, project):
        (project / "other.toml").write_text("[orders]\nquantity_max = 8\n")

        shown = json.loads(natya("config", "show", "--config", "other.toml", "--json").stdout)

        assert shown["settings"]["orders.quantity_max"]["value"] == 8
        assert not shown["settings"]["system.data_dir"]["value"].startswith(str(project))

    @pytest.mark.parametrize("named", [True, False], ids=["named", "of the project"])
    def test_who_looks_takes_settings_too_by_which_none_could_start(self, project, monkeypatch, named):
        monkeypatch.setenv("NATYA_SUPERVISION__BACKOFF_FIRST_S", "9")
        monkeypatch.setenv("NATYA_SUPERVISION__BACKOFF_MAX_S", "1")
        data_dir = project / "data" if named else None

        assert settings_of(data_dir, "paper").supervision.backoff_first_s == 9
        with pytest.raises(typer.Exit) as ended:
            settings_of(data_dir, "paper", only_looks=False)
        assert ended.value.exit_code == 78

    def test_a_data_directory_that_is_named_is_taken_without_reading_it(self, natya, project, tmp_path):
        (project / "natya.toml").write_text("no TOML at all")

        on = natya("kill-switch", "on", "--data-dir", tmp_path / "elsewhere", "--json")

        assert json.loads(on.stdout)["path"] == str(tmp_path / "elsewhere" / "HALT")

    def test_limits_of_a_data_directory_that_is_named_are_not_those_of_its_file(self, natya, project, tmp_path):
        shown = natya("limits", "--data-dir", tmp_path / "elsewhere", "--json")

        assert (shown.exit_code, str(project) in shown.stdout + shown.stderr) == (0, False)
        assert shown.stderr == (
            "natya.toml of this folder is not read, since --data-dir names a system: --config natya.toml has it read\n"
        )
        assert str(project / "natya.toml") in natya("limits", "--json").stdout

    def test_a_backtest_is_by_its_file_wherever_its_journal_stays(self, natya, project, tmp_path):
        (project / "natya.toml").write_text("[orders]\nquantity_max = 0\n")
        (project / "rising.csv").write_text("date,open,high,low,close,volume\n2025-11-03T09:15:00,1,1,1,1,1\n")
        (project / "idle.py").write_text("import natya\nclass Idle(natya.StrategyActor): pass\n")

        refused = natya("backtest", "idle.py", "--data", "rising.csv", "--symbol", "A", "--data-dir", tmp_path / "kept")

        assert (refused.exit_code, "orders.quantity_max" in refused.stderr) == (78, True)

    def test_one_that_is_broken_is_told_and_nothing_else_is_halted_instead(self, natya, project, tmp_path):
        (project / "natya.toml").write_text("no TOML at all")

        refused = natya("kill-switch", "on")

        assert refused.exit_code == 78
        assert "--data-dir" in refused.stderr
        assert not (tmp_path / "state").exists()

    def test_secrets_are_kept_with_its_system(self, natya, project):
        listed = natya("secrets", "keep", "files", "--json")

        assert listed.exit_code == 0
        assert (project / "data" / "secrets").is_dir()


class TestAFileThatSomebodyElseHasPutThere:
    def test_is_used_only_where_it_is_named(self, natya, project, monkeypatch):
        """It names code that is run."""
        monkeypatch.setattr(own_settings.os, "geteuid", lambda: os.getuid() + 1)
        (project / "natya.toml").chmod(0o644)
        if os.getuid() == 0:  # root's files are trusted by everybody
            os.chown(project / "natya.toml", 65_534, 65_534)

        with pytest.raises(SettingsError, match="--config"):
            own_settings.own_settings()
        assert natya("tree").exit_code == 78
        assert own_settings.own_settings(project / "natya.toml") == project / "natya.toml"


def test_no_file_is_no_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert own_settings.own_settings() is None
