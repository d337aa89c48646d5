"""The owner of the list of instruments."""

import itertools

import pytest
from natya_publisher import in_turn, saying
from natya_scrips import listed

from natya.actors.instruments import InstrumentMaster, InstrumentsActor, InstrumentsActorSettings
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.instruments import InstrumentsSettings
from natya.config.sections.supervision import SupervisionSettings
from natya.domain.instruments import Instrument
from natya.messages.instruments import (
    FindInstrument,
    InstrumentShown,
    InstrumentsKept,
    InstrumentsRefreshed,
    InstrumentUnknown,
    RefreshInstruments,
    ReopenInstruments,
    ShowInstrument,
)
from natya.messages.supervision import DescribeTree
from natya.messages.system import Ping


@pytest.fixture
def start(actor_system, folder):
    """Start the owner: `start(url, refresh="daily")`; ask it by what is returned."""

    def begin(url="https://nowhere.invalid/list.csv", *, may_be_built_in=True, **settings):
        limits = InstrumentsSettings.default(
            **{"path": str(folder), "url": url, "rows_min": 1, "timeout_s": 5.0} | settings
        )
        actor_system.start(
            "instruments", InstrumentsActor, InstrumentsActorSettings(limits=limits, may_be_built_in=may_be_built_in)
        )
        return lambda message: actor_system.request("instruments", message, timeout_s=10)

    return begin


class TestTheOwner:
    def test_shows_what_a_name_means(self, start):
        ask = start()

        answer = ask(ShowInstrument(name="infosys"))
        assert isinstance(answer, InstrumentShown)
        assert Instrument.of(answer.instrument).security_id == "1594"
        assert (answer.name, answer.of.source) == ("infosys", "built-in")

    def test_says_of_an_unknown_name_what_was_wanted(self, start):
        answer = start()(ShowInstrument(name="NIFTI"))

        assert answer == InstrumentUnknown(
            name="NIFTI", reason="an instrument of the list wanted (built-in), found 'NIFTI'"
        )

    def test_shows_nothing_built_in_where_orders_are_real(self, start):
        answer = start(may_be_built_in=False)(ShowInstrument(name="INFY"))

        assert answer.reason == "a list of instruments wanted, found none: natya instruments refresh"

    def test_is_troubled_until_there_is_a_list(self, actor_system, serve, folder):
        limits = InstrumentsSettings.default(path=str(folder), url=serve(saying(listed())).url, rows_min=1)
        settings = InstrumentsActorSettings(limits=limits, may_be_built_in=False)
        child = ChildSpec("instruments", InstrumentsActor, settings)
        policy = SupervisionSettings.default()
        actor_system.start("system", Supervisor, SupervisorSettings(children=(child,), policy=policy, journal=""))

        def trouble():
            (found,) = actor_system.request("system", DescribeTree(), timeout_s=10).children
            return found.trouble

        while not (before := trouble()):
            pass
        assert before == "a list of instruments wanted, found none: natya instruments refresh"
        actor_system.request("instruments", RefreshInstruments(), timeout_s=10)
        assert trouble() == ""

    def test_finds_instruments_of_a_kind(self, start):
        ask = start()
        answer = ask(FindInstrument(text="bank", rows_max=2))

        assert [each.symbol for each in answer.instruments] == ["BANKNIFTY", "AXISBANK"]
        assert answer.total == 7
        assert [each.symbol for each in ask(FindInstrument(text="bank", segment="IDX_I")).instruments] == ["BANKNIFTY"]

    def test_uses_a_list_that_another_process_has_put_there(self, start, folder, publish):
        ask = start()
        with InstrumentMaster(folder) as other:
            other.take(publish(), rows_min=1)

        assert ask(ReopenInstruments()).of.instruments == 16
        assert ask(ShowInstrument(name="BSE_EQ:500209")).instrument.symbol == "BSE:INFY"


class TestAListThatIsAskedFor:
    def test_is_fetched_and_used(self, start, serve):
        publisher = serve(saying(listed(more=1)))
        ask = start(publisher.url)

        answer = ask(RefreshInstruments())
        assert isinstance(answer, InstrumentsRefreshed)
        assert (answer.of.source, answer.of.instruments) == (publisher.url, 17)
        assert ask(ShowInstrument(name="HFCL")).of == answer.of
        assert ask(Ping()).statistics.refreshed == 1

    def test_is_not_fetched_if_it_is_of_today_and_only_an_older_one_was_to_be_replaced(
        self, start, serve, folder, publish
    ):
        publisher = serve(saying(listed()))
        ask = start(publisher.url)
        ask(RefreshInstruments())

        assert ask(RefreshInstruments(if_older=True)).of.instruments == 16
        assert len(publisher.asked) == 1

    def test_that_is_broken_is_refused_and_the_one_before_is_kept(self, start, serve):
        publisher = serve(in_turn(saying(listed()), saying("<html>\n"), saying(listed(), status=500)))
        ask = start(publisher.url)
        before = ask(RefreshInstruments()).of

        for reason in ("columns: SEM_EXM_EXCH_ID", "status 200 wanted, found 500"):
            answer = ask(RefreshInstruments())
            assert isinstance(answer, InstrumentsKept)
            assert (answer.of, reason in answer.reason) == (before, True)
        assert ask(Ping()).statistics.refused == 2
        assert ask(ShowInstrument(name="INFY")).of == before


class TestADailyList:
    def test_is_fetched_at_once_by_a_system_that_has_none(self, actor_system, start, serve):
        publisher = serve(saying(listed()))
        ask = start(publisher.url, refresh="daily")

        answer = ask(RefreshInstruments(if_older=True))
        assert answer.of.source == publisher.url
        assert len(publisher.asked) == 1

    def test_is_tried_again_when_it_could_not_be_had(self, start, serve):
        publisher = serve(in_turn(saying("", status=503), saying("<html>\n"), saying(listed())))
        ask = start(publisher.url, refresh="daily", retry_s=0.01)

        while ask(Ping()).statistics.refreshed == 0:
            pass
        assert len(publisher.asked) == 3
        assert ask(ShowInstrument(name="HFCL")).of.instruments == 16

    def test_is_fetched_once_a_day(self, serve, folder):
        publisher = serve(saying(listed()))
        limits = InstrumentsSettings.default(path=str(folder), url=publisher.url, rows_min=1, refresh="daily")
        with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
            settings = InstrumentsActorSettings(limits=limits, may_be_built_in=True)
            system.start("instruments", InstrumentsActor, settings)
            asked = []
            for _ in range(3):
                system.base.run_for(86_400)
                asked.append(len(publisher.asked))

        assert [later - earlier for earlier, later in itertools.pairwise(asked)] == [1, 1]

    def test_is_no_business_of_paper_trading(self):
        assert InstrumentsSettings.default().refresh == "never"
