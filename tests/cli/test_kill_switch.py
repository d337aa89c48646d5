"""`natya kill-switch`: on, off, status; with a system that runs, one that hangs, and none."""

import contextlib
import errno
import json
import os
from types import SimpleNamespace

import pytest
from natya_builders import some_limits
from typer.testing import CliRunner

from natya.actors.control import ControlActor, ControlActorSettings, socket_path
from natya.actors.journal import JournalActor
from natya.actors.kill_switch import KillSwitchActor, KillSwitchActorSettings
from natya.actors.orders import OrdersActor
from natya.actors.runtime import InProcessSystem
from natya.cli import switching
from natya.cli.app import app
from natya.config import halt_file
from natya.config.data_directory import DataDirectory
from natya.config.halt_file import ELSEWHERE_NAME, HaltFile, HaltNote, elsewhere_of, write_down_elsewhere
from natya.config.sections.journal import JournalSettings
from natya.messages.journal import ReadJournal
from natya.messages.kill_switch import KillSwitchRead, ReadKillSwitch
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping


def natya(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})


@pytest.fixture
def file(tmp_path):
    return HaltFile(tmp_path / "HALT")


@pytest.fixture
def elsewhere(tmp_path):
    """Where the settings of the system have the file, which the commands here are not given."""
    return HaltFile(tmp_path / "etc" / "stop")


@pytest.fixture
def system(tmp_path, file, elsewhere):
    with InProcessSystem() as system:
        journal = JournalSettings.default(path=str(tmp_path / "journal"), segment_bytes=65_536)
        paths = (str(elsewhere.path), str(file.path))
        system.start("journal", JournalActor, journal)
        system.start("orders", OrdersActor, some_limits(halt_paths=paths))
        system.start("kill-switch", KillSwitchActor, KillSwitchActorSettings(paths=paths, look_interval_s=0.01))
        system.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path))
        yield system


def state(system):
    return system.request("orders", Ping()).statistics.risk_state


class TestASystemThatRuns:
    def test_is_halted_until_the_switch_is_off_and_a_person_resumes(self, system, tmp_path, file, elsewhere):
        on = natya("kill-switch", "on", "--reason", "prices look wrong", "--data-dir", tmp_path, "--json")
        assert (on.exit_code, json.loads(on.stdout)["system"], state(system)) == (0, "confirmed", "HALTED")
        assert file.note().reason == "prices look wrong"
        early = natya("resume", "--reason", "all is well", "--data-dir", tmp_path)
        assert (early.exit_code, state(system)) == (1, "HALTED")
        assert "natya kill-switch off" in early.stderr
        shown = natya("kill-switch", "status", "--data-dir", tmp_path)
        assert "the kill switch is on by" in shown.stdout
        assert "risk state HALTED, kill switch: prices look wrong; open orders: 0" in shown.stdout
        off = natya("kill-switch", "off", "--data-dir", tmp_path)
        assert (off.exit_code, state(system), file.is_engaged()) == (0, "HALTED", False)
        assert "natya resume" in off.stdout
        assert natya("resume", "--reason", "all is well", "--data-dir", tmp_path).exit_code == 0
        assert state(system) == "NORMAL"
        assert natya("kill-switch", "off", "--data-dir", tmp_path).exit_code == 1
        # The same, where it was put on by the file that only its settings name.
        elsewhere.path.write_text("by hand")
        shown = json.loads(natya("kill-switch", "status", "--data-dir", tmp_path, "--json").stdout)
        assert (shown["engaged"], shown["reason"], shown["path"]) == (True, "by hand", str(elsewhere.path))
        off = natya("kill-switch", "off", "--data-dir", tmp_path)
        assert (off.exit_code, elsewhere.is_engaged()) == (0, False)
        assert f"{elsewhere.path} is removed" in off.stdout
        page = system.request("journal", ReadJournal(types=("OperationAsked",)))
        switched = [each.fact.operation for each in page.records if "kill-switch" in each.fact.operation]
        assert switched == ["engage-kill-switch", "release-kill-switch", "release-kill-switch"]


class TestASystemThatIsOffAlready:
    @pytest.mark.parametrize(
        "found",
        [
            KillSwitchRead(engaged=False, path="/etc/stop"),
            Unavailable(actor="kill-switch", reason="", retry_after_s=1.0),
        ],
        ids=["off", "not there"],
    )
    def test_is_not_asked_to_let_go(self, tmp_path, file, monkeypatch, found):
        asked = []
        system = SimpleNamespace(request=lambda _, message, **__: asked.append(message) or found)
        monkeypatch.setattr("natya.client.connect", lambda _: contextlib.nullcontext(system))
        file.engage(HaltNote(reason="by hand"))

        assert switching.release(tmp_path, "paper") == str(file.path)
        assert asked == [ReadKillSwitch()]


class TestADiskThatIsFull:
    @pytest.mark.parametrize("runs", [True, False])
    def test_halts_all_the_same_and_what_no_file_says_is_told(self, request, tmp_path, monkeypatch, runs):
        def full(_path):
            raise OSError(errno.ENOSPC, "no space left")

        if runs:
            request.getfixturevalue("system")
        monkeypatch.setattr(halt_file, "new_file", full)
        on = natya("kill-switch", "on", "--flatten", "--data-dir", tmp_path)

        assert (on.exit_code, HaltFile(tmp_path / "HALT").is_engaged()) == (0, True)
        assert "HALT is there, and could not be given why, nor that positions are to be closed" in on.stderr


class TestASystemThatCannotBeAsked:
    """It starts or stops, or serves no requests; it has its directory, and may trade."""

    def test_is_not_said_not_to_run(self, tmp_path, file):
        directory = DataDirectory(tmp_path)
        directory.take()
        on = natya("kill-switch", "on", "--data-dir", tmp_path, "--json")
        shown = natya("kill-switch", "status", "--data-dir", tmp_path)
        off = natya("kill-switch", "off", "--data-dir", tmp_path)
        health = natya("health", "--data-dir", tmp_path)
        directory.release()
        after = natya("kill-switch", "on", "--data-dir", tmp_path, "--json")

        said = f"process {os.getpid()} has {tmp_path}, and answers no requests"
        assert (on.exit_code, json.loads(on.stdout)["system"]) == (69, "silent")
        assert "a system runs there, and does not answer" in shown.stdout
        assert (health.exit_code, *(said in each.stderr for each in (on, shown, off, health))) == (69, *[True] * 4)
        assert (after.exit_code, json.loads(after.stdout)["system"]) == (0, "absent")


class TestASystemThatHasStopped:
    def test_is_seen_and_let_go_at_the_file_that_only_its_settings_name(self, tmp_path, file, elsewhere):
        write_down_elsewhere((str(elsewhere.path), str(file.path)))
        elsewhere.engage(HaltNote(reason="by hand"))
        shown = json.loads(natya("kill-switch", "status", "--data-dir", tmp_path, "--json").stdout)
        off = natya("kill-switch", "off", "--data-dir", tmp_path)

        assert (shown["engaged"], shown["reason"], shown["path"]) == (True, "by hand", str(elsewhere.path))
        assert (off.exit_code, elsewhere.is_engaged()) == (0, False)

    def test_whose_settings_name_no_other_file_any_more_has_none(self, tmp_path, file, elsewhere):
        write_down_elsewhere((str(elsewhere.path), str(file.path)))
        assert elsewhere_of(tmp_path) == (str(elsewhere.path),)
        write_down_elsewhere((str(file.path),))

        assert elsewhere_of(tmp_path) == ()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("written", [b"", b"stop", b"/etc\0/x", b"\xff"])
    def test_whose_note_is_no_path_has_no_other_file(self, tmp_path, written):
        (tmp_path / ELSEWHERE_NAME).write_bytes(written)

        assert elsewhere_of(tmp_path) == ()

    def test_whose_note_is_a_link_has_no_other_file(self, tmp_path):
        (tmp_path / "victim").write_text("/etc/passwd")
        (tmp_path / ELSEWHERE_NAME).symlink_to(tmp_path / "victim")

        assert elsewhere_of(tmp_path) == ()


class TestNoSystem:
    def test_leaves_the_file_for_the_one_to_come(self, tmp_path, file):
        on = natya("kill-switch", "on", "--reason", "not today", "--data-dir", tmp_path)

        assert (on.exit_code, file.note().reason) == (0, "not today")
        assert "no system runs there" in on.stdout
        natya("kill-switch", "on", "--flatten", "--reason", "and close it", "--data-dir", tmp_path)
        assert file.note().flatten
        assert natya("flatten", "--all", "--data-dir", tmp_path).exit_code == 69
        assert natya("flatten", "--data-dir", tmp_path).exit_code == 2

    def test_shows_the_switch_all_the_same(self, tmp_path, file):
        off = json.loads(natya("kill-switch", "status", "--data-dir", tmp_path, "--json").stdout)
        assert (off["engaged"], off["system"], off["risk_state"]) == (False, "absent", "")
        file.path.write_text("by hand")
        on = natya("kill-switch", "status", "--data-dir", tmp_path)

        assert on.stdout.splitlines()[0] == f"the kill switch is on: by hand ({file.path})"

    def test_and_settings_that_are_refused_do_not_keep_it_off(self, tmp_path, file, monkeypatch):
        monkeypatch.setenv("NATYA_ORDERS__QUANTITY_MAX", "many")
        on = natya("kill-switch", "on", "--data-dir", tmp_path)

        assert (on.exit_code, file.is_engaged()) == (0, True)
        assert "the settings are refused" in on.stderr


class TestALiveSystem:
    def test_is_halted_from_a_shell_without_its_credentials(self, tmp_path, monkeypatch):
        monkeypatch.delenv("BROKER_CLIENT_ID", raising=False)
        monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path))
        on = natya("kill-switch", "on", "--reason", "not today", "--profile", "live")

        assert (on.exit_code, (tmp_path / "HALT").exists()) == (0, True)
        assert natya("health", "--profile", "live").exit_code == 69  # asked, and none runs: not refused
        assert natya("deadman").exit_code == 78  # this one does need them

    def test_is_watched_with_the_settings_it_has_also_where_its_data_directory_is_named(self, tmp_path, monkeypatch):
        """Account, address and limits of the settings file: a service has both options."""
        file = tmp_path / "live.toml"
        file.write_text(
            '[broker]\nclient_id = "1000000001"\nbase_url = "http://127.0.0.1:9/v2"\n'
            "[orders]\nday_loss_max_rupees = 700.0\n[kill_switch]\nkeeps_stops = false\nloss_exit_times = 4.0\n"
        )
        watched = []

        def account(settings):
            watched.append((settings.broker.client_id, settings.broker.base_url, settings.system.data_dir))
            return contextlib.nullcontext()

        def deadman(*_, keeps_stops, loss_rupees, **__):
            watched.append((keeps_stops, loss_rupees))
            raise SystemExit(3)

        monkeypatch.setattr("natya.cli.commands.deadman._account", account)
        monkeypatch.setattr("natya.client.deadman.Deadman", deadman)
        ended = natya("deadman", "--config", file, "--data-dir", tmp_path / "data")

        assert ended.exit_code == 3, ended.output
        assert watched == [("1000000001", "http://127.0.0.1:9/v2", str(tmp_path / "data")), (False, 2_800.0)]


class TestASystemThatHangs:
    @pytest.fixture
    def hanging(self, tmp_path, monkeypatch):
        """Someone listens, and never reads."""
        monkeypatch.setattr(switching, "ANSWER_S", 0.05)
        with socket_path.listen(tmp_path) as listener:
            yield listener

    def test_finds_the_file_where_the_socket_does_not_answer(self, tmp_path, file, hanging):
        on = natya("kill-switch", "on", "--reason", "it hangs", "--data-dir", tmp_path)

        assert (on.exit_code, file.note().reason) == (69, "it hangs")
        assert "did not confirm: it looks for the file before each order leaves" in on.stdout
        assert "no answer in" in on.stderr

    def test_is_said_to_by_status(self, tmp_path, hanging):
        assert "does not answer" in natya("kill-switch", "status", "--data-dir", tmp_path).stdout

    def test_and_a_disk_that_takes_no_file_is_all_that_fails(self, tmp_path, file, hanging, monkeypatch):
        monkeypatch.setattr(HaltFile, "engage", _refused)
        on = natya("kill-switch", "on", "--data-dir", tmp_path)

        assert (on.exit_code, file.is_engaged()) == (73, False)
        assert "cannot be written" in on.stderr


def _refused(*_):
    raise PermissionError(13, "Permission denied")
