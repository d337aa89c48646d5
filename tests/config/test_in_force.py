"""Which settings may change while the system runs."""

import msgspec
import pytest

from natya.config.in_force import RELOADABLE, changes_between, problems_of, with_changes
from natya.config.keys import KEYS
from natya.config.secret_folder import SecretFolder
from natya.config.secrets import Secret

CANARY = "canary-7f3a91"


class TestChanges:
    def test_are_told_by_key_before_and_after(self, load):
        changes = changes_between(load().settings, load(overrides={"log.level": "debug", "orders.quantity_max": 7}))

        assert [(each.key, each.before, each.after) for each in changes] == [
            ("orders.quantity_max", "100", "7"),
            ("log.level", '"info"', '"debug"'),
        ]

    def test_of_a_secret_show_none(self, load):
        before = load(environment={"NATYA_NOTIFICATIONS__WEBHOOK": f"https://x/{CANARY}"})
        (change,) = changes_between(before.settings, load())

        assert (change.key, change.before, change.after) == ("notifications.webhook", '"***"', '""')
        assert CANARY not in repr(changes_between(load().settings, before))

    def test_of_a_token_that_is_kept_are_its_keepers(self, load, tmp_path):
        before = load()
        SecretFolder(tmp_path / "data").write("broker.access_token", Secret(CANARY))

        assert changes_between(before.settings, load()) == ()
        others = changes_between(before.settings, load(overrides={"log.level": "debug"}))
        assert [each.key for each in others] == ["log.level"]

    def test_of_a_secret_that_is_kept_are_told_where_its_owner_does_not_look(self, load, tmp_path):
        before = load()
        SecretFolder(tmp_path / "data").write("notifications.webhook", Secret(f"https://x/{CANARY}"))

        assert [each.key for each in changes_between(before.settings, load())] == ["notifications.webhook"]

    def test_of_a_token_that_a_start_was_given_are_told(self, load):
        after = load(environment={"BROKER_ACCESS_TOKEN": CANARY})

        assert [each.key for each in changes_between(load().settings, after)] == ["broker.access_token"]

    def test_of_all_kinds_have_the_hint_of_their_section_or_none(self, load):
        overrides = {
            "feed.seed": 8,
            "orders.quantity_max": 7,
            "broker.access_token": Secret(CANARY),
            "log.level": "debug",
        }
        changes = changes_between(load().settings, load(overrides=overrides))

        assert sorted(problems_of(changes)) == [
            (
                "broker.access_token: only a start takes another value "
                '(natya secrets rotate broker.access_token takes another one into use): in force "", found "***"'
            ),
            "feed.seed: only a start takes another value: in force 7, found 8",
            (
                "orders.quantity_max: only a start takes another value "
                "(limits are journaled and, for real orders, confirmed at a start): in force 100, found 7"
            ),
        ]

    def test_put_into_the_settings_change_nothing_else(self, load):
        before, after = load().settings, load(overrides={"log.level": "debug", "notifications.repeat_s": 60.0})
        changed = with_changes(before, after.settings, changes_between(before, after))

        assert changed == after.settings
        assert msgspec.structs.replace(changed, log=before.log, notifications=before.notifications) == before


class TestWhatOnlyAStartTakes:
    @pytest.mark.parametrize(
        ("overrides", "hint"),
        [
            ({"orders.quantity_max": 7}, "limits are journaled and, for real orders, confirmed at a start"),
            ({"feed.seed": 8}, "feed.seed: only a start takes another value: in force 7, found 8"),
            ({"log.files_max": 9}, "log.files_max: only a start takes another value"),
            ({"log.level": "debug", "log.path": "/x.log"}, "log.path: only a start takes another value"),
            ({"instruments.path": "/x"}, "instruments.path: only a start takes another value"),
            ({"strategies": '[{name = "a", strategy = "a:A"}]'}, "a strategy begins with its parameters"),
            ({"broker.access_token": Secret(CANARY)}, "natya secrets rotate broker.access_token"),
        ],
    )
    def test_is_named_with_what_to_do(self, load, overrides, hint):
        (problem,) = problems_of(changes_between(load().settings, load(overrides=overrides)))

        assert hint in problem
        assert CANARY not in problem

    def test_is_every_limit_of_orders_and_everything_of_the_broker(self):
        assert not {key for key in RELOADABLE if key.startswith(("orders.", "broker.", "kill_switch.", "control."))}

    def test_is_no_key_that_there_is_not(self):
        assert set(KEYS) >= RELOADABLE
