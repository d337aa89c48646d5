import base64
import contextlib
import datetime as dt
import errno
import itertools
import json
import os
import socket
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from natya_servers import free_port
from natya_web import Served
from natya_wire import CLIENT, TOKEN
from natya_wire import Served as Exchange
from typer.testing import CliRunner

from natya.actors.control import AskTimedOutError, NotRunningError
from natya.actors.web import answer
from natya.cli.app import app
from natya.cli.doctor import installation, machine, network
from natya.cli.doctor.checks import LOCAL, OVER_THE_NETWORK, examine
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.domain.calendar import covered_years
from natya.domain.dhan.account.profile import IpAddresses

SEED = base64.b32encode(bytes(20)).decode()


def a_token(*, ends_in_s):
    now_s = time.time_ns() // 10**9
    claims = {"iss": "dhan", "iat": now_s - 5, "exp": now_s + ends_in_s}
    part = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{part}.c2lnbmVk"


@pytest.fixture
def settings(tmp_path):
    def make(**overrides):
        given = {name.replace("__", "."): value for name, value in overrides.items()}
        return load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path), **given})

    return make


@pytest.fixture(autouse=True)
def mounts(monkeypatch, tmp_path_factory):
    """What the kernel says of mounted file systems: nothing, whatever these tests run on."""
    listed = tmp_path_factory.mktemp("proc") / "mountinfo"
    monkeypatch.setattr(machine, "MOUNTS", listed)
    return listed


def at_dhan(settings, **changes):
    broker = {"name": "dhan", "client_id": "1000000001", "access_token": a_token(ends_in_s=80_000), **changes}
    secret = ("access_token", "pin", "totp_secret")
    given = {name: Secret(value) if name in secret else value for name, value in broker.items()}
    return msgspec.structs.replace(settings, broker=msgspec.structs.replace(settings.broker, **given))


def states(findings):
    return [(each.state, each.found) for each in findings]


class TestADataDirectory:
    def test_of_this_user_alone_is_well(self, settings, tmp_path):
        tmp_path.chmod(0o700)

        assert [each.state for each in installation.data_directory(settings())] == ["ok"]

    @pytest.mark.parametrize(("mode", "state"), [(0o755, "warning"), (0o777, "fault")])
    def test_that_others_see_or_write_is_told_with_its_mend(self, settings, tmp_path, mode, state):
        tmp_path.chmod(mode)
        (found,) = installation.data_directory(settings())

        assert found.state == state
        assert "chmod 700" in found.mend

    def test_with_a_token_that_others_may_read_is_a_fault(self, settings, tmp_path):
        tmp_path.chmod(0o700)
        (tmp_path / "control.token").touch()
        (tmp_path / "control.token").chmod(0o644)

        assert "control.token has mode 0644" in list(installation.data_directory(settings()))[-1].found


class TestCredentials:
    def test_are_not_needed_on_paper(self, settings):
        assert states(installation.credentials(settings())) == [("ok", "paper trading needs none")]

    def test_of_the_right_form_are_well(self, settings):
        found = states(installation.credentials(at_dhan(settings(), pin="123456", totp_secret=SEED)))

        assert found == [("ok", "client id, token and codes have the right form")]

    @pytest.mark.parametrize(
        ("wrong", "found"),
        [
            ({"client_id": ""}, "no client id"),
            ({"client_id": "me"}, "no number"),
            ({"pin": "12x456"}, "PIN"),
            ({"totp_secret": "not base 32!"}, "no base32"),
            ({"totp_secret": "GEZDGNBV"}, "40 bits"),
            ({"access_token": "abc"}, "none of this broker's"),
            ({"access_token": a_token(ends_in_s=-10)}, "expired"),
            ({"access_token": ""}, "no access token"),
        ],
        ids=["none", "text", "pin", "seed", "short seed", "token", "expired", "no token"],
    )
    def test_of_a_wrong_form_are_told_without_being_shown(self, settings, wrong, found):
        findings = list(installation.credentials(at_dhan(settings(), **wrong)))

        assert any(found in each.found and each.mend for each in findings)
        secrets = [value for value in wrong.values() if len(value) > 2]
        assert not [each for each in findings for secret in secrets if secret in each.found + each.mend]

    @pytest.mark.parametrize(("ends_in_s", "told"), [(3_000, ["warning"]), (4_000, ["ok"])])
    def test_with_a_token_that_ends_within_an_hour_and_nothing_to_get_one_with_are_a_warning(
        self, settings, monkeypatch, ends_in_s, told
    ):
        noon_ns = 1_764_570_600 * 10**9  # in India, 15 hours before the night that ends each token
        monkeypatch.setattr(time, "time_ns", lambda: noon_ns)
        found = states(installation.credentials(at_dhan(settings(), access_token=a_token(ends_in_s=ends_in_s))))

        assert [state for state, _ in found] == told

    def test_of_an_exchange_of_ones_own_have_a_token_of_any_form(self, settings):
        at_home = at_dhan(settings(), access_token="paper", base_url="http://127.0.0.1:8711/v2")  # noqa: S106

        assert states(installation.credentials(at_home)) == [("ok", "client id, token and codes have the right form")]

    def test_in_the_environment_are_a_warning(self, settings, monkeypatch):
        monkeypatch.setenv("BROKER_ACCESS_TOKEN", "x")
        found = installation.credentials(at_dhan(settings()))

        assert any("in the environment" in each.found for each in found)


class TestAPortThatIsNamed:
    def test_is_a_fault_if_somebody_listens_there(self, settings):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            (found,) = installation.ports(settings(control__http=True, control__http_port=port))

        assert found.state == "fault"
        assert str(port) in found.found

    def test_is_well_if_it_is_free(self, settings):
        port = free_port()

        assert states(installation.ports(settings(control__http=True, control__http_port=port))) == [
            ("ok", f"control.http_port {port}")
        ]


class TestTheSystemThatRuns:
    @pytest.fixture
    def answers(self, monkeypatch):
        """What a running system says of its health, and where it serves HTTP."""

        def answers(health, url=""):
            def connect(_):
                if isinstance(health, Exception):
                    raise health
                told = SimpleNamespace(health=lambda: health, show_http=lambda: SimpleNamespace(url=url))
                return contextlib.nullcontext(told)

            monkeypatch.setattr("natya.client.connect", connect)

        return answers

    @pytest.mark.parametrize(
        ("health", "state", "found"),
        [
            (SimpleNamespace(ready=True, reason=""), "ok", "it is ready"),
            (SimpleNamespace(ready=False, reason="database is down"), "fault", "database is down"),
            (AskTimedOutError("in 5 s"), "fault", "one runs and does not answer: in 5 s"),
            (NotRunningError("here"), "ok", "none runs in the data directory"),
        ],
    )
    def test_is_well_where_it_is_ready(self, settings, answers, health, state, found):
        answers(health)
        (told,) = installation.running(settings())

        assert (told.check, told.state, told.found, bool(told.mend)) == (
            "running system",
            state,
            found,
            state == "fault",
        )

    def test_may_listen_at_its_own_port(self, settings, answers):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            answers(None, f"http://127.0.0.1:{port}")

            assert states(installation.ports(settings(control__http=True, control__http_port=port))) == [
                ("ok", f"control.http_port {port}")
            ]


class TestThisMachine:
    def test_is_examined_without_a_check_that_fails_itself(self, settings):
        found = list(examine(settings(), LOCAL))

        assert not [each for each in found if "cannot be checked" in each.found]
        assert {each.check for each in found} >= {
            "python",
            "libraries",
            "disk space",
            "durable writes",
            "running system",
        }
        assert next(each for each in found if each.check == "libraries").state == "ok"

    @pytest.mark.parametrize(("ahead_days", "state"), [(30, "ok"), (10, "warning"), (-30, "warning")])
    def test_knows_the_holidays_of_this_year_and_says_when_that_ends(self, monkeypatch, ahead_days, state):
        last = dt.date(covered_years()[-1], 12, 31)
        today_ns = ((last - dt.date(1970, 1, 1)).days - ahead_days) * 86_400 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda: today_ns)
        (found,) = machine.calendar(None)

        assert (found.check, found.state, str(last) in found.found) == ("calendar", state, True)
        assert bool(found.mend) == (state == "warning")

    @pytest.mark.parametrize(
        ("number", "mend"),
        [
            (errno.ENOSPC, "free some room there"),
            (errno.EROFS, "mount it for writing, or name another system.data_dir"),
            (errno.EOPNOTSUPP, "name a system.data_dir on a local disk"),
            (errno.EACCES, "make {folder} writable for this user"),
        ],
    )
    def test_whose_disk_takes_nothing_is_told_what_mends_that(self, settings, monkeypatch, number, mend):
        def refuses(folder):
            raise OSError(number, os.strerror(number), str(folder))

        monkeypatch.setattr(machine, "_sync_ms", refuses)
        found = next(each for each in machine.disk(settings()) if each.check == "durable writes")

        assert found.state == "fault"
        assert found.mend == mend.format(folder=found.found.partition(":")[0])

    def test_that_writes_keys_of_connections_to_a_file_is_a_fault(self, settings, monkeypatch):
        monkeypatch.setenv("SSLKEYLOGFILE", "/tmp/keys")  # noqa: S108  nothing is written there

        assert [each.state for each in machine.environment(settings())] == ["fault"]

    @pytest.mark.parametrize(
        ("mebibytes", "state"), [(255, "fault"), (256, "warning"), (1_023, "warning"), (1_024, "ok")]
    )
    def test_needs_room_on_its_disk(self, settings, tmp_path, monkeypatch, mebibytes, state):
        real = os.statvfs("/")
        monkeypatch.setattr(
            os, "statvfs", lambda _: os.statvfs_result((*real[:1], 1 << 20, *real[2:4], mebibytes, *real[5:]))
        )
        room, _ = machine.disk(settings(system__data_dir=str(tmp_path / "not" / "there")))

        assert (room.state, bool(room.mend)) == (state, state != "ok")
        assert room.found == f"{mebibytes / 1_024:.1f} GiB free in {tmp_path}"

    @pytest.mark.parametrize("is_apart", [True, False])
    def test_needs_room_where_its_journal_is_too_which_is_where_orders_wait(
        self, settings, tmp_path, monkeypatch, is_apart
    ):
        """The journal may be on a disk of its own."""
        apart, synced = tmp_path / "apart", []
        apart.mkdir()
        real = Path.stat

        def stat(path, **how):
            found = real(path, **how)
            if path != apart or not is_apart:
                return found
            return os.stat_result((*found[:2], found.st_dev + 1, *found[3:]))

        monkeypatch.setattr(Path, "stat", stat)
        monkeypatch.setattr(machine, "_sync_ms", lambda folder: synced.append(folder) or 1.0)
        *rooms, writes = machine.disk(settings(journal__path=str(apart / "journal")))

        assert [each.found.rpartition(" ")[2] for each in rooms] == [str(tmp_path), str(apart)][: 1 + is_apart]
        assert (writes.state, synced) == ("ok", [apart if is_apart else tmp_path])

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            ("ext4", "ms each (median)"),
            ("tmpfs", "is in memory alone (tmpfs), and gone with the next start of the machine"),
            ("nfs4", "is on another machine (nfs4), which may not keep its word"),
        ],
    )
    def test_writes_durably_on_a_disk_of_its_own(self, settings, tmp_path, mounts, kind, told):
        device = tmp_path.stat().st_dev
        mounts.write_text(
            f"21 1 0:4711 / /other rw - tmpfs tmpfs rw\n"
            f"36 35 {os.major(device)}:{os.minor(device)} / / rw,noatime shared:1 master:2 - {kind} /dev/root rw\n"
        )
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(machine, "_sync_ms", lambda _: 1.0)
            _, found = machine.disk(settings())

        assert told in found.found
        assert bool(found.mend) == (found.state == "warning") == (kind != "ext4")

    @pytest.mark.parametrize(("took_ms", "state"), [(20.0, "ok"), (20.1, "warning")])
    def test_writes_durably_in_time(self, settings, monkeypatch, took_ms, state):
        took_ns = [99 * 10**6] * 7 + [round(took_ms * 10**6)] + [0] * 7
        times_ns = itertools.accumulate(itertools.chain.from_iterable((5, each) for each in took_ns))
        monkeypatch.setattr(machine.time, "monotonic_ns", times_ns.__next__)
        _, found = machine.disk(settings())

        assert (found.state, found.found, bool(found.mend)) == (state, f"{took_ms:.2f} ms each (median)", state != "ok")

    def test_that_cannot_write_there_is_told_why(self, settings, monkeypatch):
        def refused(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(machine.os, "open", refused)
        _, found = machine.disk(settings())

        assert (found.state, "Permission denied" in found.found) == ("fault", True)

    @pytest.mark.parametrize(
        ("bits", "system", "state"), [(32, "Linux", "fault"), (64, "Darwin", "warning"), (64, "Linux", "ok")]
    )
    def test_has_64_bits_and_linux(self, monkeypatch, bits, system, state):
        monkeypatch.setattr(machine, "sys", SimpleNamespace(maxsize=(1 << bits - 1) - 1))
        monkeypatch.setattr(machine.platform, "system", lambda: system)

        assert [each.state for each in machine.python(None)] == [state]

    def test_is_told_which_libraries_it_lacks(self, monkeypatch):
        wanted = ["duckdb>=1", "no-such-thing>=2; python_version < '3'", "other-thing (>=3)", "no-thing-either"]
        monkeypatch.setattr(machine, "requires", lambda _: wanted)
        (found,) = machine.libraries(None)

        assert (found.state, found.found) == ("fault", "not installed: other-thing, no-thing-either")

    @pytest.mark.parametrize(("files", "state"), [(1_023, "warning"), (1_024, "ok"), (-1, "ok")])
    def test_opens_as_many_files_as_natya_may_need(self, monkeypatch, files, state):
        monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (files, -1))
        (found,) = machine.open_files(None)

        assert (found.state, bool(found.mend)) == (state, state != "ok")

    @pytest.mark.parametrize(
        ("says", "state", "found"),
        [
            (-1, "warning", "does not say"),
            (5, "warning", "nothing keeps it right"),
            (0, "ok", "it is kept"),
            (1, "ok", "it"),
        ],
    )
    def test_has_a_clock_that_is_kept_right(self, monkeypatch, says, state, found):
        monkeypatch.setattr(machine.ctypes, "CDLL", lambda _: SimpleNamespace(adjtimex=lambda _: says))
        (told,) = machine.clock(None)

        assert (told.state, found in told.found, bool(told.mend)) == (state, True, state != "ok")

    def test_may_have_a_kernel_that_says_nothing_of_its_clock(self, monkeypatch):
        monkeypatch.setattr(machine.ctypes, "CDLL", lambda _: SimpleNamespace())

        assert [each.state for each in machine.clock(None)] == ["warning"]


class TestACheckThatFailsItself:
    def test_is_told_and_the_others_go_on(self, settings):
        def broken(_):
            raise ValueError("as asked")

        found = list(examine(settings(), (broken, machine.python)))

        assert [each.check for each in found] == ["broken", "python"]
        assert found[0].found == "cannot be checked: ValueError: as asked"


class TestTheBroker:
    @pytest.mark.parametrize(("ahead_s", "state"), [(0, "ok"), (-8, "warning"), (60, "fault")])
    def test_has_a_clock_that_ours_is_compared_with(self, ahead_s, state):
        now_ns = 1_800_000_000_000_000_000
        date = formatdate(now_ns // 10**9 - ahead_s, usegmt=True)

        assert network.judged_skew(date, sent_ns=now_ns, received_ns=now_ns).state == state

    def test_is_reached_without_credentials(self, settings):
        heads = []

        async def listen(scope, _receive, send):
            heads.append(scope["headers"])
            await answer(send, 404, b"{}")

        served = Served(listen, {})
        try:
            url = f"http://127.0.0.1:{served.server.port}"
            found = list(network.broker(at_dhan(settings(), base_url=url)))
        finally:
            served.close()

        assert [(each.check, each.state) for each in found] == [("broker", "ok"), ("clock skew", "ok")]
        assert {name for name, _ in heads[0]} <= {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}

    def test_that_is_not_reached_is_a_fault(self, settings):
        url = f"http://127.0.0.1:{free_port()}"
        (found,) = network.broker(at_dhan(settings(), base_url=url))

        assert found.state == "fault"
        assert found.mend

    def test_is_not_asked_on_paper(self, settings):
        assert [each.state for each in examine(settings(), OVER_THE_NETWORK)] == ["ok", "ok"]


class TestTheAddressOfThisMachine:
    @pytest.mark.parametrize(
        ("found", "state"),
        [
            ({"primary_ip": "10.0.0.1", "detected_ip": "10.0.0.1"}, "ok"),
            ({"primary_ip": "10.0.0.1", "secondary_ip": "2001:db8::1", "detected_ip": "2001:DB8:0::1"}, "ok"),
            ({"primary_ip": "10.0.0.1", "orders_allowed": True}, "ok"),
            ({"primary_ip": "10.0.0.1", "detected_ip": "10.0.0.2"}, "fault"),
            ({"primary_ip": "10.0.0.1", "detected_ip": "10.0.0.1", "orders_allowed": False}, "fault"),
            ({"detected_ip": "10.0.0.1"}, "fault"),
            ({"primary_ip": "10.0.0.1"}, "warning"),
        ],
    )
    def test_is_judged_by_what_the_broker_says(self, found, state):
        judged = network.judged_addresses(IpAddresses(**found))

        assert judged.state == state
        assert bool(judged.mend) is (state != "ok")

    def test_is_asked_of_the_broker_with_the_token(self, settings, tmp_path):
        served = Exchange(tmp_path / "exchange")
        try:
            at_exchange = {"client_id": CLIENT, "base_url": served.rest}
            (well,) = network.egress(at_dhan(settings(), access_token=TOKEN, **at_exchange))
            (ill,) = network.egress(at_dhan(settings(), access_token="another", **at_exchange))  # noqa: S106
        finally:
            served.stop()

        assert (well.state, well.found) == ("ok", "127.0.0.1, registered: 127.0.0.1")
        assert (ill.state, "natya secrets test" in ill.mend) == ("warning", True)
        assert "another" not in ill.found

    def test_is_not_told_by_a_broker_that_is_not_reached(self, settings):
        url = f"http://127.0.0.1:{free_port()}"
        (found,) = network.egress(at_dhan(settings(), client_id=CLIENT, access_token=TOKEN, base_url=url))

        assert (found.state, found.mend) == ("warning", network.MEND_WAY)

    def test_is_not_asked_without_a_token(self, settings):
        (found,) = network.egress(at_dhan(settings(), access_token=""))

        assert found.state == "warning"


class TestTheCommand:
    def test_tells_each_finding_and_ends_with_1_if_there_is_a_fault(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SSLKEYLOGFILE", "/tmp/keys")  # noqa: S108  nothing is written there
        tmp_path.chmod(0o700)
        asked = ["doctor", "--offline", "--data-dir", str(tmp_path)]
        text, data = CliRunner().invoke(app, asked), CliRunner().invoke(app, [*asked, "--json"])

        assert (text.exit_code, data.exit_code) == (1, 1)
        assert "-> unset SSLKEYLOGFILE" in text.stdout
        found = json.loads(data.stdout)["findings"]
        assert {"check", "state", "found", "mend"} == set(found[0])


class TestSettingsThatAreRefused:
    def test_are_a_fault_beside_what_can_be_told_without_them(self, tmp_path):
        more = ["--offline", "--data-dir", str(tmp_path), "--set", "orders.quantity_max=much", "--json"]

        done = CliRunner().invoke(app, ["doctor", *more])

        findings = json.loads(done.stdout)["findings"]
        assert done.exit_code == 1
        assert findings[0]["check"] == "python"
        assert [each["found"] for each in findings if each["check"] == "settings"] == [
            "command line: orders.quantity_max: wanted a whole number from 1 to 9007199254740992, found 'much'"
        ]

    def test_for_want_of_a_passphrase_are_told_so(self, tmp_path):
        keep = ["secrets", "keep", "age", "--data-dir", str(tmp_path)]
        CliRunner().invoke(app, keep, input="a long passphrase")
        CliRunner().invoke(app, ["secrets", "set", "broker.access_token", "--data-dir", str(tmp_path)], input="a-token")

        done = CliRunner().invoke(app, ["doctor", "--offline", "--data-dir", str(tmp_path)])

        assert done.exit_code == 1
        assert "the passphrase of" in done.stdout
