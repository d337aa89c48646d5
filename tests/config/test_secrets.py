import copy
import logging
import pickle
import traceback

import msgspec
import pytest

from natya.config.errors import SettingsError
from natya.config.keys import KEYS, SECRET_KEYS
from natya.config.secrets import Secret

CANARY = "canary-7f3a91"


class TestASecret:
    def test_shows_itself_only_to_who_asks(self):
        assert Secret(CANARY).reveal() == CANARY

    @pytest.mark.parametrize("show", [str, repr, "{}".format, "%s".__mod__, "{!r:>9}".format, ascii])
    def test_is_not_shown_by(self, show):
        assert CANARY not in str(show(Secret(CANARY)))

    @pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, msgspec.json.encode, msgspec.to_builtins])
    def test_is_not_written_by(self, write):
        with pytest.raises(TypeError):
            write(Secret(CANARY))

    def test_says_when_it_is_empty(self):
        assert repr(Secret("")) == "(empty)"
        assert not Secret("")

    def test_equals_its_like_but_no_plain_text(self):
        assert Secret(CANARY) == Secret(CANARY)
        assert Secret(CANARY) != CANARY
        assert len({Secret(CANARY), Secret(CANARY), Secret("other")}) == 2


class TestTheAccessToken:
    def test_is_a_secret_among_the_keys(self):
        assert "broker.access_token" in SECRET_KEYS

    def test_does_not_show_in_the_settings(self, load, caplog):
        loaded = load(environment={"BROKER_ACCESS_TOKEN": CANARY})
        logging.getLogger("test").warning("settings %s", loaded)

        assert CANARY not in f"{loaded} {loaded!r} {caplog.text}"
        assert "access_token=***" in repr(loaded)

    @pytest.mark.parametrize(
        "text",
        [
            f'[broker]\naccess_tokn = "{CANARY}"',
            f'[broker]\naccess_token = ["{CANARY}"]',
            f'[broker]\naccess_token = {{ value = "{CANARY}" }}',
            f'broker = "{CANARY}"',
            f'[brokr]\naccess_token = "{CANARY}"',
            f'access_token = "{CANARY}"',
            f'[broker]\naccess_token = "{CANARY}',
            f'[broker]\naccess_token = "{CANARY}"\naccess_token = "{CANARY}"',
            f'[broker]\naccess_token = "{CANARY}"\n[feed]\nseed = -1',
        ],
        ids=["misspelt", "a list", "a table", "a section", "in no section", "at the top", "open", "twice", "beside"],
    )
    def test_does_not_show_in_what_is_refused(self, load, config_file, text):
        with pytest.raises(SettingsError) as caught:
            load(config=config_file(text))

        assert CANARY not in "".join(traceback.format_exception(caught.value))

    def test_is_refused_on_the_command_line_without_being_shown(self, load):
        with pytest.raises(SettingsError, match="every user of this machine can read") as caught:
            load(overrides={"broker.access_token": CANARY})

        assert CANARY not in str(caught.value)

    def test_may_be_handed_over_by_a_program_as_a_secret(self, load):
        assert load(overrides={"broker.access_token": Secret(CANARY)}).settings.broker.access_token == Secret(CANARY)


class TestAFileThatHoldsASecret:
    TEXT = f'[broker]\naccess_token = "{CANARY}"\n'

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
    def test_is_refused_when_others_may_read_it(self, load, config_file, mode):
        with pytest.raises(SettingsError, match=f"found {mode:o}: chmod 600"):
            load(config=config_file(self.TEXT, mode))

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_is_read_when_only_its_user_may(self, load, config_file, mode):
        loaded = load(config=config_file(self.TEXT, mode))

        assert loaded.settings.broker.access_token == Secret(CANARY)

    def test_may_be_read_by_all_while_the_secret_is_empty(self, load, config_file):
        assert load(config=config_file('[broker]\naccess_token = ""\n', 0o644))


def test_every_key_that_sounds_secret_is_one():
    assert {
        key for key in KEYS if key.endswith(("token", "secret", "password", "pin", "key", "webhook"))
    } == SECRET_KEYS
