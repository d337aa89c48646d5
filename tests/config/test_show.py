"""Settings as they are shown: every key with its origin, and no secret in any form."""

import json
import re

import pytest

from natya.config.keys import KEYS, SECRET_KEYS
from natya.config.show import as_json, as_text, problems_as_json

CANARY = "canary-7f3a91"
VARIABLES = dict.fromkeys(
    (
        *("BROKER_ACCESS_TOKEN", "NATYA_BROKER__PIN", "NATYA_BROKER__TOTP_SECRET", "NATYA_DATABASE__ENCRYPTION_KEY"),
        *("NATYA_NOTIFICATIONS__WEBHOOK", "NATYA_NOTIFICATIONS__TELEGRAM_TOKEN", "NATYA_REDIS__PASSWORD"),
        "NATYA_JOURNAL__SEAL_KEY",
    ),
    CANARY,
)


class TestSettingsThatAreShown:
    @pytest.fixture
    def loaded(self, load):
        return load(environment=VARIABLES, overrides={"feed.seed": 11})

    @pytest.mark.parametrize("show", [as_json, as_text])
    def test_hide_every_secret_and_say_where_it_came_from(self, loaded, show):
        shown = show(loaded)

        assert len(VARIABLES) == len(SECRET_KEYS)
        assert CANARY not in shown
        for name in VARIABLES:
            assert f"environment {name}" in shown

    def test_tell_a_secret_that_is_set_from_one_that_is_not(self, load, loaded):
        for key in SECRET_KEYS:
            assert json.loads(as_json(loaded))["settings"][key]["value"] == "***"
            assert json.loads(as_json(load()))["settings"][key]["value"] == ""
            assert f'{key} = "***"' in as_text(loaded)

    def test_have_every_key_in_json_with_value_and_origin(self, loaded):
        shown = json.loads(as_json(loaded))

        assert shown["schema"] == 1
        assert shown["settings"].keys() == KEYS.keys() | {"strategies"}
        assert shown["settings"]["feed.seed"] == {"value": 11, "origin": "command line"}
        assert shown["settings"]["orders.value_max_rupees"]["origin"] == "paper.toml"
        assert {key for key, each in shown["settings"].items() if not each["origin"]} == set()

    def test_have_every_key_in_text_on_a_line_of_its_own(self, loaded):
        lines = as_text(loaded).splitlines()

        assert [line.partition(" = ")[0] for line in lines] == [*KEYS, "strategies"]
        assert any(re.fullmatch(r"feed\.seed = 11 +# command line", line) for line in lines)

    def test_have_their_origins_below_each_other_but_behind_what_is_long(self, load):
        lines = as_text(load(overrides={"feed.symbols": ["A" * 50]})).splitlines()
        short = [line for line in lines if line.index("  # ") == 60]

        assert f"{'feed.seed = 7':60}  # default.toml" in short
        assert f'feed.symbols = ["{"A" * 50}"]  # command line' in lines
        assert all(line.index("  # ") > 60 for line in lines if line not in short)

    def test_hide_a_secret_that_came_from_a_file(self, load, config_file):
        loaded = load(config=config_file(f'[broker]\naccess_token = "{CANARY}"\n'))

        assert CANARY not in as_json(loaded) + as_text(loaded)


class TestProblemsThatAreShown:
    def test_are_listed_and_say_whether_there_are_any(self):
        assert json.loads(problems_as_json(("a", "b"))) == {"schema": 1, "ok": False, "problems": ["a", "b"]}
        assert json.loads(problems_as_json(())) == {"schema": 1, "ok": True, "problems": []}
