"""`natya secrets …`, as a shell calls it, beside the paper exchange and a system that trades there."""

import getpass
import json
import os
import stat
import sys

import pytest
import typer
from natya_processes import await_that
from natya_wire import CLIENT, TOKEN, Served
from typer.testing import CliRunner

import natya
from natya.cli import keeping
from natya.cli.app import app
from natya.cli.commands.config import check
from natya.config.keepers.age import passphrase_wanted
from natya.config.secret_folder import SecretFolder
from natya.config.secrets import Secret
from natya.messages.addresses import BROKER_SERVICE
from natya.messages.system import Ping

CANARY = "canary-7f3a91"
OVERRIDDEN = {"BROKER_ACCESS_TOKEN": "another"}
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Terminal:
    def isatty(self):
        return True


class Shell:
    def __init__(self, data_dir, base_url=""):
        ours = ("NATYA_", "BROKER_", "DATABASE_", "REDIS_")
        self.environment = {name: None for name in os.environ if name.startswith(ours)}
        self.environment |= {"BROKER_CLIENT_ID": CLIENT, "BROKER_BASE_URL": base_url, "COLUMNS": "200"}
        self.data_dir = data_dir
        self.folder = SecretFolder(data_dir)

    def __call__(self, *arguments, given="", **environment):
        wanted = ["secrets", *arguments, "--data-dir", str(self.data_dir)]
        answer = CliRunner().invoke(app, wanted, input=given, env=self.environment | environment)
        assert CANARY not in answer.output
        assert CANARY not in repr(answer.exception)
        return answer


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path / "data")


class TestKeepingASecret:
    def test_reads_it_from_standard_input_and_shows_where_it_is(self, shell):
        kept = shell("set", "broker.access_token", given=f"{CANARY}\n")

        assert kept.exit_code == 0
        assert shell.folder.read("broker.access_token") == Secret(CANARY)
        assert stat.S_IMODE(shell.folder.path_of("broker.access_token").stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        "arguments", [("broker.access_token", CANARY), (f"broker.access_token={CANARY}",), ("broker.pin", "x", CANARY)]
    )
    @pytest.mark.parametrize("verb", ["set", "rotate", "test", "remove"])
    def test_refuses_it_as_an_argument_without_quoting_it(self, shell, verb, arguments):
        refused = shell(verb, *arguments)

        assert refused.exit_code == 2
        assert "read by every user of this machine" in " ".join(refused.output.split())
        assert shell.folder.keys() == ()

    @pytest.mark.parametrize(
        ("key", "given", "problem"),
        [
            ("broker.access_token", "", "wanted a secret, found none"),
            ("broker.access_token", f"{CANARY}\n{CANARY}", "wanted one line"),
            ("broker.pin", CANARY, "not of digits alone"),
            ("broker.totp_secret", CANARY, "no base32"),
        ],
    )
    def test_refuses_what_cannot_be_one(self, shell, key, given, problem):
        refused = shell("set", key, given=given)

        assert refused.exit_code == 78
        assert problem in refused.output
        assert shell.folder.keys() == ()

    def test_of_a_live_system_wants_nothing_else_of_it_yet(self, tmp_path):
        """Neither the number of the account nor a limit is there, nor is the folder named."""
        without = {name: None for name in os.environ if name.startswith(("NATYA_", "BROKER_"))}
        here = without | {"XDG_STATE_HOME": str(tmp_path)}
        words = ("broker.access_token", "--profile", "live")
        kept = CliRunner().invoke(app, ["secrets", "set", *words], input=CANARY, env=here)
        listed = CliRunner().invoke(app, ["secrets", "list", "--profile", "live", "--json"], env=here)

        assert (kept.exit_code, listed.exit_code) == (0, 0), kept.output + listed.output
        assert SecretFolder(tmp_path / "natya" / "live").read("broker.access_token") == Secret(CANARY)
        found = {each["key"]: each for each in json.loads(listed.stdout)["secrets"]}
        assert found["broker.access_token"]["origin"].startswith("secret ")

    def test_is_asked_for_on_a_terminal(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(keeping, "hidden", lambda prompt: f"{prompt}{CANARY}")

        assert keeping.secret_from_person("broker.pin") == Secret(f"broker.pin (it is not shown): {CANARY}")

    @pytest.mark.parametrize("given", [("a", "b"), ("a\nb", "a\nb"), ("\udcff", "\udcff"), ("", "")])
    def test_as_a_passphrase_is_wanted_twice_and_as_one_line(self, monkeypatch, capsys, given):
        answers = iter((*given, "a long one", "a long one"))
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(keeping, "hidden", lambda _prompt: next(answers))

        with pytest.raises(typer.Exit) as refused:
            keeping.new_passphrase()
        assert (refused.value.exit_code, "passphrase" in capsys.readouterr().err) == (78, True)
        assert keeping.new_passphrase() == Secret("a long one")

    def test_names_the_nearest_key(self, shell):
        refused = shell("set", "broker.totp_secrt", given=CANARY)

        assert refused.exit_code == 2
        assert "did you mean broker.totp_secret?" in " ".join(refused.output.split())

    def test_tells_of_a_variable_that_ranks_above_it(self, shell):
        kept = shell("set", "broker.access_token", given=CANARY, **OVERRIDDEN)

        assert "BROKER_ACCESS_TOKEN in the environment ranks above it" in kept.output

    def test_does_not_replace_the_key_of_a_database(self, shell):
        first = shell("set", "database.encryption_key", given=CANARY)
        second = shell("set", "database.encryption_key", given="another")
        rotated = shell("rotate", "database.encryption_key", given="another")

        assert (first.exit_code, second.exit_code, rotated.exit_code) == (0, 1, 1)
        assert "what was written with it cannot be read with another" in rotated.stderr
        assert shell.folder.read("database.encryption_key") == Secret(CANARY)

    def test_writes_nothing_into_a_folder_that_others_can_open(self, shell):
        shell("set", "broker.pin", given="4711")
        shell.folder.path.chmod(0o755)
        refused = shell("set", "broker.pin", given="4712")

        assert refused.exit_code == 73
        assert "wanted mode 700" in refused.output


class TestListingSecrets:
    def test_tells_which_there_are_and_nothing_of_their_values(self, shell):
        shell("set", "broker.access_token", given=CANARY)
        shell("set", "broker.pin", given="482913")
        found = json.loads(shell("list", "--json").stdout)["secrets"]
        table = shell("list").stdout

        assert {each["key"] for each in found if each["is_set"]} == {"broker.access_token", "broker.pin"}
        assert all("482913" not in text for text in (json.dumps(found), table))
        assert f"secret {shell.folder.path_of('broker.pin')}" in table

    def test_names_one_that_cannot_be_used(self, shell):
        shell("set", "broker.pin", given="482913")
        shell.folder.path_of("broker.pin").chmod(0o644)
        (found,) = (each for each in json.loads(shell("list", "--json").stdout)["secrets"] if each["problem"])

        assert (found["key"], found["is_set"]) == ("broker.pin", False)
        assert "chmod 600" in found["problem"]

    def test_names_where_one_that_ranks_above_comes_from(self, shell):
        shell("set", "broker.access_token", given=CANARY)
        rows = json.loads(shell("list", "--json", **OVERRIDDEN).stdout)["secrets"]

        assert {each["origin"] for each in rows if each["is_set"]} == {"environment BROKER_ACCESS_TOKEN"}


class TestKeepingSecretsInAnotherWay:
    def test_encrypts_what_is_there_and_what_comes_for_a_key_that_is_made(self, shell, tmp_path):
        shell("set", "broker.access_token", given=CANARY)
        key = tmp_path / "elsewhere" / "key.txt"
        key.parent.mkdir()
        done = json.loads(shell("keep", "age", "--key-file", str(key), "--json").stdout)
        shell("set", "broker.pin", given="482913")
        rows = json.loads(shell("list", "--json").stdout)["secrets"]

        assert (done["kept_by"], done["keys"], done["key_file"]) == ("age", ["broker.access_token"], str(key))
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert {each["key"]: each["kept_by"] for each in rows if each["is_set"]} == {
            "broker.access_token": "age",
            "broker.pin": "age",
        }
        assert shell.folder.read("broker.access_token") == Secret(CANARY)
        assert b"482913" not in shell.folder.path_of("broker.pin").read_bytes()

    def test_by_age_is_not_begun_a_second_time_but_undone_and_begun_with_the_key_there_is(self, shell, tmp_path):
        key = str(tmp_path / "key.txt")
        first = shell("keep", "age", "--key-file", key)
        assert f"without {key} nobody reads them any more" in " ".join(first.stdout.split())
        shell("set", "broker.access_token", given=CANARY)
        again = shell("keep", "age", "--key-file", key)
        undone = shell("keep", "files")
        once_more = shell("keep", "age", "--key-file", key)

        assert (again.exit_code, undone.exit_code, once_more.exit_code) == (1, 0, 0)
        assert shell.folder.read("broker.access_token") == Secret(CANARY)

    def test_behind_a_passphrase_tells_what_reads_them(self, shell):
        empty = shell("keep", "age", given="")
        done = shell("keep", "age", given="correct horse\n")
        shell("set", "broker.access_token", given=CANARY)
        (row,) = (each for each in json.loads(shell("list", "--json").stdout)["secrets"] if each["problem"])

        assert (empty.exit_code, done.exit_code) == (78, 0)
        assert "without a passphrase" in done.stdout
        assert "the passphrase of" in row["problem"]

    def test_behind_a_passphrase_are_read_for_a_check_of_the_settings_too(self, shell, monkeypatch, capsys):
        shell("keep", "age", given="correct horse\n")
        shell("set", "broker.access_token", given=CANARY)
        place = f"system.data_dir={shell.folder.path.parent}"
        refused = CliRunner().invoke(app, ["config", "check", "--set", place])
        while passphrase_wanted():  # those that other tests left wanting
            pass
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(getpass, "getpass", lambda _question: "correct horse")

        check.command(settings=[place])

        assert (refused.exit_code, "the passphrase of" in refused.stderr) == (78, True)
        assert capsys.readouterr().out == "the settings are right\n"

    def test_takes_a_key_file_for_age_alone(self, shell, tmp_path):
        assert shell("keep", "files", "--key-file", str(tmp_path / "key.txt")).exit_code == 2
        assert shell("keep", "paper").exit_code == 2


class TestRemovingASecret:
    def test_ends_with_1_where_there_is_none(self, shell):
        shell("set", "broker.pin", given="482913")

        assert (shell("remove", "broker.pin").exit_code, shell("remove", "broker.pin").exit_code) == (0, 1)
        assert shell.folder.keys() == ()


class TestTryingASecret:
    def test_without_one_ends_with_1(self, shell):
        assert shell("test").exit_code == 1

    def test_without_an_account_says_that_nobody_is_asked(self, shell):
        shell("set", "broker.access_token", given=CANARY)
        tested = shell("test", BROKER_CLIENT_ID="")

        assert (tested.exit_code, "no broker to ask" in tested.output) == (78, True)

    def test_at_nobody_ends_with_69(self, shell):
        shell("set", "broker.access_token", given=CANARY)

        assert shell("test", BROKER_BASE_URL="http://127.0.0.1:9/v2").exit_code == 69

    def test_of_codes_looks_at_their_form_and_names_who_tries_them(self, shell):
        shell("set", "broker.totp_secret", given=SEED)
        tested = shell("test", "broker.totp_secret")

        assert tested.exit_code == 0
        assert "natya broker login" in tested.output
        assert SEED not in tested.output


class Account:
    """A paper exchange whose tokens die, and a system that trades there by a token that is kept in the folder."""

    def __init__(self, tmp_path):
        self.served = Served(tmp_path / "exchange")
        self.shell = Shell(tmp_path / "data", base_url=self.served.rest)
        self.shell.folder.write("broker.access_token", Secret(TOKEN))

    def system(self):
        overrides = {
            "system.data_dir": str(self.shell.data_dir),
            "broker.client_id": CLIENT,
            "broker.base_url": self.served.rest,
            "broker.options": {"order_updates": "none"},
            "broker.compare_interval_s": 0.1,
            "instruments.refresh": "never",
        }
        return natya.TradingSystem(natya.load_settings("live", environment={}, overrides=overrides))

    def revoke(self, token=TOKEN):
        """Have the exchange replace a token, as another login does, and return the new one."""
        answered = self.served.ask("GET", "/v2/RenewToken", headers={"access-token": token, "dhanClientId": CLIENT})
        return answered[1]["accessToken"]


@pytest.fixture
def account(tmp_path):
    made = Account(tmp_path)
    yield made
    made.served.stop()


def token_state(shell):
    return json.loads(
        CliRunner()
        .invoke(app, ["broker", "status", "--json", "--data-dir", str(shell.data_dir)], env=shell.environment)
        .stdout
    )["state"]


def calls(system):
    """How many calls of the session were answered well, and how many by a refusal of the token."""
    counted = system.request(BROKER_SERVICE, Ping(), timeout_s=10).statistics.called
    return (
        sum(each.calls for each in counted if each.outcome == "200"),
        sum(each.calls for each in counted if each.outcome in {"400", "401"}),
    )


class TestATokenAtTheExchange:
    def test_is_tried_by_reading_the_profile(self, account):
        taken = account.shell("test", "--json")
        account.revoke()
        refused = account.shell("test", "--json")

        assert (taken.exit_code, json.loads(taken.stdout)["verdict"]) == (0, "taken")
        assert (refused.exit_code, json.loads(refused.stdout)["verdict"]) == (77, "refused")
        assert TOKEN not in taken.output + refused.output

    def test_that_is_refused_replaces_none(self, account):
        refused = account.shell("rotate", "broker.access_token", given=CANARY)

        assert refused.exit_code == 77
        assert "nothing is changed" in refused.output
        assert account.shell.folder.read("broker.access_token") == Secret(TOKEN)

    def test_is_kept_for_the_next_start_where_no_system_runs(self, account):
        new = account.revoke()
        rotated = account.shell("rotate", "broker.access_token", "--json", given=new)

        assert (rotated.exit_code, json.loads(rotated.stdout)["system"]) == (0, "absent")
        assert account.shell.folder.read("broker.access_token") == Secret(new)

    def test_that_was_revoked_is_replaced_in_the_running_system(self, account):
        with account.system() as system:
            await_that(lambda: calls(system)[0] > 0)
            new = account.revoke()
            await_that(lambda: token_state(account.shell) == "given_up")
            answered, refused = calls(system)
            rotated = account.shell("rotate", "broker.access_token", "--json", given=new)

            assert (rotated.exit_code, json.loads(rotated.stdout)["system"]) == (0, "taken")
            assert token_state(account.shell) == "alive"
            await_that(lambda: calls(system)[0] > answered + 2)
            assert calls(system)[1] == refused
            log = (account.shell.data_dir / "natya.log").read_text()
        assert "token.secrets_taken" in log
        assert '"operation":"take-secrets"' in log
        assert new not in log
        assert TOKEN not in log

    def test_that_is_stored_without_asking_the_system_is_found_by_it(self, account):
        with account.system() as system:
            await_that(lambda: calls(system)[0] > 0)
            new = account.revoke()
            account.shell("set", "broker.access_token", given=new)
            await_that(lambda: "token.secrets_taken" in (account.shell.data_dir / "natya.log").read_text())
            answered, _ = calls(system)

            await_that(lambda: calls(system)[0] > answered)
            assert token_state(account.shell) == "alive"

    def test_is_not_taken_by_a_system_that_does_not_trade_with_it(self, account):
        overrides = {"system.data_dir": str(account.shell.data_dir), "broker.client_id": CLIENT}
        with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)):
            rotated = account.shell("rotate", "broker.access_token", "--untested", "--json", given="another")

            of_alarms = account.shell("rotate", "notifications.telegram_token", "--json", given="7:another")

        for each in (rotated, of_alarms):
            assert (each.exit_code, json.loads(each.stdout)["system"]) == (1, "kept")
        assert "given by a program" in of_alarms.stdout
