import getpass
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_starts import Natya
from typer.testing import CliRunner

from natya.actors.runtime import UnknownActorError
from natya.cli.app import app
from natya.cli.service import files, options
from natya.cli.service.files import NotOurUnitError, closed_to, install, uninstall
from natya.cli.service.manager import ServiceManager
from natya.cli.service.unit import MARK, STATE, Service, quoted, unit_text
from natya.cli.service.watchdog import OF_A_NODE, OF_TRADING, Watchdog
from natya.messages.journal import DurableProved
from natya.messages.supervision import Unavailable
from natya.messages.system import ActorStatistics, Pong

SECOND = 10**9


@pytest.fixture
def systemd(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def heard(systemd):
    systemd.setblocking(False)
    found = []
    while True:
        try:
            found.append(systemd.recv(1_024).decode())
        except BlockingIOError:
            return found


class TestAServiceManager:
    @pytest.fixture
    def manager(self, systemd):
        environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
        return ServiceManager.of(environment, pid=7)

    def test_is_told_that_it_is_ready_and_stops(self, systemd, manager):
        manager.ready("paper,\nin /data")
        manager.stopping(12.5)

        stops = "STOPPING=1\nEXTEND_TIMEOUT_USEC=42500000"
        assert heard(systemd) == ["READY=1\nSTATUS=paper, in /data", stops]

    def test_is_told_how_it_stands_when_that_is_another(self, systemd, manager):
        manager.ready("paper: NORMAL")
        for status in ("paper: NORMAL", "paper: HALTED,\nby hand", "paper: HALTED, by hand"):
            manager.stands(status)

        assert heard(systemd) == ["READY=1\nSTATUS=paper: NORMAL", "STATUS=paper: HALTED, by hand"]

    @pytest.mark.parametrize(
        "environment",
        [{}, {"NOTIFY_SOCKET": "/does/not/exist"}, {"NOTIFY_SOCKET": "relative"}, {"NOTIFY_SOCKET": "/x" * 200}],
        ids=["none", "gone", "relative", "long"],
    )
    def test_that_is_not_there_is_no_error(self, environment):
        manager = ServiceManager.of({**environment, "WATCHDOG_USEC": "x"}, pid=7)
        manager.ready("")
        manager.feed()
        manager.stopping(1.0)
        assert not manager.is_hungry(0)


class Actors:
    """Answer at once, but for those that are silent, gone, or say something else."""

    def __init__(self):
        self.silent, self.gone, self.others = set(), set(), {}
        self.asked = []

    def ask(self, name, message):
        if name in self.gone:
            raise UnknownActorError(name)
        self.asked.append((name, type(message).__name__))
        answer = Future()
        if name not in self.silent:
            alive = DurableProved(last_sequence=7) if name == "journal" else Pong(actor=name, statistics=COUNTS)
            answer.set_result(self.others.get(name, alive))
        return answer


COUNTS = ActorStatistics(handled=1, failures=0)


class TestTheWatchdog:
    @pytest.fixture
    def actors(self):
        return Actors()

    @pytest.fixture
    def watchdog(self, systemd, actors):
        environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
        return Watchdog(ServiceManager.of(environment, pid=7), OF_TRADING, actors.ask)

    def test_is_fed_three_times_in_its_time(self, systemd, watchdog, actors):
        for at_s in range(32):
            watchdog.look(at_s * SECOND)

        assert heard(systemd) == ["WATCHDOG=1"] * 4
        assert actors.asked[:3] == [("events", "Ping"), ("orders", "Ping"), ("journal", "ProveDurable")]

    @pytest.mark.parametrize("silent", ["journal", "events", "orders"])
    def test_starves_while_one_that_is_needed_does_not_answer(self, systemd, watchdog, actors, silent):
        actors.silent = {silent}
        for at_s in range(60):
            watchdog.look(at_s * SECOND)
        assert heard(systemd) == []

        actors.silent = set()
        for at_s in range(60, 62):
            watchdog.look(at_s * SECOND)
        assert heard(systemd) == ["WATCHDOG=1"]

    def test_starves_while_one_is_gone_or_cannot_prove_it(self, systemd, watchdog, actors):
        actors.others = {"journal": Unavailable(actor="journal", reason="it is restarted", retry_after_s=1.0)}
        watchdog.look(0)
        actors.others, actors.gone = {}, {"orders"}
        for at_s in range(1, 60):
            watchdog.look(at_s * SECOND)

        assert heard(systemd) == []

    def test_of_another_process_is_asked_nothing_for(self, systemd, actors):
        environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
        watchdog = Watchdog(ServiceManager.of(environment, pid=8), OF_TRADING, actors.ask)
        watchdog.look(0)
        watchdog.look(1)

        assert (heard(systemd), actors.asked) == ([], [])

    def test_of_a_node_needs_neither_orders_nor_a_journal(self):
        assert [name for name, _, _ in OF_A_NODE] == ["events", "nodes"]


class TestARunUnderSystemd:
    def test_tells_when_it_is_ready_lives_and_stops(self, systemd, tmp_path):
        environment = {**os.environ, "NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000000"}
        command = commanded("paper", None, tmp_path / "data")
        with Natya(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            told = [systemd.recv(1_024).decode() for _ in range(4)]
            process.send_signal(signal.SIGTERM)
            told.append(systemd.recv(1_024).decode())
            output, _ = process.communicate(timeout=60)

        name = f"STATUS=paper, in {tmp_path / 'data'}"
        assert told[0] == f"{name}: it starts"
        assert told[1] == f"READY=1\n{name}"
        assert sorted(told[2:4]) == [f"{name}: NORMAL", "WATCHDOG=1"]
        assert told[4].startswith("STOPPING=1\nEXTEND_TIMEOUT_USEC=")
        assert process.returncode == 0
        assert msgspec.json.decode(output)["profile"] == "paper"


def a_service(**changes):
    command = ("/opt/natya/bin/natya", "run", "--profile", "paper")
    return Service(**{"profile": "paper", "command": command, "data_dir": Path("/data"), "stop_s": 1.0, **changes})


def commanded(profile, config, data_dir):
    """Return what the unit of these settings has systemd run, without the program."""
    settings = [f"system.data_dir={data_dir}"]
    return options.service_of(profile, config, settings, live=False, system=False, user="").command[1:]


def node_settings(folder):
    """Write those of a node that no server of streams answers."""
    settings = folder / "node.toml"
    settings.write_text(
        '[nodes]\nplay = "p"\n[redis]\nnode = "n1"\nport = 1\n[[strategies]]\nname = "w"\nhost = "node"\n'
        'strategy = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"\n',
        encoding="utf-8",
    )
    return settings


class TestANodeUnderSystemd:
    def test_has_its_watchdog_fed_and_is_not_ended_by_a_hangup(self, systemd, tmp_path):
        settings = node_settings(tmp_path)
        environment = {**os.environ, "NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000000"}
        with Natya(
            commanded("node", settings, tmp_path / "data"),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            told = [systemd.recv(1_024).decode() for _ in range(2)]
            process.send_signal(signal.SIGHUP)
            said = process.stderr.readline().decode()
            process.send_signal(signal.SIGTERM)
            told.append(systemd.recv(1_024).decode())
            process.communicate(timeout=60)

        assert told[0].startswith("READY=1\nSTATUS=node of p, in ")
        assert told[1] == "WATCHDOG=1"
        assert told[2].startswith("STOPPING=1\nEXTEND_TIMEOUT_USEC=")
        assert said == "natya: the settings in force stay: only a start takes others\n"
        assert process.returncode == 0


class TestAUnit:
    def test_is_ready_when_told_and_stopped_by_the_main_process_alone(self):
        text = unit_text(a_service())

        assert text.startswith(MARK)
        for line in ("Type=notify", "KillMode=mixed", "WatchdogSec=20", "RestartPreventExitStatus=2 65 77 78"):
            assert f"\n{line}\n" in text
        assert "User=" not in text

    def test_has_all_the_time_that_reading_its_journal_back_takes(self):
        assert "\nTimeoutStartSec=infinity\n" in unit_text(a_service())

    def test_is_not_killed_before_its_actors_and_its_threads_may_have_ended(self):
        assert "\nTimeoutStopSec=198\n" in unit_text(a_service(stop_s=167.5))

    @pytest.mark.parametrize(
        ("profile", "given", "seconds"),
        [
            ("paper", [], 209),
            ("paper", ["--set", "system.shutdown_s=20"], 369),
            ("paper", ["--set", "control.enabled=false"], 176),
        ],
    )
    def test_may_stop_as_long_as_the_settings_allow_it_is_written_for(self, tmp_path, profile, given, seconds):
        wanted = ["service", "show", "--profile", profile, "--set", f"system.data_dir={tmp_path}", *given, "--json"]
        unit = msgspec.json.decode(CliRunner().invoke(app, wanted).stdout)["unit"]

        assert f"\nTimeoutStopSec={seconds}\n" in unit

    def test_of_a_node_may_stop_its_strategies_too_and_none_is_loaded_for_that(self, tmp_path):
        settings = node_settings(tmp_path)
        settings.write_text(settings.read_text().replace("natya.actors.strategy.bodies.crossover", "not.there"))
        wanted = ["service", "show", "--profile", "node", "--config", settings, "--json"]
        unit = msgspec.json.decode(CliRunner().invoke(app, [str(word) for word in wanted]).stdout)["unit"]

        assert "\nTimeoutStopSec=" in unit

    def test_has_its_settings_read_anew_by_the_command_that_says_what_came_of_it(self):
        reload = ("/opt/natya/bin/natya", "reload", "--data-dir", "/my data")

        assert '\nExecReload=/opt/natya/bin/natya reload --data-dir "/my data"\n' in unit_text(a_service(reload=reload))
        assert "ExecReload" not in unit_text(a_service())

    def test_of_the_system_sees_nothing_but_its_data(self):
        text = unit_text(a_service(user="trader"))

        for line in ("User=trader", "ReadWritePaths=/data", "ProtectSystem=strict", "CapabilityBoundingSet="):
            assert f"\n{line}\n" in text

    def test_runs_in_the_folder_of_its_settings_where_its_strategies_are_found(self):
        assert "\nWorkingDirectory=/my play/50%%\nExecStart=" in unit_text(a_service(folder=Path("/my play/50%")))
        assert "WorkingDirectory" not in unit_text(a_service())

    def test_has_no_line_that_a_folder_adds(self):
        with pytest.raises(ValueError, match="printable"):
            unit_text(a_service(folder=Path("/a\nExecStartPre=")))

    def test_of_the_system_has_its_folder_made_by_systemd(self):
        text = unit_text(a_service(user="trader", data_dir=Path("/var/lib/natya-paper")))

        assert "\nStateDirectory=natya-paper\nStateDirectoryMode=0700\n" in text

    @given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
    def test_has_words_that_systemd_reads_as_they_were(self, text):
        word = quoted(text)
        inside = word[1:-1].replace('\\"', '"').replace("\\\\", "\\") if word.startswith('"') else word

        assert inside.replace("%%", "%").replace("$$", "$") == text
        assert "%" not in inside.replace("%%", "")
        assert "$" not in inside.replace("$$", "")

    @pytest.mark.parametrize("text", ["a\nExecStartPre=/bin/false", "a\rb", "a\x00b"])
    def test_has_no_line_that_a_word_adds(self, text):
        with pytest.raises(ValueError, match="printable"):
            quoted(text)


class TestTheFileOfAUnit:
    def test_is_written_again_and_removed(self, tmp_path):
        path = install(a_service(), tmp_path / "user")
        install(a_service(data_dir=Path("/other"), user="trader"), tmp_path / "user")

        assert path.name == "natya-paper.service"
        assert "/other" in path.read_text()
        assert [each.name for each in path.parent.iterdir()] == [path.name]
        assert uninstall(a_service(), path.parent)
        assert not uninstall(a_service(), path.parent)

    @pytest.mark.parametrize("kind", ["text", "link"])
    def test_of_another_is_left_alone(self, tmp_path, kind):
        other = tmp_path / "other"
        other.write_text("[Service]\n")
        path = tmp_path / a_service().name
        path.symlink_to(other) if kind == "link" else path.write_text("[Service]\n")

        for change in (install, uninstall):
            with pytest.raises(NotOurUnitError):
                change(a_service(), tmp_path)
        assert other.read_text() == path.read_text() == "[Service]\n"


class TestAFileOfAService:
    """Of a folder that lies in none which is closed to others."""

    @pytest.fixture
    def folder(self):
        with tempfile.TemporaryDirectory() as found:
            Path(found).chmod(0o755)
            yield Path(found)

    @pytest.mark.parametrize(
        ("of_folder", "of_file", "closed"),
        [
            (0o755, 0o644, None),
            (0o751, 0o604, None),
            (0o755, 0o640, "natya.toml"),
            (0o755, 0o600, "natya.toml"),
            (0o754, 0o644, "."),
            (0o700, 0o600, "."),
        ],
    )
    def test_is_closed_to_others_by_its_mode_or_that_of_a_folder(self, folder, of_folder, of_file, closed):
        path = folder / "natya.toml"
        path.touch()
        path.chmod(of_file)
        folder.chmod(of_folder)

        assert closed_to("nobody", path) == (None if closed is None else folder / closed)

    def test_is_its_owners_to_read_and_its_groups(self, folder, monkeypatch):
        path, me = folder / "natya.toml", pwd.getpwuid(os.getuid())
        path.touch()
        path.chmod(0o400)
        assert closed_to(me.pw_name, path) is None

        path.chmod(0o040)
        assert closed_to(me.pw_name, path) == path
        monkeypatch.setattr(files.os, "getgrouplist", lambda *_: [path.stat().st_gid])
        assert closed_to("nobody", path) is None

    def test_that_is_not_there_is_closed(self, folder):
        assert closed_to("nobody", folder / "none") == folder / "none"

    def test_is_what_a_link_leads_to(self, folder):
        (folder / "closed").mkdir(mode=0o700)
        (folder / "closed" / "natya.toml").touch()
        (folder / "link").symlink_to(folder / "closed" / "natya.toml")

        assert closed_to("nobody", folder / "link") == folder / "closed"


class TestTheCommands:
    @pytest.fixture
    def natya(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("PATH", str(tmp_path))  # no systemctl
        return lambda *words: CliRunner().invoke(app, ["service", *words])

    def test_install_and_uninstall_a_unit_of_the_user(self, natya, tmp_path):
        path = tmp_path / "config/systemd/user/natya-paper.service"
        installed = natya("install", "--set", "control.http=true")

        assert installed.exit_code == 0, installed.output
        assert "--set control.http=true" in path.read_text()
        assert f"for the manager of {getpass.getuser()}" in " ".join(installed.output.split())
        assert "systemctl --user enable --now natya-paper.service" in installed.output
        removed = natya("uninstall")
        assert (removed.exit_code, "there is no systemctl here" in removed.stderr) == (0, True)
        assert not path.exists()
        assert natya("uninstall").exit_code == 1

    def test_a_unit_trades_in_the_folder_that_its_reload_asks(self, natya, tmp_path, monkeypatch):
        """A variable of the environment that it was written in is none of the service's."""
        monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path / "mine"))
        found = natya("show").stdout

        for command in ("ExecStart=", "ExecReload="):
            line = next(line for line in found.splitlines() if line.startswith(command))
            assert line.endswith(f"--data-dir {tmp_path / 'mine'}")

    def test_what_only_this_environment_says_is_named(self, natya, monkeypatch):
        monkeypatch.setenv("BROKER_CLIENT_ID", "1000000001")
        monkeypatch.setenv("NATYA_ORDERS__QUANTITY_MAX", "7")

        shown = natya("show")

        assert "broker.client_id (BROKER_CLIENT_ID), orders.quantity_max (NATYA_ORDERS__QUANTITY_MAX)" in shown.stderr
        assert "1000000001" not in shown.output

    def test_a_unit_that_trades_live_alone_is_held_to_what_live_trading_wants(self, natya):
        live = natya("show", "--profile", "live", "--live")
        no_unit_of_it = natya("show", "--profile", "live", "--system", "--user", "nobody")

        assert "broker.confirmed_limits" in live.stderr
        assert "broker.confirmed_limits" not in no_unit_of_it.stderr

    @pytest.mark.parametrize(
        ("words", "given_as"), [((), "if it is not there yet"), (("--system", "--user", "nobody"), "given as nobody")]
    )
    def test_a_token_that_only_the_service_will_have_is_told_of_and_not_missed(self, natya, tmp_path, words, given_as):
        """It is a credential of the unit, or kept by its user in a folder which nobody else may read."""
        settings = tmp_path / "live.toml"
        settings.write_text('[broker]\nclient_id = "1"\n[feed]\nsource = "dhan"\nsymbols = ["TCS"]\n')
        (tmp_path / "data/secrets").mkdir(parents=True, mode=0o777)  # refused by who reads it
        (tmp_path / "data/secrets").chmod(0o777)
        where = ("--config", str(settings), "--set", f"system.data_dir={tmp_path / 'data'}")

        shown = natya("show", "--profile", "live", *where, *words)
        without = natya("show", "--profile", "live", "--config", str(settings), "--set", "broker.client_id=")

        assert shown.exit_code == 0, shown.stderr
        said = " ".join(shown.stderr.split())
        assert f"its access token is to be in {tmp_path / 'data'}" in said
        assert given_as in said
        assert f"\nWorkingDirectory={tmp_path}\n" in shown.stdout
        assert (without.exit_code, "broker.client_id: wanted the number" in without.stderr) == (78, True)

    @pytest.mark.parametrize("system", [False, True])
    @pytest.mark.parametrize("live", [False, True])
    def test_a_unit_trades_live_where_that_was_said(self, monkeypatch, live, system):
        loaded = options.load_for_a_service("paper", {})
        monkeypatch.setattr(options, "load_for_a_service", lambda *_, **__: loaded)
        service = options.service_of("live", None, [], live=live, system=system, user="nobody" if system else "")

        assert ("--live" in service.command) == live

    def test_a_unit_of_a_node_has_no_command_that_reads_settings_anew(self, natya, tmp_path):
        settings = node_settings(tmp_path)
        shown = natya("show", "--profile", "node", "--config", settings)

        assert "ExecStart=" in shown.output
        assert "ExecReload=" not in shown.output

    def test_a_user_that_is_not_there_is_named(self, natya):
        assert (
            "useradd --system nobody-of-that-name" in natya("show", "--system", "--user", "nobody-of-that-name").stderr
        )
        assert "useradd" not in natya("show", "--system", "--user", "nobody").stderr

    def test_a_file_that_a_service_of_the_system_will_not_see_is_named(self, monkeypatch):
        told = []
        monkeypatch.setattr(options, "note", told.append)
        closed = {Path("/root/natya.toml"): Path("/root"), Path("/usr/bin/natya"): None}
        its_own = [folder / "x/natya.toml" for folder in options.ITS_OWN]
        monkeypatch.setattr(options, "closed_to", lambda _, path: closed[path])
        paths = (*closed, *its_own)

        options.tell_what_it_lacks(a_service(user="nobody", reads=paths, data_dir=STATE / "natya-paper"))
        options.tell_what_it_lacks(a_service(reads=paths))
        options.tell_what_it_lacks(a_service(user="nobody-of-that-name", reads=paths))

        assert [line.partition(": ")[0] for line in told] == [
            "nobody may not read /root/natya.toml, by the mode of /root",
            *(f"{path} is not seen by the service, which has a /tmp of its own" for path in its_own),
            "there is no user nobody-of-that-name here yet",
        ]

    def test_a_data_directory_without_which_systemd_starts_nothing_is_named(self, monkeypatch, tmp_path):
        told = []
        monkeypatch.setattr(options, "note", told.append)
        monkeypatch.setattr(options, "ITS_OWN", (tmp_path / "tmp",))
        me = pwd.getpwuid(os.getuid()).pw_name
        for user, data_dir in [
            (me, tmp_path / "none"),
            ("nobody", tmp_path),
            (me, tmp_path / "tmp/data"),
            (me, tmp_path),
            (me, STATE / "natya-never-there"),  # systemd makes it
        ]:
            options.tell_what_it_lacks(a_service(user=user, data_dir=data_dir))

        assert [line.partition(": ")[2] for line in told] == [
            f"install -d -o {me} -m 700 {tmp_path / 'none'}",
            f"chown -R nobody {tmp_path}",
            "name another system.data_dir",
        ]

    def test_what_they_read_is_the_program_and_the_settings_file(self, natya, tmp_path, monkeypatch):
        asked = []
        monkeypatch.setattr(options, "closed_to", lambda user, path: asked.append((user, path)))
        monkeypatch.setattr(options, "ITS_OWN", ())
        (tmp_path / "natya.toml").touch()

        natya("show", "--system", "--user", "nobody", "--config", str(tmp_path / "natya.toml"))

        programs = Path(sys.executable).with_name("natya"), Path(sys.executable)
        assert asked == [("nobody", path) for path in (*programs, tmp_path / "natya.toml")]

    @pytest.mark.parametrize(
        ("script", "code", "told"),
        [
            ("exit 0", 0, "natya-paper.service runs"),
            ("echo no manager >&2; exit 1", 1, "--user enable --now natya-paper.service: no manager"),
        ],
    )
    def test_start_it_by_the_manager_of_the_user(self, natya, tmp_path, script, code, told):
        program, calls = tmp_path / "systemctl", tmp_path / "calls"
        program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n[ "$2" != is-active ] || exit 3\n{script}\n')
        program.chmod(0o755)

        installed = natya("install", "--now")

        assert (installed.exit_code, told in installed.output) == (code, True), installed.output
        asked = ("daemon-reload", "is-active --quiet natya-paper.service", "enable --now natya-paper.service")
        assert calls.read_text() == "".join(f"--user {each}\n" for each in asked)
        assert "restart" not in installed.output
        assert ("not read by systemd yet" in installed.output) is bool(code)
        assert ("loginctl enable-linger" in installed.output) is (code == 0)

    @pytest.mark.parametrize("words", [(), ("--now",)])
    def test_say_that_one_which_runs_goes_on_as_it_was_started(self, natya, tmp_path, words):
        program = tmp_path / "systemctl"
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)

        said = " ".join(natya("install", *words).stderr.split())

        assert "it runs as it was started before" in said
        assert "systemctl --user restart natya-paper.service" in said

    def test_say_how_to_start_it_where_systemd_may_not_be_asked(self, natya, monkeypatch):
        def fails(*_, **__):
            raise PermissionError

        monkeypatch.setattr("natya.cli.service.files.shutil.which", lambda _: "/bin/systemctl")
        monkeypatch.setattr("natya.cli.service.files.subprocess.run", fails)
        installed = natya("install")

        assert installed.exit_code == 0
        assert "not read by systemd yet: /bin/systemctl --user daemon-reload: PermissionError" in installed.output
        assert "start it: systemctl --user enable --now natya-paper.service" in installed.output

    def test_refuse_settings_that_would_not_run(self, natya, tmp_path):
        assert natya("install", "--set", "broker.name=nobody").exit_code == 78
        assert not list(tmp_path.rglob("*.service"))

    def test_refuse_to_run_as_another_user_under_your_own_manager(self, natya):
        refused = natya("show", "--user", "trader")

        assert refused.exit_code == 2
        assert "--system, whose units run as another user, wanted beside --user; found none" in refused.stderr

    @pytest.mark.parametrize("words", [("--system",), ("--system", "--user", "root")])
    def test_refuse_to_run_as_root(self, natya, words):
        assert natya("show", *words).exit_code == 2

    def test_show_what_would_be_written(self, natya, tmp_path):
        shown = natya("show", "--system", "--user", "trader")

        assert "--data-dir /var/lib/natya-paper" in shown.stdout
        assert not list(tmp_path.rglob("*.service"))
