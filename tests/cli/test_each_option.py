"""Each option of each command changes what the command hands on, and nothing else of it.

Whatever a command calls outside of `cli` is a double here, which notes its arguments and ends the command. A row says
an option as it is written, and the arguments that are other than without it. An option that has no row fails a test.
"""

import contextlib
import dataclasses
import sys
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from natya_command_tree import every_command

import natya.cli.views.secrets  # noqa: F401  what it imports must not be a double's for every test that follows
from natya.cli.doctor.checks import LOCAL
from natya.client import Connection
from natya.config.secrets import Secret
from natya.domain.time import day_start_ns, number_of_day
from natya.messages.supervision import DescribeTree, SupervisionTree
from natya.transfer.stored import CORE_NAME

SYSTEM = "a running system"
TCS, SOME_NS = "TCS", 1_790_000_000 * 10**9
MINUTE_NS = 60 * 10**9


class Handing(NamedTuple):
    """A command with the words that it cannot do without, and what it hands on where."""

    words: str
    where: str
    """`SYSTEM`: a request to it; else what is called."""

    rows: dict[str, dict[str, Any]]


def start_ns(year, month, day):
    return day_start_ns(number_of_day(date(year, month, day)))


PLAYED = "natya.cli.commands.run.load_to_run"
SWEEP = "natya.backtest.sweeping.sweep.Sweep"
PLAN = "natya.backtest.result.perform"
STORED = {
    "--symbol TCS --symbol INFY": {"symbols": ["TCS", "INFY"]},
    "--from 2026-01-05": {"since_ns": start_ns(2026, 1, 5)},
    "--to 2026-01-06": {"until_ns": start_ns(2026, 1, 7)},
    "--source dhan": {"source": "dhan"},
    "--interval 5m": {"interval": "5m"},
}
WRITTEN = {
    "--dates day-first": {"dates": "day-first"},
    "--decimal comma": {"decimal": "comma"},
    "--zone UTC": {"zone": "UTC"},
}
WRITTEN_AS_SETTINGS = {
    "--dates month-first": {"feed.dates": "month-first"},
    "--decimal comma": {"feed.decimal": "comma"},
    "--zone UTC": {"feed.zone": "UTC"},
}
LETTERS = {
    "--subscription billing": {"subscription": "billing"},
    "--type Weighed": {"event_type": "Weighed"},
    "--error ValueError": {"error": "ValueError"},
    "--key parcel-1": {"key": "parcel-1"},
}
RECORDS = {
    "--since-ns 5": {"since_ns": 5},
    "--until-ns 7": {"until_ns": 7},
}
FACTS = {
    "--type OrderIntended --type OrderFilled": {"types": ("OrderIntended", "OrderFilled")},
    "--key mine-1": {"key": "mine-1"},
}
SERVICE = {
    "--live": {"live": True},
    "--system": {"system": True},
    "--user bob": {"user": "bob"},
    "--profile live": {"0": "live"},
    "--config own.toml": {"1": Path("own.toml")},
    "--set log.level=debug": {"2": ["log.level=debug"]},
}
HANDINGS = (
    Handing("init new", "natya.cli.project.make_project", {}),
    Handing(
        "run",
        PLAYED,
        {
            "--profile backtest": {"0": "backtest"},
            "--replay a.csv": {"feed.source": "replay", "feed.recording": "a.csv"},
            "--replay a.csv --replay TCS=b.csv": {"feed.source": "replay", "feed.recording": ["a.csv", "TCS=b.csv"]},
            "--feed dhan": {"feed.source": "dhan"},
            "--symbol TCS": {"feed.symbol": "TCS", "feed.symbols": ["TCS"]},
            "--interval 5m": {"feed.interval": "5m"},
            **WRITTEN_AS_SETTINGS,
            "--speed 2.5": {"feed.speed": 2.5},
            "--speed max": {"feed.speed": 0.0},
            "--duration 90": {"feed.duration_s": 90.0},
            "--live": {"broker.live": True},
            "--continue": {"orders.account": "newest"},
            "--strategy mine:Mine": {
                "strategies": [{"name": "mine", "strategy": "mine:Mine", "parameters": {}}],
            },
            "--strategy mine:Mine --param fast=7": {
                "strategies": [{"name": "mine", "strategy": "mine:Mine", "parameters": {"fast": 7}}],
            },
            "--data-dir kept": {"system.data_dir": "kept"},
            "--config own.toml": {"config": Path("own.toml")},
            "--max-bad-rows 3": {"feed.bad_rows_max": 3},
            "--seed 11": {"feed.seed": 11},
            "--set log.level=debug": {"log.level": "debug"},
        },
    ),
    Handing("run --replay system", "natya.transfer.stored_files", STORED),
    Handing(
        "run",
        "natya.cli.foreground.perform",
        {"--summary json": {"summary_format": "json"}, "--json": {"summary_format": "json"}},
    ),
    Handing(
        "backtest x.py --data a.csv",
        PLAN,
        {"--data b.csv": {"data": (Path("a.csv"), Path("b.csv"))}}
        | {row: {"settings": found} for row, found in WRITTEN_AS_SETTINGS.items()},
    ),
    Handing(
        "backtest x.py --data a.csv --sweep fast=1:2:1",
        SWEEP,
        {
            "--workers 3": {"workers": 3},
            "--engine ray": {"engine": "ray"},
            "--cluster tcp://host:8786": {"cluster": "tcp://host:8786"},
            "--results all.duckdb": {"results": Path("all.duckdb")},
        },
    ),
    Handing(
        "parity kept",
        "natya.backtest.parity.parity",
        {
            "--strategy mine:Mine": {"strategies": ["mine:Mine"]},
            "--from 2026-01-05": {"since_ns": start_ns(2026, 1, 5)},
            "--to 2026-01-06": {"until_ns": start_ns(2026, 1, 7)},
            "--interval ticks": {"interval": "ticks"},
            "--profile live": {"profile": "live"},
            "--config own.toml": {"config": Path("own.toml")},
            "--set log.level=debug": {"log.level": "debug"},
        },
    ),
    Handing("doctor", "natya.cli.doctor.checks.examine", {"--offline": {"1": LOCAL}}),
    Handing("ping", SYSTEM, {}),
    Handing(
        "orders",
        SYSTEM,
        {
            "--open": {"open_only": True},
            "--all-days": {"all_days": True},
            "--strategy mine": {"strategy": "mine"},
            "--symbol TCS": {"symbol": "TCS"},
            "--account 0": {"account": 0},
            "--at-most 7": {"orders_max": 7},
        },
    ),
    Handing("order show mine-1", SYSTEM, {}),
    Handing(
        "order settle mine-1 --reason seen --filled 5",
        SYSTEM,
        {"--price 99.5": {"price": 99.5}, "--filled 6": {"filled": 6}, "--reason told": {"reason": "told"}},
    ),
    Handing(
        "position settle INFY --shares 3 --price 99.5 --reason seen",
        SYSTEM,
        {"--shares 0": {"shares": 0}, "--price 98.5": {"price": 98.5}, "--reason told": {"reason": "told"}},
    ),
    Handing(
        "cancel mine-1",
        SYSTEM,
        {
            "--all": {"everything": True},
            "--strategy mine": {"strategy": "mine"},
            "--symbol TCS": {"symbol": "TCS"},
            "mine-2": {"client_order_ids": ("mine-1", "mine-2")},
        },
    ),
    Handing("flatten --all", SYSTEM, {"--strategy mine": {"strategy": "mine"}, "--symbol TCS": {"symbol": "TCS"}}),
    Handing("strategies start mine", SYSTEM, {}),
    Handing("strategies stop mine", SYSTEM, {}),
    Handing("strategies swap mine mine:Mine", SYSTEM, {}),
    Handing("strategies reload mine", SYSTEM, {}),
    Handing(
        "kill-switch on",
        "natya.cli.commands.kill_switch.on.engage",
        {"--reason fire": {"reason": "fire"}, "--flatten": {"flatten": True}},
    ),
    Handing(
        "deadman --profile paper",
        "natya.client.deadman.Deadman",
        {
            "--after 20": {"after_s": 20.0},
            "--policy watch": {"policy": "watch"},
            "--loss 5000": {"loss_rupees": 5_000.0},
            "--loss 0": {"loss_rupees": 0.0},
        },
    ),
    Handing("resume --reason fixed", SYSTEM, {"--reason mended": {"reason": "mended"}}),
    Handing(
        "risk set position_max=60 --reason more",
        SYSTEM,
        {"--reason less": {"reason": "less"}, "--confirm position_max=60": {"confirmed": {"position_max": "60"}}},
    ),
    Handing("risk explain mine-1", SYSTEM, {}),
    Handing("completion bash", "natya.cli.commands.completion.tell_answer", {}),
    Handing("service install", "natya.cli.service.options.service_of", SERVICE),
    Handing(
        "service uninstall",
        "natya.cli.service.files.folder_of",
        {"--profile live": {"profile": "live"}, "--system": {"user": "natya"}},
    ),
    Handing("service show", "natya.cli.service.options.service_of", SERVICE),
    Handing(
        "exchange serve --port 0",
        "natya.cli.commands.exchange.serve.load_to_run",
        {
            "--port 8080": {"web.port": 8_080},
            "--replay a.csv": {"feed.source": "replay", "feed.recording": "a.csv"},
            "--symbol TCS --symbol INFY": {"feed.symbol": "TCS", "feed.symbols": ["TCS", "INFY"]},
            "--synthetic 11": {"feed.seed": 11},
            "--feed dhan": {"feed.source": "dhan"},
            "--speed 2.5": {"feed.speed": 2.5},
            "--always-open": {"exchange.always_open": True},
            "--data-dir kept": {"system.data_dir": "kept"},
            "--instruments lists": {"instruments.path": "lists"},
            "--set log.level=debug": {"log.level": "debug"},
        },
    ),
    Handing(
        "exchange serve --token word",
        "natya.exchange_system.Serving",
        {
            "--token other": {"token": "other"},
            "--client-id 7": {"client_id": "7"},
            "--by-hand": {"has_market": False},
            "--faults": {"has_faults": True},
            "--unlimited": {"is_limited": False},
            "--consent-redirect http://127.0.0.1:1/": {"consent_redirect": "http://127.0.0.1:1/"},
        },
    ),
    Handing("reload", SYSTEM, {"--check": {"check_only": True}}),
    *(Handing(f"secrets {each} broker.access_token", SYSTEM, {}) for each in ("set", "test", "rotate", "remove")),
    Handing("secrets keep files", SYSTEM, {}),
    Handing("audit list", "natya.actors.journal.tools.tail", {"--records 7": {"records_max": 14}, **RECORDS}),
    Handing("journal tail", "natya.actors.journal.tools.tail", {"--records 7": {"records_max": 7}, **RECORDS, **FACTS}),
    Handing(
        "journal export", "natya.actors.journal.tools.export", {"--after 7": {"after_sequence": 7}, **RECORDS, **FACTS}
    ),
    Handing(
        "events tail",
        "natya.actors.journal.tools.tail",
        {
            "--rows 7": {"records_max": 7},
            "--facts": {"types": ()},
        },
    ),
    Handing("events tail --follow", SYSTEM, {"--facts": {"types": ()}}),
    Handing(
        "events replay billing",
        SYSTEM,
        {
            "--after 7": {"after_sequence": 7},
            "--until 9": {"until_sequence": 9},
            **RECORDS,
            "--type Weighed --type Sent": {"event_types": ("Weighed", "Sent")},
            "--key parcel-1": {"keys": ("parcel-1",)},
            "--correlation-id talk": {"correlation_id": "talk"},
            "--pace 10": {"pace": 10.0},
        },
    ),
    Handing(
        "events dlq list", SYSTEM, {**LETTERS, "--after billing-7": {"after": "billing-7"}, "--rows 7": {"rows_max": 7}}
    ),
    Handing("events dlq show billing-7", SYSTEM, {}),
    Handing("events dlq requeue --all", SYSTEM, LETTERS),
    Handing("events dlq edit billing-7 {}", SYSTEM, {}),
    Handing("events dlq drop billing-7", SYSTEM, {}),
    Handing("events dlq purge --all", SYSTEM, LETTERS),
    Handing(
        "instruments find",
        "natya.actors.instruments.InstrumentMaster.find",
        {
            "nifty call": {"text": "nifty call"},
            "--segment NSE_FNO": {"segment": "NSE_FNO"},
            "--underlying NIFTY": {"underlying": "NIFTY"},
            "--type FUTIDX": {"instrument_type": "FUTIDX"},
            "--expiry 2026-01-27": {"expiry": date(2026, 1, 27)},
            "--option PE": {"option_type": "PE"},
            "--expired": {"is_expired": True},
            "--rows-max 7": {"rows_max": 7},
        },
    ),
    Handing("instruments show TCS", "natya.actors.instruments.InstrumentMaster.show", {}),
    Handing(
        "instruments refresh",
        "natya.actors.instruments.InstrumentMaster.refresh",
        {
            "--url http://here/": {"0": "http://here/"},
            "--may-shrink": {"may_shrink": True},
        },
    ),
    Handing(
        "instruments refresh --file a.csv",
        "natya.actors.instruments.InstrumentMaster.take",
        {
            "--file b.csv": {"0": Path("b.csv")},
            "--may-shrink": {"may_shrink": True},
        },
    ),
    Handing(
        "db query select",
        SYSTEM,
        {
            "TCS 5": {"parameters": ("TCS", "5")},
            "--timeout 2": {"timeout_s": 2.0, "waits_s": 7.0},
            "--rows-max 7": {"rows_max": 7},
        },
    ),
    Handing("db snapshot new.duckdb", SYSTEM, {"--timeout 2": {"timeout_s": 2.0, "waits_s": 7.0}}),
    Handing("db backup new.duckdb", SYSTEM, {"--timeout 2": {"timeout_s": 2.0, "waits_s": 7.0}}),
    Handing(
        "db import a.csv",
        "natya.transfer.import_file",
        {
            "--symbol TCS": {"symbol": "TCS"},
            "--tick-size 0.05": {"tick_size_rupees": 0.05},
            "--interval 1m": {"interval_ns": MINUTE_NS},
            "--max-bad-rows 3": {"bad_rows_max": 3},
            **WRITTEN,
        },
    ),
    Handing(
        "db export out",
        "natya.transfer.export",
        {
            "--symbol TCS --symbol INFY": {"symbols": ["TCS", "INFY"]},
            "--from 2026-01-05": {"since_ns": start_ns(2026, 1, 5)},
            "--to 2026-01-06": {"until_ns": start_ns(2026, 1, 7)},
            "--format csv": {"file_format": "csv"},
        },
    ),
    Handing("db archive", "natya.client.closed_days", {"--before 2026-01-06": {"1": date(2026, 1, 6)}}),
    Handing("db check", SYSTEM, {"--timeout 2": {"timeout_s": 2.0, "waits_s": 7.0}}),
    Handing(
        "data fetch RELIANCE --from 2026-01-05 --to 2026-01-09",
        "natya.transfer.fetch",
        {
            "--from 2026-01-06": {"first": date(2026, 1, 6)},
            "--to 2026-01-08": {"last": date(2026, 1, 8)},
            "--interval 5m": {"interval": "5m", "interval_ns": 5 * MINUTE_NS},
            "--again": {"again": True},
        },
    ),
    Handing(
        "data inspect a.csv",
        "natya.actors.feed.Recording",
        {
            "--symbol TCS": {"symbol": "TCS"},
            "--interval 1m": {"interval_ns": MINUTE_NS},
            **WRITTEN,
        },
    ),
)
COMMON = {"--data-dir": "other", "--profile": "backtest", "--config": "own.toml", "--set": "log.level=debug"}
"""Options that say which settings, or which system: each with a value."""

ELSEWHERE = {
    "alarms --test": "test_each_command.py",
    "audit verify --seals": "test_audit.py",
    "backtest --by": "../backtest/test_sweep.py",
    "backtest --capital": "test_backtest_plan.py",
    "backtest --charges": "test_backtest_plan.py",
    "backtest --config": "test_backtest_plan.py",
    "backtest --data-dir": "test_backtest_plan.py",
    "backtest --from": "test_backtest_plan.py",
    "backtest --html": "../backtest/test_page.py",
    "backtest --interval": "test_backtest_plan.py",
    "backtest --latency": "test_backtest_plan.py",
    "backtest --set": "test_backtest_plan.py",
    "backtest --slippage": "test_backtest_plan.py",
    "backtest --symbol": "test_backtest_plan.py",
    "backtest --test": "../backtest/test_sweep_page.py",
    "backtest --to": "test_backtest_plan.py",
    "backtest --train": "../backtest/test_sweep_page.py",
    "dashboard --open": "test_asked_of_a_system.py",
    "db query --csv": "test_db.py",
    "events dlq purge --older-days": "test_each_command.py",
    "events tail --key": "test_events.py",
    "events tail --topic": "test_events.py",
    "events tail --type": "test_events.py",
    "health --live": "test_each_command.py",
    "order settle --absent": "test_each_command.py",
    "secrets keep --key-file": "test_secrets.py",
    "secrets rotate --untested": "test_secrets.py",
    "service install --now": "test_service.py",
    "top --interval": "test_top.py",
    "top --once": "test_top.py",
}
"""Options that change what is done with an answer: the file whose tests show it."""


class Handed(BaseException):
    """Ends a command where it hands on: nothing of natya catches it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where commands find the files that their words name."""
    folder = tmp_path_factory.mktemp("options")
    (folder / "system" / "journal").mkdir(parents=True)
    for name in ("a.csv", "b.csv", "own.toml", "x.py", f"system/{CORE_NAME}"):
        (folder / name).touch()
    return folder


@pytest.fixture(scope="module")
def found_before():
    """What is handed on without a row, by the words."""
    return {}


@pytest.fixture
def handed(natya, monkeypatch, folder):
    """Return the arguments that a command line hands on there, by name; those of no name by their place."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("getpass.getuser", lambda: "trader")
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("tempfile.TemporaryDirectory", lambda **_: contextlib.nullcontext("scratch"))
    monkeypatch.setattr("natya.transfer.BrokerCharts", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr("natya.config.sections.kill_switch.loss_exit_rupees", lambda *_: 7.0)

    def hand_on(*words, **named):
        raise Handed(words, named)

    class Wire:
        def request(self, actor, message, *, timeout_s, correlation_id=""):
            if isinstance(message, DescribeTree):
                return SupervisionTree(children=())
            return hand_on(actor, message, waits_s=timeout_s)

        def close(self):
            pass

    monkeypatch.setattr("natya.client.connect", lambda *_, **__: Connection(Wire()))

    def call(where, *words):
        if where != SYSTEM:
            monkeypatch.setattr(where, staticmethod(hand_on))
        with pytest.raises(Handed) as found:
            pytest.fail(f"nothing was handed on: {natya(*words).output}")
        return dict(flat(*found.value.args))

    call.ends_at = lambda where: monkeypatch.setattr(where, hand_on)
    return call


PLAIN = (str, int, float, tuple, list, date, Path, type(None))


def flat(words, named):
    """Yield names and values of the plain arguments, those of settings, plans and messages each by itself."""
    for name, value in {**{str(number): each for number, each in enumerate(words)}, **named}.items():
        if isinstance(value, msgspec.Struct):
            yield from msgspec.structs.asdict(value).items()
        elif dataclasses.is_dataclass(value):
            yield from vars(value).items()
        elif isinstance(value, dict):
            yield from value.items()
        elif isinstance(value, Secret):
            yield name, value.reveal()
        elif isinstance(value, PLAIN):
            yield name, value


OPTIONS = {
    name: {each.opts[0] for each in found.params if each.param_type_name == "option"} - {"--help", "--json"}
    for name, found in every_command()
}
"""The options of each command; that each has `--json` is shown of all, and what it prints of each by itself."""


def command_of(words):
    """The name of a command, without what follows it."""
    return max((name for name in OPTIONS if f"{words} ".startswith(f"{name} ")), key=len)


WORDS = {command_of(each.words): each.words for each in reversed(HANDINGS)}
SHOWN = {name: set() for name in OPTIONS}
"""The options of each command that a row is about."""

for handing in HANDINGS:
    SHOWN[command_of(handing.words)] |= {word for row in handing.rows for word in row.split() if word[:2] == "--"} | (
        {word for word in handing.words.split() if word[:2] == "--"} - COMMON.keys()
    )

ROWS = [(each, row) for each in HANDINGS for row in each.rows]
OF_SETTINGS = sorted(
    (name, option)
    for name, options in OPTIONS.items()
    for option in (options & COMMON.keys()) - SHOWN[name]
    if f"{name} {option}" not in ELSEWHERE
)


class TestEachOption:
    @pytest.mark.parametrize(("handing", "row"), ROWS, ids=[f"{each.words} {row}" for each, row in ROWS])
    def test_changes_what_is_handed_on_and_nothing_else_of_it(self, handed, found_before, handing, row):
        name = command_of(handing.words)
        words = handing.words.split()
        own = ["--data-dir", "system"] if "--data-dir" in OPTIONS[name] and name != "backtest" else []

        key = handing.where, handing.words
        if key not in found_before:
            found_before[key] = handed(handing.where, *words, *own)
        before = found_before[key]
        found = handed(handing.where, *words, *own, *row.split())

        assert {
            key: value for key, value in found.items() if key not in before or before[key] != value
        } == handing.rows[row]

    @pytest.mark.parametrize(("name", "option"), OF_SETTINGS, ids=[" ".join(each) for each in OF_SETTINGS])
    def test_that_says_which_settings_or_system_is_what_they_are_looked_for_by(self, handed, name, option):
        for place in (
            "config.loader.load_with_origins",
            "config.loader.load_settings",
            "config.secret_folder.SecretFolder",
        ):
            handed.ends_at(f"natya.{place}")

        profile = ["--profile", COMMON["--profile"]] if "--profile" in OPTIONS[name] else []
        found = handed("natya.client.connect", *WORDS.get(name, name).split(), *profile, option, COMMON[option])

        asked = {
            "--data-dir": Path(found.get("system.data_dir", found["0"])).name,
            "--profile": found["0"],
            "--config": str(found.get("config")),
            "--set": f"log.level={found.get('log.level')}",
        }
        assert asked[option] == COMMON[option]
        assert found["0"] == COMMON["--profile"] or "system.data_dir" not in found

    def test_has_a_row(self):
        elsewhere = {(command_of(each), each.split()[-1]) for each in ELSEWHERE}
        of_settings = set(OF_SETTINGS)

        lacking = {
            f"{name} {option}"
            for name, options in OPTIONS.items()
            for option in options - SHOWN[name]
            if (name, option) not in elsewhere | of_settings
        }

        assert lacking == set()

    @pytest.mark.parametrize(("option", "file"), ELSEWHERE.items())
    def test_that_has_its_test_elsewhere_is_named_there(self, option, file):
        text = (Path(__file__).parent / file).read_text()

        assert option.split()[-1] in text
        assert option.split()[-2] in text
