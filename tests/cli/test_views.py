"""What people are shown, line by line."""

import datetime as dt
import io
from functools import partial
from types import SimpleNamespace

import pytest
from natya_builders import BUILDERS
from rich.console import Console
from rich.control import Control

from natya.actors.feed.inspection import Inspection
from natya.actors.orders.rules.explaining import Explained
from natya.cli.doctor.finding import Finding
from natya.cli.views import (
    alarms,
    audit,
    candles,
    health,
    instruments,
    recordings,
    reload,
    risk,
    rows,
    secrets,
    strategies,
    tables,
    tokens,
)
from natya.cli.views import doctor as findings
from natya.cli.views.columns import lined
from natya.client import Series
from natya.domain.history import Missing
from natya.domain.instruments import Instrument
from natya.messages.broker import UpdatesStatistics
from natya.messages.control import OperationAnswered, OperationAsked
from natya.messages.health import Alarm, AlarmsShown, Component, Health
from natya.messages.instruments import InstrumentList
from natya.messages.journal import JournalRecord
from natya.messages.risk import LimitChange, LimitsInForce, RiskFigure, RiskRead
from natya.messages.settings import ReloadRefused, SettingChange, SettingsReloaded
from natya.messages.strategies import StrategyShown
from natya.messages.tokens import TokenStatus
from natya.transfer import Fetch, Imported

MORNING_NS = 1_767_325_500 * 10**9
MINUTE_NS = 60 * 10**9


def drawn(table, width=200):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def styles(table):
    """The style of each text, where it has one."""
    segments = Console(width=200).render(table)
    return {each.text.strip(): str(each.style) for each in segments if each.text.strip() and each.style}


class TestColumns:
    def table(self):
        table = lined("name", "count", "why", numbers=("count",))
        table.add_row("A-LONG-NAME", "1,000", "a reason of some words")
        table.add_row("B", "1", "short")
        return table

    def test_begin_at_the_margin_and_numbers_end_at_one(self):
        assert drawn(self.table()) == [
            "name         count  why",
            "A-LONG-NAME  1,000  a reason of some words",
            "B                1  short",
        ]
        assert styles(self.table()) == dict.fromkeys(["name", "count", "why"], "dim")

    def test_without_room_go_on_below_in_the_last_one_alone(self):
        assert drawn(self.table(), width=28)[1:4] == [
            "A-LONG-NAME  1,000  a reason",
            "                    of some",
            "                    words",
        ]
        assert drawn(self.table(), width=12)[1].count("…") > 0, "of a name is left out what has no room"

    def test_of_numbers_go_on_nowhere(self):
        table = lined("name", "took", numbers=("took",))
        table.add_row("x", "12 s")

        assert drawn(table) == ["name  took", "x     12 s"]
        assert len(drawn(table, width=6)) == 2


class TestATableOfRows:
    @pytest.mark.parametrize(("count", "rest"), [(1_000, ""), (1_001, ", 1,000 shown: --csv or --json for all")])
    def test_has_a_thousand_at_most_and_says_how_many_there_are(self, monkeypatch, capsys, count, rest):
        shown = []
        monkeypatch.setattr(rows, "show", lambda table: shown.append(table.row_count))

        class Result(list):
            names, types = ("x",), ("INTEGER",)

        rows.print_table(Result([(1,)] * count))

        assert (shown, capsys.readouterr().out) == ([1_000], f"{count:,} rows{rest}\n")

    @pytest.mark.parametrize(
        ("kind", "is_number"),
        [
            ("FLOAT", True),
            ("DECIMAL(9,2)", True),
            ("UBIGINT", True),
            ("INTEGER", True),
            ("VARCHAR", False),
            ("INTEGER[]", False),
        ],
    )
    def test_has_numbers_at_the_right(self, kind, is_number):
        assert rows._is_number(kind) is is_number

    def test_keeps_what_moves_the_terminal_only_where_we_say_so(self):
        kept = tables.PlainConsole().render(Control.move(1, 1))

        assert [each.text for each in kept] == [Control.move(1, 1).segment.text]

    def test_has_what_looks_like_markup_or_a_picture_as_it_is(self):
        text = "[red]REDUCING[/red] :warning: 1234"
        console = tables.PlainConsole()
        with console.capture() as shown:
            console.print(text)

        assert shown.get() == f"{text}\n"
        assert console.render_str(text).spans == []

    def test_at_full_width_is_not_cut_off(self, capsys):
        table = lined("name", "more")
        table.add_row("x" * 300, "y" * 300)
        tables.show(table, whole=True)

        assert "x" * 300 + "  " + "y" * 300 in capsys.readouterr().out


class TestRisk:
    def figures(self):
        def figure(name, limit, found, **of):
            return RiskFigure(limit_name=name, limit=limit, found=found, formed=f"{name} held", **of)

        return (
            figure("far", 10.0, 7.9, of="slow"), figure("near", 20.0, 16.0), figure("full", 30.0, 30.0),
            figure("off", 0.0, 12_345.5), figure("blind", 40.0, None), figure("off too", 0.0, None),
        )  # fmt: skip

    def test_is_a_line_a_limit_coloured_by_how_much_is_used(self):
        table = risk.risk_table(
            RiskRead(risk_state="HALTED", risk_cause="day loss", figures=self.figures(), as_of_ns=1)
        )

        assert drawn(table) == [
            "HALTED: day loss",
            "limit    of    used      limit  formed of",
            "far      slow  7.9       10     far held",
            "near           16        20     near held",
            "full           30        30     full held",
            "off            12,345.5  off    off held",
            "blind          unknown   40     blind held",
            "off too        unknown   off    off too held",
        ]
        found = styles(table)
        assert (found["HALTED: day loss"], found["7.9"], found["16"]) == ("bold red", "dim", "yellow")
        assert found["12,345.5"] == "dim"

    def test_that_is_not_known_is_a_warning_where_there_is_a_limit(self):
        on, off = (RiskFigure(limit_name="x", limit=limit, found=None, formed="") for limit in (1.0, 0.0))

        assert [str(risk._used(each).style) for each in (on, off)] == ["yellow", "dim"]
        assert str(risk._used(self.figures()[2]).style) == "bold red"

    def test_is_green_in_peace(self):
        table = risk.risk_table(RiskRead(risk_state="NORMAL", risk_cause="", figures=(), as_of_ns=1))

        assert styles(table)["NORMAL"] == "green"

    def test_of_an_order_is_a_line_a_rule_and_names_those_that_are_off(self):
        rules = tuple(
            Explained(rule=rule, verdict=verdict, limit="10", found="15 held", meaning="")
            for rule, verdict in (
                ("one_max", "passed"), ("two_max", "refused"), ("three_max", "unknown"), ("four", "off"),
                ("five", "off"),
            )
        )  # fmt: skip
        refused = risk.explained_table(SimpleNamespace(fact=BUILDERS.refusal("A-2", rule="two_max")), rules)
        passed = risk.explained_table(SimpleNamespace(fact=BUILDERS.intent("A-2")), rules[:1])

        title = "A-2: BUY 10 INFY of crossover, 1970-01-01 05:30:00 IST:"
        assert " ".join(drawn(refused)).startswith(f"{title} refused by two_max: too many")
        assert drawn(refused)[-5:] == [
            "rule       verdict  limit  found",
            "one_max    passed   10     15 held",
            "two_max    refused  10     15 held",
            "three_max  unknown  10     15 held",
            "off: four, five",
        ]
        found = styles(refused)
        assert (found["passed"], found["refused"], found["unknown"]) == ("green", "bold red", "yellow")
        assert (
            " ".join(drawn(passed)) == f"{title} passed rule     verdict  limit  found one_max  passed   10     15 held"
        )

    def test_of_a_change_is_a_line_a_limit(self):
        changes = [LimitChange(name=name, before="1", after="2", loosened=name == "a") for name in "ab"]

        assert risk.changed_text(LimitsInForce(changes=tuple(changes))) == "a: 1 -> 2, which lets more pass\nb: 1 -> 2"
        assert risk.changed_text(LimitsInForce(changes=())) == "nothing changed: the limits are so already"

    def test_of_rules_has_those_that_are_off_dimmed(self):
        named = {"origin": "default.toml", "meaning": "For calm."}
        table = risk.limits_table([{"rule": "a", "limit": "5", **named}, {"rule": "b", "limit": "off", **named}])

        assert drawn(table) == [
            "rule  limit  from          what it is for",
            "a     5      default.toml  For calm.",
            "b     off    default.toml  For calm.",
        ]
        assert (styles(table)["off"], styles(table).get("5")) == ("dim", None)


class TestTheAudit:
    def test_is_a_line_an_operation_with_its_outcome(self):
        asked = [
            OperationAsked(
                request=name, operation=f"op-{name}", role="trade", actor="orders", who=f"user {name}",
                arguments=f'{{"of":"{name}"}}', occurred_ns=MORNING_NS,
            )
            for name in ("one", "two")
        ]  # fmt: skip
        answered = OperationAnswered(request="one", operation="op-one", answer="Resumed", occurred_ns=MORNING_NS)
        facts = (*asked, BUILDERS.intent("A-1"), answered)
        found = audit.operations(
            JournalRecord(sequence=number, recorded_ns=1, correlation_id="", fact=fact)
            for number, fact in enumerate(facts, 1)
        )

        assert [(each.sequence, each.answer) for each in found] == [(1, "Resumed"), (2, "")]
        assert drawn(audit.as_table(found)) == [
            "time                     who       operation  outcome    arguments",
            '2026-01-02 09:15:00 IST  user one  op-one     Resumed    {"of":"one"}',
            '2026-01-02 09:15:00 IST  user two  op-two     not known  {"of":"two"}',
        ]
        assert styles(audit.as_table(found))["not known"] == "yellow"


class TestCandles:
    def gap(self, number, count, sessions=0):
        start_ns = MORNING_NS + number * MINUTE_NS
        return Missing(start_ns=start_ns, end_ns=start_ns + count * MINUTE_NS, candles=count, sessions=sessions)

    def test_that_were_fetched_are_told_with_all_that_is_odd(self, capsys):
        gaps = tuple(self.gap(number, count, count // 7) for number, count in enumerate([3, 9, 1, 2, 5, 4, 6]))
        candles.tell_fetch(
            Fetch(
                symbol="INFY", interval="1m", first=dt.date(2026, 1, 2), last=dt.date(2026, 1, 3), candles=1_000,
                written=1, requests=2, days_there=3, adjusted_by=0.5, missing=gaps, error="no such thing",
                empty=[(dt.date(2026, 1, 4), dt.date(2026, 1, 5))], left_out={"of a holiday": 1},
            )
        )  # fmt: skip
        told = capsys.readouterr()

        assert told.out == (
            "INFY 1m: 1,000 candles, 1 written, 3 days fetched before, 2 requests, 30 candles missing in 7 gaps, "
            "1 whole session among them\n"
        )
        assert told.err.splitlines() == [
            "  refused: no such thing",
            "  earlier prices were adjusted by 0.5 since they were fetched: all were fetched again",
            "  2026-01-04 to 2026-01-05: nothing came, however often it was asked for; the next fetch asks again",
            "  1 row left out: of a holiday",
            "  missing: 3 candles, 2026-01-02 09:15:00 IST to 2026-01-02 09:18:00 IST",
            "  missing: 9 candles, 2026-01-02 09:16:00 IST to 2026-01-02 09:25:00 IST",
            "  missing: 5 candles, 2026-01-02 09:19:00 IST to 2026-01-02 09:24:00 IST",
            "  missing: 4 candles, 2026-01-02 09:20:00 IST to 2026-01-02 09:24:00 IST",
            "  missing: 6 candles, 2026-01-02 09:21:00 IST to 2026-01-02 09:27:00 IST",
        ]

    def test_that_were_fetched_without_anything_odd_are_one_line(self, capsys):
        day = dt.date(2026, 1, 2)
        candles.tell_fetch(Fetch(symbol="INFY", interval="1d", first=day, last=day, candles=1, written=1, requests=1))

        told = capsys.readouterr()
        assert (told.out, told.err) == ("INFY 1d: 1 candle, 1 written, 1 request, none missing\n", "")

    def test_that_are_stored_are_a_line_a_symbol_and_length(self):
        def series(symbol, *missing, are_hours_known=True):
            return Series(
                symbol=symbol, interval_ns=MINUTE_NS, first_ns=MORNING_NS, last_ns=MORNING_NS + MINUTE_NS,
                candles=1_000, missing=missing, are_hours_known=are_hours_known,
            )  # fmt: skip

        found = [series("GOLD", are_hours_known=False), series("INFY", self.gap(0, 1)), series("TCS")]
        times = "2026-01-02 09:15:00 IST  2026-01-02 09:16:00 IST"

        assert drawn(candles.series_table(found)) == [
            "symbol  candle  from                     to                       candles  missing",
            f"GOLD    1m      {times}    1,000  the hours of this market are not known",
            f"INFY    1m      {times}    1,000  1 candle missing in 1 gap",
            f"TCS     1m      {times}    1,000  none missing",
        ]
        infy = candles.series_json(found)["series"][1]
        assert {name: infy[name] for name in ("symbol", "interval", "first", "last", "candles")} == {
            "symbol": "INFY",
            "interval": "1m",
            "first": "2026-01-02 09:15:00 IST",
            "last": "2026-01-02 09:16:00 IST",
            "candles": 1_000,
        }


class TestInstruments:
    OF = InstrumentList(source="a file", day=dt.date(2026, 1, 2), instruments=9, left_out=1)
    FUTURE = Instrument(
        symbol="NIFTY-JAN", segment="NSE_FNO", security_id="7", tick_size_rupees=0.05, lot_size=75,
        freeze_quantity=1_800, expiry=dt.date(2026, 1, 27), instrument_type="FUTIDX", display_name="NIFTY JAN",
    )  # fmt: skip
    SHARE = Instrument(symbol="INFY", segment="NSE_EQ", security_id="1594", tick_size_rupees=0.1)

    def test_are_a_line_each_and_how_many_more_there_are(self):
        *lines, one, two = drawn(instruments.table([self.FUTURE, self.SHARE], 3, self.OF))

        assert lines == [
            "symbol     segment  number  type    lot  tick  freeze  expiry      name",
            "NIFTY-JAN  NSE_FNO  7       FUTIDX   75  0.05    1800  2026-01-27  NIFTY JAN",
            "INFY       NSE_EQ   1594    EQUITY    1   0.1",
        ]
        assert f"{one} {two}" == "3 found, the first 2 shown; list of 2026-01-02 with 9 instruments, from a file"
        assert "1 found; built-in list of 0 instruments: natya instruments refresh fetches the whole" in " ".join(
            drawn(instruments.table([self.SHARE], 1, InstrumentList(source="built-in")))
        )

    def test_are_told_one_by_one_without_what_is_not_known(self):
        *known, blank, of = instruments.one_text(self.SHARE, self.OF).splitlines()

        assert "security_id       1594" in known
        assert not [line for line in known if line.startswith(("expiry", "display_name"))]
        assert (blank, of) == ("", "list of 2026-01-02 with 9 instruments, from a file")


def test_health_is_a_line_for_the_whole_and_one_a_component():
    components = (Component(name="journal", state="up"), Component(name="database", state="down", reason="locked"))

    def told(**fields):
        return health.health_text(Health(**{"reason": "", "risk_state": "", "components": ()} | fields))

    assert told(live=True, ready=False, reason="database", risk_state="HALTED", components=components).splitlines() == [
        "not ready, risk state HALTED: database",
        "  journal   up",
        "  database  down: locked",
    ]
    assert [told(live=live, ready=live) for live in (True, False)] == ["ready", "not live"]


def test_alarms_are_a_line_each_and_how_they_are_told():
    alarm = Alarm(rule="r", subject="s", severity="warning", text="the disk is slow", since_ns=MORNING_NS)

    assert alarms.alarms_text(AlarmsShown(alarms=(alarm,), ways=("command", "webhook"))).splitlines() == [
        "warning   2026-01-02 09:15:00 IST  the disk is slow",
        "told by command, webhook",
    ]
    assert alarms.alarms_text(AlarmsShown(alarms=(), ways=())).splitlines() == [
        "no alarm",
        "told by the log alone: see [notifications]",
    ]


def test_findings_are_a_line_each_with_how_to_mend_them_and_how_many_there_are():
    ok, warning, fault = (
        Finding("a", "ok", "well"),
        Finding("clock", "warning", "off", "set it"),
        Finding("b", "fault", "x"),
    )

    assert findings.findings_text([ok, warning, fault, fault]).splitlines() == [
        "ok       a      well",
        "WARNING  clock  off",
        "                -> set it",
        "FAULT    b      x",
        "FAULT    b      x",
        "2 faults and 1 warning",
    ]
    assert findings.findings_text([ok]).splitlines()[-1] == "all is well"


class TestAReload:
    CHANGE = SettingChange(key="log.level", before='"info"', after='"debug"')

    def test_is_told_by_setting(self):
        assert reload.reload_lines(SettingsReloaded(changes=(self.CHANGE,))) == ['log.level: "info" -> "debug"']
        assert reload.reload_lines(SettingsReloaded(changes=())) == ["no setting has changed"]
        assert reload.reload_lines(ReloadRefused(problems=("p",))) == ["the settings in force stay:", "p"]

    @pytest.mark.parametrize("applied", [True, False])
    def test_is_applied_where_something_changed(self, applied):
        assert reload.reload_json(SettingsReloaded(changes=(self.CHANGE,)), applied=applied)["applied"] is applied
        assert reload.reload_json(SettingsReloaded(changes=()), applied=applied)["applied"] is False
        assert reload.reload_json(ReloadRefused(problems=("p",)), applied=applied) == {
            "schema": 1, "applied": False, "changes": [], "problems": ["p"]
        }  # fmt: skip


class TestATokenAndTheSocketOfUpdates:
    def test_are_told_in_sentences(self):
        whole = TokenStatus(state="asking", ends_ns=MORNING_NS, attempts=2, wait_s=9.6, can_log_in=False, reason="no")

        assert tokens.token_text(whole).splitlines() == [
            "a new access token is being asked for",
            "good until 2026-01-02 09:15:00 IST",
            "attempts: 2",
            "the next attempt may be made in 10 s",
            "the last one failed: no",
            "no PIN and secret of one-time codes in the settings",
        ]
        assert tokens.token_text(TokenStatus(state="alive", can_log_in=True)) == "the access token is alive"
        assert tokens.token_text(TokenStatus(state="replacing", can_log_in=True)) == (
            "the access token is alive, and another one is being asked for"
        )

    def test_of_updates_say_since_when_they_come_or_not_and_why(self):
        counts = {"connections": 1, "failures": 2, "updates": 3, "without_id": 4, "ignored": 5, "refused": 6}
        known = "updates: 3, of orders without a client's id: 4, refused: 6; connections: 1, failed attempts: 2"
        came = UpdatesStatistics(connected=True, since_ns=MORNING_NS, **counts)
        lost = UpdatesStatistics(connected=False, since_ns=0, reason="reset", **counts)

        assert tokens.updates_text(came) == f"order updates come since 2026-01-02 09:15:00 IST\n{known}"
        assert tokens.updates_text(lost) == f"no order updates: reset\n{known}"
        assert tokens.updates_text(None) == "no order updates: open orders are looked at alone"
        assert (tokens.updates_json(None), tokens.updates_json(lost)["reason"]) == (None, "reset")


class TestARecording:
    def told(self, **fields):
        usual = {
            "file": "a.csv", "kind": "CSV", "packing": "", "encoding": "utf-8", "divider": "", "layout": "",
            "shape": "ticks", "columns": {"time": "Date", "price": "ltp"}, "unread": (), "dates": "", "zone": "IST",
            "decimal": "point", "order": "of time", "intervals": (), "rows": 1_000, "outside": 0, "symbols": 2,
            "some_symbols": ("INFY", "TCS"), "first": "f", "last": "l", "bad_rows": 0, "bad_lines": (), "notes": (),
        }  # fmt: skip
        return recordings.inspection_text(Inspection(**usual | fields)).splitlines()

    def test_is_told_as_it_is_understood(self):
        assert self.told() == [
            "a.csv",
            "  written   CSV, utf-8",
            "  layout    by the names of its columns",
            "  columns   time = Date, price = ltp",
            "  ticks     1,000",
            "  times     without a zone: IST",
            "  decimals  after a point",
            "  session   all within",
            "  order     of time",
            "  symbols   2: INFY, TCS",
            "  first     f",
            "  last      l",
            "  bad rows  0",
        ]

    def test_with_all_that_is_odd_is_told_so(self):
        told = self.told(
            divider=";", layout="Kite", unread=("Note",), dates="day-first", intervals=("1m", "5m"), outside=3,
            symbols=1_002, bad_rows=9, bad_lines=tuple((n, "odd") for n in range(1, 8)), notes=("sorted",),
        )  # fmt: skip

        assert told[1:3] == ["  written   CSV, utf-8, divided by ';'", "  layout    Kite"]
        for line in (
            "  not read  Note", "  interval  1m, 5m", "  times     without a zone: IST, dates day-first",
            "  session   3 outside", "  symbols   1,002: INFY, TCS and 1,000 more", "  note      sorted",
        ):  # fmt: skip
            assert line in told
        assert [line.split()[1] for line in told if line.endswith("odd")] == ["1:", "2:", "3:", "4:", "5:"]

    def test_without_decimals_says_nothing_of_them(self):
        assert not any(line.startswith("  decimals") for line in self.told(decimal=""))

    def test_of_no_symbol_says_none(self):
        assert "  symbols   none" in self.told(symbols=0, some_symbols=())


class TestAnImport:
    def told(self, capsys, **fields):
        usual = {"file": "a.csv", "symbols": (), "ticks": 1, "candles": 0, "written": 1, "beside": 0, "replaced": 0}
        rows.tell_import(Imported(**usual | {"bad_rows": 0, "bad_lines": (), "elapsed_s": 0.1} | fields))
        return capsys.readouterr()

    def test_says_what_it_skipped_and_what_is_beside_it(self, capsys):
        bad = tuple((number, "odd") for number in range(1, 100))
        told = self.told(capsys, beside=2, notes=("sorted",), bad_rows=99, bad_lines=bad)

        assert told.out == "a.csv: 1 tick of no symbol, 1 written, 99 bad rows, 0.1 s\n"
        lines = told.err.splitlines()
        beside = (
            "  2 ticks of the same symbols and time came from elsewhere before: beside these, and candles are made of "
        )
        assert lines[:2] == ["  sorted", f"{beside}one source at a time"]
        assert lines[2:] == [
            *(f"  line {n}: odd" for n in range(1, 21)),
            "  and 79 more (--json shows up to a hundred)",
        ]

    def test_says_which_candles_it_replaced(self, capsys):
        told = self.told(capsys, candles=3, written=3, replaced=2)

        assert told.err == (
            "  2 candles of the same symbols and times came from elsewhere before: these take their place\n"
        )

    def test_of_as_many_bad_rows_as_are_shown_has_no_more(self, capsys):
        bad = tuple((number, "odd") for number in range(1, 21))

        assert self.told(capsys, bad_rows=20, bad_lines=bad).err.splitlines()[-1] == "  line 20: odd"


def test_strategies_are_a_line_each():
    shown = [
        StrategyShown(name=name, strategy="m:C", state="RUNNING", host="loop", restarts=1, has_state=keeps, error="e")
        for name, keeps in (("a", True), ("b", False))
    ]

    head, *lines = drawn(strategies.strategies_table(shown))
    assert head == "name  strategy  state    host  restarts  keeps a state  last error"
    assert [line.split() for line in lines] == [
        ["a", "m:C", "RUNNING", "loop", "1", "yes", "e"],
        ["b", "m:C", "RUNNING", "loop", "1", "no", "e"],
    ]


def test_secrets_are_a_line_each_with_where_they_come_from():
    row = partial(secrets.Row, key="broker.pin", is_set=True, origin="environment", kept_since_ns=None)
    found = [row(), row(is_set=False, origin=""), row(kept_since_ns=MORNING_NS, kept_by="age", problem="it is locked")]

    assert [line.split() for line in drawn(secrets.as_table(found))] == [
        ["secret", "kept", "since", "kept", "by", "from"],
        ["broker.pin", "set", "environment"],
        ["broker.pin", "-"],
        ["broker.pin", "unfit", "2026-01-02", "09:15:00", "IST", "age", "see", "below"],
    ]
    assert styles(secrets.as_table(found))["unfit"] == "red"
    assert secrets.problems(found) == ["broker.pin: it is locked"]
