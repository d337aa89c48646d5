import os
import pwd
import tomllib
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import natya.config
from natya.config import loader
from natya.config.errors import SettingsError
from natya.config.keys import KEYS
from natya.config.layers import NAMED_VARIABLES, environment_layer, file_layer, override_layer
from natya.config.loader import PROFILES, load_settings, load_with_origins
from natya.config.secrets import Secret

DEFAULTS = (Path(natya.config.__file__).parent / "default.toml").read_text()


def problems(load, **layers):
    with pytest.raises(SettingsError) as caught:
        load(**layers)
    return caught.value.problems


LIVE_FEED = {"broker.client_id": "1", "broker.access_token": Secret("t")}
ACCOUNT = {"BROKER_CLIENT_ID": "1", "BROKER_ACCESS_TOKEN": "t"}


class TestTheDefaults:
    def test_name_every_key_there_is(self):
        document = tomllib.loads(DEFAULTS)
        strategies = document.pop("strategies")

        named = {f"{section}.{key}" for section, content in document.items() for key in content}
        assert named == KEYS.keys() - {"system.profile"}
        assert strategies

    def test_say_of_every_key_what_it_is(self):
        silent = [line for line in DEFAULTS.splitlines() if " = " in line and "#" not in line]

        assert not silent

    @pytest.mark.parametrize("profile", ["paper", "backtest"])
    def test_are_enough_to_start_with(self, load, profile):
        assert load(profile).settings.system.profile == profile

    def test_put_every_file_into_the_data_directory(self, load, tmp_path):
        loaded = load().settings

        assert loaded.system.data_dir == str(tmp_path / "data")
        assert loaded.journal.path == str(tmp_path / "data/journal")
        assert loaded.database.path == str(tmp_path / "data/natya.duckdb")
        assert loaded.database.market_path == str(tmp_path / "data/natya-market.duckdb")
        assert loaded.log.path == str(tmp_path / "data/natya.log")

    def test_make_paths_absolute_from_the_home_and_the_working_directory(self, load, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        loaded = load(overrides={"database.path": "~/a.duckdb", "journal.path": "here", "log.path": "-"}).settings

        assert loaded.database.path == str(tmp_path / "home/a.duckdb")
        assert loaded.journal.path == str(tmp_path / "here")
        assert loaded.log.path == "-"

    def test_allow_a_back_off_that_does_not_grow(self, load):
        overrides = {"supervision.backoff_first_s": 2.0, "supervision.backoff_max_s": 2.0}

        assert load(overrides=overrides).settings.supervision.backoff_first_s == 2.0

    def test_keep_the_profiles_apart_in_the_user_s_state_directory(self, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

        assert load_settings("paper", environment={}).system.data_dir == str(tmp_path / "natya/paper")
        assert load_settings("backtest", environment={}).system.data_dir == str(tmp_path / "natya/backtest")

    def test_read_the_process_s_own_environment_unless_another_is_given(self, monkeypatch):
        monkeypatch.setenv("NATYA_FEED__SEED", "12")

        assert load_settings().feed.seed == 12
        assert load_settings(environment={}).feed.seed == 7


def test_settings_are_those_of_who_keeps_their_origins_too(monkeypatch):
    asked = []

    def load_with_origins(*given, **how):
        asked.append((given, how))
        return SimpleNamespace(settings="settings")

    monkeypatch.setattr(loader, "load_with_origins", load_with_origins)
    how = {
        "config": "mine.toml", "environment": {"A": "b"}, "overrides": {"feed.seed": 3}, "locked_left_out": True,
        "only_looks": True,
    }  # fmt: skip

    assert load_settings("live", **how) == load_settings() == "settings"
    nothing = dict.fromkeys(("config", "environment", "overrides")) | {"locked_left_out": False, "only_looks": False}
    assert asked == [(("live",), how), (("paper",), nothing)]


class TestLayers:
    def test_replace_each_other_from_lowest_to_highest(self, load, config_file):
        config = config_file("[feed]\nseed = 1\n")
        environment = {"NATYA_FEED__SEED": "2"}

        assert load().settings.feed.seed == 7
        assert load(config=config).settings.feed.seed == 1
        assert load(config=config, environment=environment).settings.feed.seed == 2
        assert load(config=config, environment=environment, overrides={"feed.seed": 3}).settings.feed.seed == 3

    @pytest.mark.parametrize("profile", ["paper", "backtest"])
    def test_of_the_user_go_before_those_of_the_profile(self, load, config_file, profile):
        config = config_file("[orders]\nvalue_max_rupees = 5.0\n")
        loaded = load(profile, config=config)

        assert load(profile).origins["orders.value_max_rupees"] == f"{profile}.toml"
        assert loaded.settings.orders.value_max_rupees == 5.0
        assert loaded.origins["orders.value_max_rupees"] == str(config)

    def test_of_a_profile_go_before_the_defaults(self, load):
        assert load("backtest").settings.feed.speed == 0.0
        assert load("paper").settings.feed.speed == 1.0

    def test_of_a_live_market_refuse_old_prices_wherever_it_is_chosen(self, load, config_file):
        chosen = ({"config": config_file('[feed]\nsource = "dhan"\n')}, {"overrides": {"feed.source": "dhan"}})
        for how in chosen:
            live = load(**how, environment=ACCOUNT)
            assert live.settings.orders.price_age_max_s == 3.0
            assert live.origins["orders.price_age_max_s"] == "live_market.toml"
        assert load().settings.orders.price_age_max_s == 0
        mine = {"feed.source": "dhan", "orders.price_age_max_s": 0}
        assert load(overrides=mine, environment=ACCOUNT).settings.orders.price_age_max_s == 0

    def test_of_the_user_leave_every_other_key_as_it_was(self, load, config_file):
        changed = load(config=config_file("[orders]\nquantity_max = 3\n"))
        before = load()

        assert {key for key in KEYS if changed.origins[key] != before.origins[key]} == {"orders.quantity_max"}

    def test_leave_their_name_at_each_key(self, load, config_file):
        config = config_file("[feed]\nticks_per_s = 5\n")
        origins = load(config=config, environment={"REDIS_DB": "4"}, overrides={"feed.seed": "3"}).origins

        assert origins["feed.ticks_per_s"] == str(config)
        assert origins["redis.db"] == "environment REDIS_DB"
        assert origins["feed.seed"] == "command line"
        assert origins["orders.value_max_rupees"] == "paper.toml"
        assert origins["orders.quantity_max"] == "default.toml"
        assert origins["journal.path"] == "default.toml, in system.data_dir"
        assert origins.keys() == KEYS.keys() | {"strategies"}

    def test_of_strategies_replace_them_all(self, load, config_file):
        config = config_file('[[strategies]]\nname = "mine"\nstrategy = "my.module:Mine"\nparameters = { n = 1 }\n')

        (strategy,) = load(config=config).settings.strategies
        assert (strategy.name, strategy.strategy, strategy.parameters) == ("mine", "my.module:Mine", {"n": 1})

    def test_may_come_from_a_program_as_typed_values(self, load):
        overrides = {"feed.symbols": ["TCS"], "feed.speed": 2, "strategies": []}

        loaded = load(overrides=overrides).settings
        assert (loaded.feed.symbols, loaded.feed.speed, loaded.strategies) == (("TCS",), 2.0, ())


class TestTheEnvironment:
    @pytest.mark.parametrize(
        ("name", "text", "key", "value"),
        [
            ("DATABASE_PATH", "/x/core.duckdb", "database.path", "/x/core.duckdb"),
            ("DATABASE_MAX_CONNECTIONS", "20", "database.max_connections", 20),
            ("BROKER_CLIENT_ID", "1000", "broker.client_id", "1000"),
            ("BROKER_BASE_URL", "https://api.example", "broker.base_url", "https://api.example"),
            ("REDIS_HOST", "cache", "redis.host", "cache"),
            ("REDIS_PORT", "6380", "redis.port", 6380),
            ("REDIS_DB", "2", "redis.db", 2),
            ("NATYA_FEED__SYMBOLS", "TCS, INFY,", "feed.symbols", ("TCS", "INFY")),
            ("NATYA_DATABASE__BATCH_WAIT_S", "1.5", "database.batch_wait_s", 1.5),
        ],
    )
    def test_sets_a_key_as_its_type_wants_it(self, load, name, text, key, value):
        loaded = load(environment={name: text})
        section, _, field = key.partition(".")

        assert getattr(getattr(loaded.settings, section), field) == value
        assert loaded.origins[key] == f"environment {name}"

    @pytest.mark.parametrize(
        "text",
        [
            '["TCS","INFY"]',
            " [ \"TCS\", 'INFY', ] ",
            '"TCS","INFY"',
            "TCS,INFY",
            " TCS , INFY ,",
        ],
    )
    @pytest.mark.parametrize("set_by", ["environment", "command line"])
    def test_takes_a_list_as_it_is_written_anywhere(self, load, text, set_by):
        layers = (
            {"environment": {"NATYA_FEED__SYMBOLS": text}}
            if set_by == "environment"
            else {"overrides": {"feed.symbols": text}}
        )

        assert load(**layers).settings.feed.symbols == ("TCS", "INFY")

    @pytest.mark.parametrize(
        ("name", "text", "key", "value"),
        [
            ("NATYA_ORDERS__SYMBOLS", "[]", "orders.symbols", ()),
            ("NATYA_ORDERS__SYMBOLS", '["M&M", "NIFTY 26000 CE"]', "orders.symbols", ("M&M", "NIFTY 26000 CE")),
            ("NATYA_FEED__SYMBOL", '"TCS"', "feed.symbol", "TCS"),
            ("NATYA_FEED__SYMBOL", '""', "feed.symbol", ""),
            ("NATYA_FEED__SOURCE", "'synthetic'", "feed.source", "synthetic"),
            ("NATYA_ORDERS__VALUE_MAX_RUPEES", "50_00_000.0", "orders.value_max_rupees", 5_000_000.0),
            ("NATYA_FEED__SEED", "1_000", "feed.seed", 1_000),
            ("NATYA_FEED__SEED", " 12 ", "feed.seed", 12),
            ("NATYA_CONTROL__ENABLED", "false", "control.enabled", False),
            ("NATYA_CONTROL__ENABLED", "True", "control.enabled", True),
            ("NATYA_CONTROL__ENABLED", "0", "control.enabled", False),
            ("BROKER_CLIENT_ID", "[1", "broker.client_id", "[1"),
        ],
        ids=str,
    )
    def test_takes_any_value_as_toml_writes_it(self, load, name, text, key, value):
        section, _, field = key.partition(".")

        assert getattr(getattr(load(environment={name: text}).settings, section), field) == value

    def test_takes_a_secret_letter_by_letter(self, load):
        assert load(environment={"BROKER_ACCESS_TOKEN": ' "t" '}).settings.broker.access_token.reveal() == ' "t" '

    @pytest.mark.parametrize(
        ("name", "text", "problem"),
        [
            (
                "NATYA_FEED__SYMBOLS",
                '["TCS"',
                """feed.symbols: wanted a list of texts (TCS,INFY or ["TCS", "INFY"]), found '["TCS"'""",
            ),
            (
                "NATYA_FEED__SYMBOLS",
                "[1, 2]",
                """feed.symbols: wanted a list of texts (TCS,INFY or ["TCS", "INFY"]), found '[1, 2]'""",
            ),
            (
                "NATYA_FEED__SYMBOLS",
                '{"a": 1}',
                """feed.symbols: wanted a list of texts (TCS,INFY or ["TCS", "INFY"]), found '{"a": 1}'""",
            ),
            ("NATYA_FEED__SYMBOL", '["TCS"]', "feed.symbol: wanted text, found '[\"TCS\"]'"),
            ("NATYA_CONTROL__ENABLED", "yes", "control.enabled: wanted true or false, found 'yes'"),
            ("NATYA_CONTROL__ENABLED", "[true]", "control.enabled: wanted true or false, found '[true]'"),
            ("NATYA_FEED__SPEED", "nan", "feed.speed: wanted a number from 0 to 1000000000.0, found 'nan'"),
            (
                "NATYA_FEED__SPEED",
                "1\nseed = 2",
                "feed.speed: wanted a number from 0 to 1000000000.0, found '1\\nseed = 2'",
            ),
            ("NATYA_STRATEGIES", "a:B", "strategies: wanted [[strategies]] tables, found text"),
            ("NATYA_STRATEGIES", "[1]", "strategies[0]: wanted a table, found a number"),
        ],
        ids=str,
    )
    def test_of_another_form_is_refused_with_what_is_wanted(self, load, name, text, problem):
        assert problems(load, environment={name: text}) == (f"environment {name}: {problem}",)

    def test_takes_strategies_as_tables_in_one_line(self, load):
        text = '[{name = "a", strategy = "m:A"}, {name = "b", strategy = "m:B", parameters = {n = 1}}]'
        for layers in ({"environment": {"NATYA_STRATEGIES": text}}, {"overrides": {"strategies": text}}):
            loaded = load(**layers)

            assert [each.name for each in loaded.settings.strategies] == ["a", "b"]
            assert loaded.settings.strategies[1].parameters == {"n": 1}
        assert load(environment={"NATYA_STRATEGIES": text}).origins["strategies"] == "environment NATYA_STRATEGIES"

    def test_names_the_core_file_and_the_market_file_lies_beside_it(self, load):
        assert load(environment={"DATABASE_PATH": "/x/a.db"}).settings.database.market_path == "/x/a-market.db"

    def test_has_the_access_token_as_a_secret(self, load):
        assert load(environment={"BROKER_ACCESS_TOKEN": "t"}).settings.broker.access_token.reveal() == "t"

    def test_prefers_the_full_name_to_the_short_one(self, load):
        environment = {"NATYA_REDIS__DB": "1", "REDIS_DB": "2"}

        assert load(environment=environment).settings.redis.db == 1

    @pytest.mark.parametrize("name", ["DATABASE_PATH", "NATYA_FEED__SEED"])
    def test_that_is_empty_counts_as_not_set(self, load, name):
        assert load(environment={name: ""}).settings == load().settings

    @given(environment=st.dictionaries(st.sampled_from([*NAMED_VARIABLES, "NATYA_FEED__SPEED", "PATH"]), st.text()))
    def test_of_any_content_gives_checked_values_or_problems(self, environment):
        layer = environment_layer(environment)

        assert len(layer.values) + len(layer.problems) <= len(environment)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[feed]\nsed = 1", "feed.sed: unknown key; did you mean seed?"),
            ("[system]\nticks_per_s = 1", "system.ticks_per_s: unknown key; did you mean feed.ticks_per_s?"),
            ("[feeed]\nseed = 1", "feeed: unknown section; did you mean feed?"),
            ("feed = 1", "feed: wanted a table [feed], found a number"),
            ('[feed]\nseed = "7"', "feed.seed: wanted a whole number from 0 to 9007199254740992, found '7'"),
            ("[feed]\nspeed = nan", "feed.speed: wanted a number from 0 to 1000000000.0, found nan"),
            ("[feed]\nticks_per_s = 0", "feed.ticks_per_s: wanted a number above 0 to 1000000.0, found 0"),
            ("[feed]\nticks_per_s = inf", "feed.ticks_per_s: wanted a number above 0 to 1000000.0, found inf"),
            ("[feed]\noptions = 1", "feed.options: wanted a table, found 1"),
            ('[feed]\nsymbols = "TCS"', "feed.symbols: wanted a list of texts, found 'TCS'"),
            ("[feed]\nsymbol = 5", "feed.symbol: wanted text, found 5"),
            ('[feed]\nsource = "replay"', "feed.source: wanted the file to replay in feed.recording, found none"),
            ("[feed]\nsymbols = []", "feed.symbols: wanted a symbol at least for the synthetic market, found none"),
            ("[system]\nprofile = 'live'", "system.profile: wanted as --profile when starting, found here"),
            (
                "[supervision]\nbackoff_first_s = 60",
                "supervision.backoff_first_s: wanted at most backoff_max_s = 30.0, found 60.0",
            ),
            (
                "[kill_switch]\nloss_exit_times = 2",
                "kill_switch.loss_exit_times: wanted 0, or above 2, where the limit of orders halts, found 2.0",
            ),
            (
                "[orders]\noperator_silence_max_s = 60\n[control]\nenabled = false",
                "orders.operator_silence_max_s: wanted 0 where control.enabled is false: nobody could show himself",
            ),
            ("[database]\npath = '-'", "database.path: wanted a file, found '-'"),
            ("strategies = 1", "strategies: wanted [[strategies]] tables, found a number"),
            ("strategies = [1]", "strategies[0]: wanted a table, found a number"),
            ("[[strategies]]\nname = 'a'", "strategies[0]: wanted a strategy, found none"),
            (
                "[[strategies]]\nname = 'a'\nstrategy = 'a:B'\nsymbol = ['TCS']",
                "strategies[0].symbol: unknown key; did you mean symbols?",
            ),
            (
                "[[strategies]]\nname = 'a'\nstrategy = 'a:B'\nparameters = 1",
                "strategies[0].parameters: wanted a table, found 1",
            ),
            (
                "[[strategies]]\nname = 'a'\nstrategy = 'a:B'\nhost = 'thread'",
                "strategies[0].host: wanted one of loop, process, node, found 'thread'",
            ),
            (
                "[[strategies]]\nname = 'feed'\nstrategy = 'a:B'",
                "strategies[0].name: wanted a name of its own, found 'feed'",
            ),
            (
                "[[strategies]]\nname = 'a'\nstrategy = 'b:B'\ncandles = ['5 minutes']",
                "strategies[0].candles: an interval such as 30s, 5m, 1h or 1d wanted, found '5 minutes'",
            ),
            ("[[strategies]]\nname = 'a'\nstrategy = 'B'", "strategies[0].strategy: wanted module:Class, found 'B'"),
        ],
        ids=lambda value: value.splitlines()[-1] if "\n" in value else None,
    )
    def test_in_a_file_is_named_with_file_key_wanted_and_found(self, load, config_file, text, problem):
        config = config_file(text)

        assert problems(load, config=config) == (f"{config}: {problem}",)

    def test_in_a_variable_is_named_with_the_variable(self, load):
        found = problems(load, environment={"REDIS_PORT": "tcp://10.0.0.1:6379"})

        assert found == (
            "environment REDIS_PORT: redis.port: wanted a whole number from 1 to 65535, found 'tcp://10.0.0.1:6379'",
        )

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("NATYA_FEED_SEED", "; did you mean NATYA_FEED__SEED?"),
            ("NATYA_FEED__SED", "; did you mean NATYA_FEED__SEED?"),
            ("natya_feed__seed", "; did you mean NATYA_FEED__SEED?"),
            ("NATYA_FEED__SYMBOLS__0", "; did you mean NATYA_FEED__SYMBOLS?"),
            ("NATYA_FEED", "; a section is set key by key, as NATYA_FEED__SOURCE"),
            ("NATYA_STRATEGY", "; did you mean NATYA_STRATEGIES?"),
            ("NATYA_SYSTEM__PROFILE", None),
            ("NATYA_", ""),
            ("NATYA_NONSENSE_OF_ANOTHER_KIND", ""),
        ],
    )
    @pytest.mark.parametrize("value", ["1", ""])
    def test_as_an_unknown_variable_is_named_with_the_near_one(self, load, name, told, value):
        (found,) = problems(load, environment={name: value})

        assert found.startswith(f"environment {name}: unknown variable")
        assert told is None or found == f"environment {name}: unknown variable{told}"

    def test_as_a_whole_section_is_told_how_a_section_is_set(self, load):
        assert problems(load, overrides={"feed": "{seed = 1}"}) == (
            "command line: feed: unknown key; a section is set key by key, as feed.source",
        )

    def test_on_the_command_line_is_named_too(self, load):
        found = problems(load, overrides={"fed.seed": "1", "feed.speed": "fast"})

        assert found == (
            "command line: fed.seed: unknown key; did you mean feed.seed?",
            "command line: feed.speed: wanted a number from 0 to 1000000000.0, found 'fast'",
        )

    def test_is_listed_all_at_once(self, load, config_file):
        config = config_file("[feed]\nsed = 1\nseed = -1\n[nothing]\n")

        assert len(problems(load, config=config, environment={"REDIS_DB": "x"}, overrides={"x": 1})) == 5

    def test_in_a_file_that_is_larger_than_may_be_is_not_half_read(self, tmp_path):
        path, size_max = tmp_path / "mine.toml", 1 << 20
        found = []
        for size in (size_max, size_max + 1):
            path.write_text(f"# {'x' * (size - 4)}\n\n"[:size])
            found.append((path.stat().st_size, file_layer(path).problems))

        assert found[0] == (size_max, [])
        assert found[1] == (size_max + 1, [f"{path}: wanted at most {size_max} bytes, found more"])

    def test_is_shown_only_at_its_beginning_when_it_is_long(self, load):
        (problem,) = problems(load, overrides={"feed.seed": "9" * 1000 + "x"})

        assert len(problem) < 200

    @pytest.mark.parametrize("profile", ["papper", "", "../paper"])
    def test_as_a_profile_is_named_with_those_there_are(self, profile):
        with pytest.raises(SettingsError, match="wanted one of paper, live, backtest"):
            load_with_origins(profile, environment={})

    def test_as_a_live_profile_without_a_real_broker(self, load):
        (problem,) = problems(load, profile="live", overrides={"broker.name": "paper"})

        assert problem.startswith("command line: broker.name: wanted a broker of the real market")

    def test_is_no_other_profile_without_an_account(self, load):
        assert load("paper", overrides={"broker.name": "dhan"}).settings.broker.client_id == ""

    def test_as_a_live_profile_without_an_account(self, load):
        (problem,) = problems(load, profile="live")

        assert problem.startswith("default.toml: broker.client_id: wanted the number of the account")

    @pytest.mark.parametrize("read", [load_settings, load_with_origins])
    def test_for_everybody_who_does_not_say_that_he_only_looks(self, read):
        with pytest.raises(SettingsError, match=r"broker\.client_id: wanted the number of the account"):
            read("live", environment={})

    def test_but_not_for_who_only_looks_at_a_system_that_has_what_it_needs(self):
        assert load_settings("live", environment={}, only_looks=True).system.profile == "live"
        with pytest.raises(SettingsError, match="borker"):
            load_settings("live", environment={}, overrides={"borker.client_id": "1"}, only_looks=True)

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.dhan.co/v2",
            "ftp://x/v2",
            "api.dhan.co",
            "https://api.dhan.co/v2/",
            "https://a:b@c/v2",
            "https://api.dhan.co/v2?key=a:b",
            "https://api.dhan.co/v2#part",
            "https://",
            "http://[/",
        ],
    )
    def test_as_a_broker_at_another_address_than_https(self, load, url):
        (problem,) = problems(load, profile="live", overrides={"broker.client_id": "1", "broker.base_url": url})

        assert problem.startswith("command line: broker.base_url: wanted ")
        assert "a:b" not in problem


class TestLeaveToTradeRealMoney:
    limits = MappingProxyType(
        {"quantity_max": 10, "value_max_rupees": 25_000.0, "position_max": 20, "orders_in_flight_max": 10}
    )

    def given(self, **fields):
        return {"broker.client_id": "1", "broker.live": True, "broker.base_url": "http://127.0.0.1:8080/v2"} | fields

    def test_is_not_given_by_default(self, load):
        assert not load(profile="live", overrides={"broker.client_id": "1"}).settings.broker.live

    def test_is_given_with_every_limit_confirmed_as_it_is(self, load):
        given = self.given(**{"broker.confirmed_limits": dict(self.limits)})

        assert load(profile="live", overrides=given).settings.broker.live

    @pytest.mark.parametrize("key", ["quantity_max", "value_max_rupees", "position_max", "orders_in_flight_max"])
    @pytest.mark.parametrize("wrong", [1, None, True, "10"])
    def test_is_refused_with_a_limit_that_is_another_or_missing(self, load, key, wrong):
        confirmed = {name: value for name, value in (dict(self.limits) | {key: wrong}).items() if value is not None}
        (problem,) = problems(load, profile="live", overrides=self.given(**{"broker.confirmed_limits": confirmed}))

        assert f"wanted {key} = " in problem
        assert "nothing" in problem if wrong is None else repr(wrong) in problem

    def test_is_refused_when_a_limit_is_raised_after_it_was_confirmed(self, load):
        given = self.given(**{"broker.confirmed_limits": dict(self.limits), "orders.position_max": 2_000})
        (problem,) = problems(load, profile="live", overrides=given)

        assert problem.endswith("wanted position_max = 2_000 as in [orders], found 20")

    def test_is_given_with_the_limits_of_single_instruments_confirmed_too(self, load):
        own = {"orders.instruments": {"NIFTY-*": {"quantity_max": 75}}}
        confirmed = dict(self.limits) | {"instruments": {"NIFTY-*": {"quantity_max": 75}}}

        assert load(
            profile="live", overrides=self.given(**own, **{"broker.confirmed_limits": confirmed})
        ).settings.broker.live
        (problem,) = problems(
            load, profile="live", overrides=self.given(**own, **{"broker.confirmed_limits": dict(self.limits)})
        )
        assert "wanted instruments = {'NIFTY-*': {'quantity_max': 75}} as in [orders], found nothing" in problem

    def test_is_refused_with_a_limit_that_there_is_not(self, load):
        given = self.given(**{"broker.confirmed_limits": dict(self.limits) | {"quantity": 10}})

        assert "found 'quantity'" in problems(load, profile="live", overrides=given)[0]

    @pytest.mark.parametrize("base_url", ["", "https://api.dhan.co/v2", "https://sandbox.dhan.co/v2"])
    def test_is_refused_by_prices_that_are_made_up_save_at_an_exchange_of_this_machine(self, load, base_url):
        given = self.given(**{"broker.confirmed_limits": dict(self.limits), "broker.base_url": base_url})
        (problem,) = problems(load, profile="live", overrides=given)

        assert (
            problem == "default.toml: feed.source: wanted prices of the real market for real orders, found 'synthetic'"
        )

    def test_is_given_at_the_broker_with_prices_of_the_real_market(self, load):
        dhan = {"feed.source": "dhan", "broker.access_token": Secret("t"), "broker.base_url": ""}
        given = self.given(**{"broker.confirmed_limits": dict(self.limits)}, **dhan)

        assert load(profile="live", overrides=given).settings.broker.live

    def test_is_refused_with_a_limit_that_was_confirmed_by_yes(self, load):
        given = self.given(**{"broker.confirmed_limits": dict(self.limits) | {"quantity_max": True}})
        (problem,) = problems(load, profile="live", overrides=given | {"orders.quantity_max": 1})

        assert problem.endswith("wanted quantity_max = 1 as in [orders], found True")


class TestWhatIsRefusedBesides:
    def test_as_a_strategy_whose_class_no_other_process_would_find(self, load):
        class Hidden:
            pass

        (problem,) = problems(load, overrides={"strategies": [{"name": "hidden", "strategy": Hidden}]})

        assert "strategies[0].strategy: wanted a class at the top of a module, found " in problem

    @pytest.mark.parametrize(
        ("overrides", "problem"),
        [
            ({"feed.interval": "a while"}, "feed.interval: "),
            ({"feed.source": "replay"}, "feed.recording, found none"),
            ({"feed.source": "replay", "feed.recording": ["a.csv", ""]}, "feed.recording, found none"),
            ({"feed.source": "replay", "feed.recording": []}, "feed.recording, found none"),
            ({"feed.source": "synthetic", "feed.symbols": []}, "feed.symbols: wanted a symbol at least"),
        ],
    )
    def test_as_a_feed_that_has_nothing_to_go_by(self, load, overrides, problem):
        (found,) = problems(load, overrides=overrides)

        assert problem in found

    @pytest.mark.parametrize(
        "overrides",
        [
            {"feed.source": "replay", "feed.recording": "a.csv"},
            {"feed.source": "replay", "feed.recording": ["a.csv", "b.csv"]},
        ],
    )
    def test_is_none_of_a_recording_that_has_its_own_symbols(self, load, overrides):
        assert load(overrides={"feed.symbols": [], **overrides}).settings.feed.symbols == ()

    def test_as_each_wrong_key_of_a_strategy(self, load):
        one = {"nmae": 1, "name": "a", "strategy": "a:B", "hots": "loop", "host": "thread"}

        assert problems(load, overrides={"strategies": [one]}) == (
            "command line: strategies[0].nmae: unknown key; did you mean name?",
            "command line: strategies[0].hots: unknown key; did you mean host?",
            "command line: strategies[0].host: wanted one of loop, process, node, found 'thread'",
        )

    @pytest.mark.parametrize(
        ("profile", "feed", "is_refused"),
        [
            ("paper", {"feed.source": "replay", "feed.recording": "a.csv", "feed.speed": 1.0}, False),
            ("paper", {"feed.source": "replay", "feed.recording": "a.csv", "feed.speed": 2.0}, True),
            ("paper", {"feed.source": "dhan", "feed.speed": 2.0, **LIVE_FEED}, False),
            ("paper", {"feed.source": "synthetic", "feed.speed": 0.0}, True),
            ("node", {"feed.source": "replay", "feed.recording": "a.csv", "feed.speed": 2.0}, False),
        ],
    )
    def test_as_a_market_that_does_not_keep_the_time_of_other_machines(self, load, profile, feed, is_refused):
        elsewhere = [{"name": "a", "strategy": "a:B", "host": "node"}]
        overrides = {"strategies": elsewhere, "nodes.play": "ours", **feed}
        told = f"feed.speed: wanted 1 where strategies run on other machines (a), found {feed['feed.speed']}"

        if is_refused:
            assert problems(load, profile=profile, overrides=overrides) == (f"command line: {told}",)
        else:
            assert load(profile, overrides=overrides).settings.feed.speed == feed["feed.speed"]

    @pytest.mark.parametrize("name", ["", "flat", "flattener"])
    def test_as_a_strategy_of_a_name_that_is_no_strategy_s(self, load, name):
        """By `flat` begin the ids of the orders that close positions."""
        assert problems(load, overrides={"strategies": [{"name": name, "strategy": "a:B"}]}) == (
            f"command line: strategies[0].name: wanted a name of its own, found {name!r}",
        )

    @pytest.mark.parametrize(
        ("profile", "host", "wanted"),
        [
            (
                "node",
                "loop",
                ["strategies: wanted one with host = 'node', ", "nodes.play: wanted the name of the play "],
            ),
            ("node", "node", ["nodes.play: wanted the name of the play "]),
            ("paper", "node", ["nodes.play: wanted the name of the play "]),
            ("paper", "loop", []),
        ],
    )
    def test_as_a_play_of_several_machines_without_a_name(self, load, profile, host, wanted):
        feed = {"feed.source": "replay", "feed.recording": "a.csv", "feed.speed": 1.0}
        overrides = {"strategies": [{"name": "a", "strategy": "a:B", "host": host}], **feed}
        found = problems(load, profile=profile, overrides=overrides) if wanted else ()

        assert len(found) == len(wanted)
        assert all(part in problem for part, problem in zip(wanted, found, strict=True))

    def test_as_a_watch_of_a_person_who_cannot_show_himself(self, load):
        watch = {"orders.operator_silence_max_s": 60.0}
        (problem,) = problems(load, overrides={**watch, "control.enabled": False})

        assert "orders.operator_silence_max_s: wanted 0 where control.enabled is false" in problem
        assert load(overrides={**watch, "control.enabled": True}).settings.orders.operator_silence_max_s == 60.0
        assert not load(overrides={"control.enabled": False}).settings.control.enabled

    def test_as_a_class_in_the_place_of_a_text(self, load):
        assert problems(load, overrides={"strategies": [{"name": Path, "strategy": "a:B"}]}) == (
            f"command line: strategies[0].name: wanted text, found {Path!r}",
        )

    def test_as_a_secret_that_is_no_text(self, load):
        (problem,) = problems(load, overrides={"broker.access_token": 5})

        assert problem == "command line: broker.access_token: wanted text, found a number (not shown: it is a secret)"

    def test_as_two_strategies_of_one_name(self, load):
        one = {"name": "a", "strategy": "a:B"}

        assert problems(load, overrides={"strategies": [one, one]}) == (
            "command line: strategies[1].name: wanted a name of its own, found 'a'",
        )

    @given(key=st.sampled_from(sorted(KEYS)), value=st.one_of(st.none(), st.text(), st.integers(), st.floats()))
    def test_never_ends_in_another_error(self, key, value):
        layer = override_layer({key: value})

        assert len(layer.values) + len(layer.problems) == 1


class TestAFileThatCannotBeRead:
    def test_is_named_when_it_is_missing(self, load, tmp_path):
        path = tmp_path / "none.toml"

        assert problems(load, config=path) == (f"{path}: cannot be read: No such file or directory",)

    def test_that_cannot_be_read_is_the_only_thing_that_is_told_of_it(self, load, tmp_path):
        (tmp_path / "huge.toml").write_text("a = 1\n" * 1_000_000)

        for name in ("missing.toml", ".", "huge.toml"):
            assert len(problems(load, config=tmp_path / name)) == 1

    def test_is_named_when_it_is_a_directory(self, load, tmp_path):
        assert problems(load, config=tmp_path) == (f"{tmp_path}: cannot be read: Is a directory",)

    @pytest.mark.parametrize("text", ["[feed\n", "seed == 1", "a = 1\na = 2", "a = " + "[" * 100_000], ids=range(4))
    def test_is_named_when_it_is_no_toml(self, load, config_file, text):
        (problem,) = problems(load, config=config_file(text))

        assert "mine.toml: wanted TOML, found an error: " in problem

    def test_is_named_when_it_is_no_text(self, load, tmp_path):
        path = tmp_path / "binary.toml"
        path.write_bytes(b"\xff\xfe")

        assert "wanted TOML" in problems(load, config=path)[0]

    def test_is_refused_unread_when_it_is_huge(self, load, config_file):
        (problem,) = problems(load, config=config_file("#" * 2_000_000))

        assert problem.endswith("wanted at most 1048576 bytes, found more")

    @settings(max_examples=50)
    @given(content=st.binary(max_size=100))
    def test_never_ends_in_another_error(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("files") / "any.toml"
        path.write_bytes(content)

        assert file_layer(path).problems or not file_layer(path).values


def test_every_profile_has_its_file():
    files = {path.stem for path in Path(natya.config.__file__).parent.glob("*.toml")}

    assert files == {*PROFILES, "default", "live_market"}


class TestAFileThatOthersMayWrite:
    """It names code to run, and a command."""

    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "etc"
        folder.mkdir()
        (folder / "mine.toml").write_text("[feed]\nseed = 8\n")
        return folder

    @pytest.mark.parametrize(("mode", "of_folder"), [(0o666, 0o755), (0o646, 0o755), (0o600, 0o777), (0o600, 0o757)])
    def test_is_refused_and_so_is_one_that_they_could_replace(self, load, folder, mode, of_folder):
        file = folder / "mine.toml"
        file.chmod(mode)
        folder.chmod(of_folder)
        place, found = (file, mode) if mode != 0o600 else (folder, of_folder)

        assert problems(load, config=file) == (
            f"{file}: wanted one that nobody else can write, found mode {found:o} of {place}: chmod go-w {place}",
        )

    @pytest.mark.parametrize(("mode", "of_folder"), [(0o644, 0o755), (0o600, 0o1777), (0o664, 0o775)])
    def test_is_not_what_they_may_read_or_are_kept_from_replacing(self, load, folder, mode, of_folder):
        (folder / "mine.toml").chmod(mode)
        folder.chmod(of_folder)

        assert load(config=folder / "mine.toml").settings.feed.seed == 8

    @pytest.mark.parametrize(
        "group",
        [
            SimpleNamespace(gr_name="users", gr_mem=[]),
            SimpleNamespace(gr_name=pwd.getpwuid(os.geteuid()).pw_name, gr_mem=["another"]),
            None,
        ],
        ids=["of others", "with others in it", "without a name"],
    )
    def test_is_one_of_a_group_that_is_not_this_users_alone(self, load, folder, monkeypatch, group):
        def getgrgid(number):
            if group is None:
                raise KeyError(number)
            return group

        monkeypatch.setattr("grp.getgrgid", getgrgid)
        (folder / "mine.toml").chmod(0o664)

        assert "found mode 664 of" in problems(load, config=folder / "mine.toml")[0]


class TestALiveFeed:
    def test_wants_an_account_and_a_token(self, load):
        with pytest.raises(SettingsError) as refused:
            load("paper", overrides={"feed.source": "dhan"})
        assert "broker.client_id: wanted the number of the account, for the feed of dhan, found none" in str(
            refused.value
        )
        assert "broker.access_token: wanted an access token, for the feed of dhan, found none" in str(refused.value)

    @pytest.mark.parametrize(
        ("missing", "is_made"),
        [((), True), (("broker.pin",), False), (("broker.totp_secret",), False), (("broker.name",), False)],
    )
    def test_wants_no_token_where_the_session_has_one_made(self, load, missing, is_made):
        given = {"broker.name": "dhan", "broker.pin": "1234", "broker.totp_secret": "JBSWY3DPEHPK3PXP"}
        environment = {
            f"NATYA_{key.upper().replace('.', '__')}": text for key, text in given.items() if key not in missing
        }
        found = problems(load, environment=environment, overrides={"feed.source": "dhan"})

        assert any("broker.client_id: wanted" in each and "for the feed" in each for each in found)
        assert any("broker.access_token: wanted" in each and "for the feed" in each for each in found) != is_made

    def test_has_them_from_the_environment(self, load):
        assert load("paper", environment=ACCOUNT, overrides={"feed.source": "dhan"}).settings.feed.source == "dhan"


@pytest.mark.parametrize("key", ["feed.symbol", "feed.symbols", "orders.symbols"])
def test_what_cannot_be_a_symbol_is_refused_wherever_one_is_wanted(load, key):
    wrong = "IN\nFY" if key == "feed.symbol" else ["TCS", "IN\nFY"]

    with pytest.raises(SettingsError, match=rf"{key}: wanted a symbol of 1 to \d+ printable characters") as refused:
        load(overrides={key: wrong})

    assert len(refused.value.problems) == 1


def test_a_profile_that_a_file_names_is_one_problem_whatever_it_is(load, config_file):
    with pytest.raises(SettingsError) as refused:
        load(config=config_file('[system]\nprofile = "nonsense"\n'))

    assert len(refused.value.problems) == 1
