"""When the owner of the list fetches one, with which bounds, and what it tells; the list itself is played, in virtual
time."""

import datetime as dt
from types import SimpleNamespace

import pytest

from natya.actors.instruments import InstrumentsActor, InstrumentsActorSettings, InstrumentsError, ListRefusedError
from natya.actors.instruments import actor as owner
from natya.actors.instruments.naming import NameUnknownError
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.config.sections.instruments import InstrumentsSettings
from natya.domain.instruments import Instrument
from natya.domain.time import IST, SECOND_NS
from natya.messages.instruments import (
    FindInstrument,
    InstrumentList,
    InstrumentsFound,
    InstrumentShown,
    InstrumentsKept,
    InstrumentsRefreshed,
    InstrumentsStatistics,
    InstrumentUnknown,
    RefreshInstruments,
    ReopenInstruments,
    ShowInstrument,
)
from natya.messages.settings import TakeSettings
from natya.messages.system import Ping

DAY_S = 86_400
INFY = Instrument(symbol="INFY", segment="NSE_EQ", security_id="1594", tick_size_rupees=0.1)


class Asker(RuntimeActor):
    """Asks whatever it is told to ask, and notes each answer: a question that is answered twice is seen here."""

    @handles(RefreshInstruments)
    def ask_for(self, request, _sender):
        self.send("instruments", request)

    @handles(InstrumentsRefreshed, InstrumentsKept)
    def note(self, answer, _sender):
        self.settings.append(type(answer))


class PlayedMaster:
    """Has what a test puts there, and notes what it is asked."""

    def __init__(self, path, *, now):
        self.path, self.now = path, now
        self.of = InstrumentList(source="built-in", instruments=58)
        self.faults, self.fetched, self.reopened, self.closed = (), [], 0, 0
        self.outcomes = []

    @property
    def is_of_today(self):
        return self.of.day == self.now().date()

    def fetch(self, url, **bounds):
        self.fetched.append((self.now().replace(microsecond=0), url, bounds))
        outcome = self.outcomes.pop(0) if self.outcomes else ()
        if isinstance(outcome, Exception):
            raise outcome
        return SimpleNamespace(examples=outcome)

    def reopen(self):
        self.reopened += 1
        self.of = InstrumentList(source="here", day=self.now().date(), instruments=16, left_out=3)

    def find(self, wanted):
        return (INFY,), 7

    def show(self, name):
        if name != "INFY":
            raise NameUnknownError("several have it", ("A", "B"))
        return INFY

    def close(self):
        self.closed += 1


class Stage:
    def __init__(self, monkeypatch):
        self.base = SimulatedSystemBase(seed=1)
        self.system = InProcessSystem(self.base)
        self.masters = []
        monkeypatch.setattr(owner, "InstrumentMaster", self._make)
        self.outcomes = []

    def _make(self, path, *, now):
        self.masters.append(PlayedMaster(path, now=now))
        self.masters[-1].outcomes = self.outcomes
        return self.masters[-1]

    def start(self, **settings):
        limits = InstrumentsSettings.default(**{"path": "/lists", "url": "https://x/l.csv"} | settings)
        self.now = SimpleNamespace(instruments=limits)
        self.system.start(
            "instruments",
            InstrumentsActor,
            InstrumentsActorSettings(limits=limits, in_force=SimpleNamespace(settings=self.now)),
        )
        return self.ask

    @property
    def master(self):
        return self.masters[-1]

    def set(self, **settings):
        self.now.instruments = InstrumentsSettings.default(**{"path": "/lists", "url": "https://x/l.csv"} | settings)
        self.system.tell("instruments", TakeSettings(keys=()))
        self.base.run_for(0.1)

    def ask(self, message):
        return self.system.request("instruments", message, timeout_s=60)

    def times(self):
        """When lists were fetched."""
        return [f"{at:%H:%M:%S}" for at, *_ in self.master.fetched]


@pytest.fixture
def stage(monkeypatch):
    made = Stage(monkeypatch)
    with made.system:
        yield made


def seconds_until(stage, clock):
    now = dt.datetime.fromtimestamp(stage.base.clock.now_ns() / SECOND_NS, IST)
    due = dt.datetime.combine(now.date(), dt.time.fromisoformat(clock), IST)
    return (due - now).total_seconds() % DAY_S


class TestWhatIsAsked:
    def test_is_answered_from_the_list_in_use_and_counted(self, stage):
        ask, of = stage.start(), InstrumentList(source="built-in", instruments=58)

        assert ask(ShowInstrument(name="INFY")) == InstrumentShown(name="INFY", instrument=INFY.definition(), of=of)
        assert ask(ShowInstrument(name="X")) == InstrumentUnknown(
            name="X", reason="several have it", symbols=("A", "B")
        )
        assert ask(FindInstrument()) == InstrumentsFound(instruments=(INFY.definition(),), total=7, of=of)
        assert ask(Ping()).statistics == InstrumentsStatistics(of=of, asked=3, unknown=1, refreshed=0, refused=0)
        assert stage.master.path == "/lists"

    def test_is_answered_by_a_list_that_was_reopened(self, stage, caplog):
        caplog.set_level("INFO")
        ask = stage.start()
        stage.master.faults = ("list-1 is damaged",)
        answer = ask(ReopenInstruments())

        assert answer == InstrumentsRefreshed(of=stage.master.of)
        assert (stage.master.reopened, answer.of.source) == (1, "here")
        (damaged,) = [each for each in caplog.records if each.getMessage() == "instruments.list_damaged"]
        assert (damaged.levelname, damaged.fields) == ("ERROR", {"reason": "list-1 is damaged"})
        assert [each.fields for each in caplog.records if each.getMessage() == "instruments.opened"][-1] == {
            "source": "here",
            "day": str(answer.of.day),
            "instruments": 16,
            "left_out": 3,
        }

    def test_is_asked_of_nothing_that_stays_open_at_the_end(self, stage):
        stage.start()
        stage.system.stop("instruments")

        assert stage.master.closed == 1


class TestAListThatIsAskedFor:
    @pytest.mark.parametrize("may_shrink", [False, True])
    def test_is_fetched_within_the_bounds_of_now(self, stage, may_shrink):
        ask = stage.start(rows_min=9)
        stage.set(url="https://y/l.csv", rows_min=7, timeout_s=3.0, bytes_max=1 << 20)
        answer = ask(RefreshInstruments(may_shrink=may_shrink))

        ((_, url, bounds),) = stage.master.fetched
        assert url == "https://y/l.csv"
        assert bounds == {"rows_min": 7, "may_shrink": may_shrink, "timeout_s": 3.0, "bytes_max": 1 << 20}
        assert answer.of == stage.master.of
        assert 0 <= answer.took_s < 60

    def test_is_told_with_the_rows_that_were_left_out(self, stage):
        stage.outcomes.append(("line 7: no number",))

        assert stage.start()(RefreshInstruments()).faults == ("line 7: no number",)

    def test_is_fetched_once_for_all_who_ask_meanwhile(self, stage):
        stage.start()
        asked = [stage.system.request_future("instruments", RefreshInstruments()) for _ in range(3)]
        stage.base.run_for(5)

        assert len({each.result(0).of for each in asked}) == 1
        assert (len(stage.master.fetched), stage.ask(Ping()).statistics.refreshed) == (1, 1)

    @pytest.mark.parametrize("outcome", [(), ListRefusedError("no list")], ids=["found", "refused"])
    def test_is_told_once_to_each_who_asked_for_it(self, stage, outcome):
        stage.start()
        answers = []
        stage.system.start("asker", Asker, answers)
        for _ in range(3):
            stage.outcomes.append(outcome)
            stage.system.tell("asker", RefreshInstruments())
            stage.base.run_for(5)

        assert answers == [InstrumentsKept if outcome else InstrumentsRefreshed] * 3

    @pytest.mark.parametrize("if_older", [False, True])
    def test_is_fetched_again_on_the_same_day_only_where_it_is_wanted_all_the_same(self, stage, if_older):
        ask = stage.start()
        ask(RefreshInstruments(if_older=True))
        ask(RefreshInstruments(if_older=if_older))

        assert len(stage.master.fetched) == 2 - if_older

    @pytest.mark.parametrize(
        "fault", [ListRefusedError("no list"), InstrumentsError("no list"), OSError("no list")], ids=type
    )
    def test_that_cannot_be_had_leaves_the_one_before_and_is_not_tried_again(self, stage, caplog, fault):
        ask = stage.start()
        stage.outcomes.append(fault)
        of = stage.master.of

        assert ask(RefreshInstruments()) == InstrumentsKept(reason="no list", of=of)
        stage.base.run_for(2 * DAY_S)
        assert (len(stage.master.fetched), stage.master.reopened) == (1, 0)
        assert ask(Ping()).statistics.refused == 1
        (told,) = [each for each in caplog.records if each.getMessage() == "instruments.refused"]
        assert (told.levelname, told.fields) == ("ERROR", {"reason": "no list", "kept": "None"})


class TestADailyList:
    def test_is_fetched_at_once_and_then_each_day_at_its_time(self, stage):
        stage.start(refresh="daily", refresh_at="08:15")
        stage.base.run_for(1)
        assert len(stage.master.fetched) == 1
        stage.base.run_for(seconds_until(stage, "08:14"))
        fetched = len(stage.master.fetched)
        stage.base.run_for(3 * DAY_S)

        assert stage.times()[fetched:] == ["08:15:00"] * 3

    def test_that_cannot_be_had_is_tried_again_after_a_while(self, stage):
        stage.outcomes += [ListRefusedError("no list")] * 2
        stage.start(refresh="daily", retry_s=600.0)
        stage.base.run_for(1_300)
        first, second, third = (at for at, *_ in stage.master.fetched[:3])

        assert [(second - first).seconds // 60, (third - second).seconds // 60] == [10, 10]
        assert (stage.master.reopened, stage.ask(Ping()).statistics.refused) == (1, 2)

    def test_is_fetched_by_the_settings_of_now(self, stage):
        stage.start(refresh="never")
        stage.base.run_for(2 * DAY_S)
        assert stage.master.fetched == []
        stage.master.reopen()
        stage.set(refresh="daily", refresh_at="08:15")
        stage.base.run_for(seconds_until(stage, "08:16") or DAY_S)
        assert stage.times() == ["08:15:00"]

        stage.set(refresh="daily", refresh_at="11:30")
        stage.base.run_for(DAY_S)
        assert stage.times() == ["08:15:00", "11:30:00"]
        stage.set(refresh="never")
        stage.base.run_for(3 * DAY_S)
        assert stage.times() == ["08:15:00", "11:30:00"]

    def test_that_is_on_its_way_is_waited_for_by_who_has_one_of_today(self, stage):
        stage.start(refresh="never")
        stage.master.reopen()
        stage.outcomes += [("row 7",)]
        wanted = [RefreshInstruments(if_older=each) for each in (False, True)]
        answers = [stage.system.request_future("instruments", each) for each in wanted]
        stage.base.run_for(60)

        assert [answer.result(0).faults for answer in answers] == [("row 7",)] * 2
        assert stage.ask(RefreshInstruments(if_older=True)).faults == ()

    def test_that_is_on_its_way_is_fetched_once_though_settings_are_taken_meanwhile(self, stage):
        stage.start(refresh="never")
        answer = stage.system.request_future("instruments", RefreshInstruments())
        stage.set(refresh="daily", refresh_at="08:15")
        stage.base.run_for(60)

        assert answer.result(0).of.source == "here"
        assert len(stage.master.fetched) == 1
        stage.base.run_for(DAY_S)
        assert len(stage.master.fetched) == 2
