"""The states of strategies, as orders keeps them."""

import pytest
from natya_orders_stage import FakeJournal, Release

from natya.actors.orders import OrdersActor
from natya.actors.orders.book.ledger import Ledger
from natya.messages.accounts import AccountEntered
from natya.messages.broker import PlaceOrder, ReplaceOrder
from natya.messages.orders import ModificationRefused, ModifyOrder, OrderIntended, OrderRefused
from natya.messages.strategy_state import ReadState, SaveState, StateRead, StateRefused, StrategyStateSaved


def a_state(number=1, *submitted, strategy="crossover", state=b"\x80", life=0):
    return SaveState(strategy=strategy, number=number, covers=number, state=state, submitted=submitted, life=life)


def fact_of(request):
    return StrategyStateSaved(
        strategy=request.strategy,
        number=request.number,
        covers=request.covers,
        state=request.state,
        submitted=request.submitted,
        occurred_ns=1,
    )


def states_of(stage):
    return [fact.number for fact in stage.disk.facts if isinstance(fact, StrategyStateSaved)]


def ask(stage, strategy="crossover", sender=None):
    stage.tell(ReadState(strategy=strategy), sender or stage.strategy)
    answer = (sender or stage.strategy).receive(timeout_s=5)
    assert isinstance(answer, StateRead)
    return answer


class TestAState:
    def test_is_durable_before_the_order_behind_it(self, stage, make):
        stage.open()
        order = make.order()
        stage.tell(a_state(1, order), stage.strategy)
        stage.submit(order)

        assert isinstance(stage.broker.receive(), PlaceOrder)
        assert [type(fact) for fact in stage.disk.facts[-2:]] == [StrategyStateSaved, OrderIntended]

    def test_is_told_to_who_asks_be_it_on_its_way_or_durable(self, stage):
        stage.open()
        stage.disk.mode = "hold"
        stage.tell(a_state(1), stage.strategy)
        on_its_way = ask(stage)
        stage.system.tell("journal", Release())
        stage.settle()

        assert on_its_way.saved == ask(stage).saved == a_state(1)

    def test_of_the_time_before_is_read_back_and_the_newest_counts(self, stage):
        stage.open(fact_of(a_state(2)), fact_of(a_state(3)), fact_of(a_state(1, strategy="other")))

        assert ask(stage).saved == a_state(3)
        assert ask(stage).sequence == 3

    def test_that_comes_before_the_journal_is_read_is_written_behind_what_is_read(self, stage, make):
        stage.disk.facts.append(fact_of(a_state(1)))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits())
        stage.tell(a_state(2), stage.strategy)
        stage.settle()
        early = states_of(stage)
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())
        stage.wait_until(lambda: len(states_of(stage)) > 1)

        assert (early, states_of(stage)) == ([1], [1, 2])
        assert ask(stage).saved == a_state(2)

    def test_that_comes_before_the_journal_is_read_and_is_older_than_what_it_has_is_not_written(self, stage, make):
        stage.disk.facts.append(fact_of(a_state(3)))
        stage.disk.mode = "silent"
        stage.system.start("journal", FakeJournal, stage.disk)
        stage.system.base.start_actor("orders", OrdersActor, make.limits())
        stage.tell(a_state(2), stage.strategy)
        stage.settle()
        stage.disk.mode = "write"
        stage.system.tell("journal", Release())

        assert ask(stage).saved == a_state(3)
        stage.settle()
        assert states_of(stage) == [3]

    def test_that_nobody_saved_is_none(self, stage):
        stage.open()

        found = ask(stage)
        assert (found.saved, found.sequence) == (None, 0)

    def test_names_orders_that_never_came(self, stage, make):
        stage.open()
        came, never_came = make.order("A-1"), make.order("A-2")
        stage.tell(a_state(1, came, never_came), stage.strategy)
        stage.submit(came)

        assert ask(stage).unsent == (never_came,)

    def test_is_owed_until_it_is_durable_itself_or_a_newer_one(self):
        states = Ledger().states
        for number in (1, 3):
            assert states.take(a_state(number))
        owed = []
        for number in (1, 2, 3):
            states.apply(fact_of(a_state(number)))
            owed.append([*states.owed.values()])

        assert owed == [[a_state(3)], [a_state(3)], []]
        assert not states.take(a_state(3))
        assert states.newest("crossover") == a_state(3)

    def test_belongs_to_its_account(self):
        ledger = Ledger()
        ledger.states.apply(fact_of(a_state(4)))
        ledger.enter(AccountEntered(account=1, choice="new", occurred_ns=1))
        other = ledger.state("crossover", sequence=9, life=1).saved
        ledger.enter(AccountEntered(account=0, choice="session", occurred_ns=1))

        assert other is None
        assert ledger.state("crossover", sequence=9, life=1).saved == a_state(4)


class TestAStateThatTheJournalRefuses:
    def test_is_written_before_the_next_order(self, stage, make):
        stage.open()
        stage.disk.mode = "refuse"
        stage.tell(a_state(1), stage.strategy)
        stage.settle()
        stage.disk.mode = "write"
        stage.submit(make.order())

        assert isinstance(stage.broker.receive(), PlaceOrder)
        assert [type(fact) for fact in stage.disk.facts[-2:]] == [StrategyStateSaved, OrderIntended]

    def test_is_written_soon_where_its_strategy_says_nothing_more(self, stage):
        stage.open()
        stage.disk.mode = "refuse"
        stage.tell(a_state(1), stage.strategy)
        stage.tell(a_state(2), stage.strategy)
        stage.settle()
        refused = states_of(stage)
        stage.disk.mode = "write"
        stage.wait_until(lambda: states_of(stage))

        assert (refused, states_of(stage)) == ([], [2])

    def test_has_the_order_behind_it_follow_it(self, make):
        ledger = Ledger(writer="x")
        state = ledger.write_state(a_state(1), 1)
        order = make.order()
        intent = ledger.write((make.intent(),), order)
        of_another = ledger.write((make.intent("B-1", strategy="other"),), make.order("B-1", strategy="other"))

        assert (intent.follows, of_another.follows) == (state.number, 0)

    def test_outlives_one_though_another_life_of_its_strategy_has_read_it_since(self, stage, make):
        stage.open(lookup_interval_s=3_600.0)
        life = ask(stage).life
        stage.disk.mode = "refuse"
        stage.tell(a_state(1, life=life), stage.strategy)
        assert ask(stage, sender=stage.system.probe("newer life")).saved.number == 1
        stage.disk.mode = "fail"
        stage.submit(make.order(strategy="other"))  # the journal fails, and orders begins anew
        stage.wait_until(lambda: stage.disk.reads > 1)
        stage.disk.mode = "write"
        stage.wait_until(lambda: states_of(stage) == [1])

        assert ask(stage).saved.number == 1

    def test_outlives_a_restart_of_orders(self, stage):
        stage.open()
        stage.disk.mode = "hold"
        stage.tell(a_state(1), stage.strategy)
        stage.settle()
        stage.disk.mode = "fail"
        stage.tell(a_state(2), stage.strategy)  # the journal fails, and orders begins anew
        stage.wait_until(lambda: stage.disk.reads > 1)
        stage.disk.mode = "write"
        stage.wait_until(lambda: states_of(stage) == [2])

        assert ask(stage).saved == a_state(2)


class TestTwoLivesOfOneStrategy:
    def test_of_which_one_was_before_the_other_go_on_with_its_state(self, stage, make):
        stage.open()
        zombie = stage.strategy
        newer = stage.system.probe("newer life")
        old, new = ask(stage, sender=zombie).life, ask(stage, sender=newer).life
        stage.tell(a_state(1, life=new), newer)
        stage.tell(a_state(2, life=old), zombie)
        stage.tell(a_state(3, life=old), zombie)
        refused = zombie.receive(timeout_s=5)
        stage.submit(make.order())
        order = zombie.receive(timeout_s=5)

        assert refused == StateRefused(strategy="crossover", number=2)
        assert isinstance(order, OrderRefused)
        assert order.rule == "state"
        assert ask(stage, sender=newer).saved.number == 1
        stage.settle()
        assert stage.disk.kinds() == []

    def test_of_which_one_was_before_the_other_that_one_changes_no_order_either(self, stage, make):
        stage.open().place(make.order(order_type="LIMIT", limit_price=100.0))
        zombie, newer = stage.strategy, stage.system.probe("newer life")
        old, new = ask(stage, sender=zombie).life, ask(stage, sender=newer).life
        stage.tell(a_state(1, life=new), newer)
        stage.tell(a_state(2, life=old), zombie)
        assert isinstance(zombie.receive(timeout_s=5), StateRefused)
        stage.tell(ModifyOrder(client_order_id="A-1", quantity=20), zombie)
        refused = zombie.receive(timeout_s=5)
        assert (type(refused), refused.rule) == (ModificationRefused, "state")
        assert ReplaceOrder not in stage.heard()
        stage.tell(ModifyOrder(client_order_id="A-1", quantity=20), newer)

        assert stage.asked_next(ReplaceOrder).quantity == 20

    def test_of_which_two_were_before_the_third_are_both_refused(self, stage, make):
        stage.open()
        lives = [stage.strategy, stage.system.probe("second life"), stage.system.probe("third life")]
        numbers = [ask(stage, sender=each).life for each in lives]
        stage.tell(a_state(1, life=numbers[2]), lives[2])
        for at in (0, 1):
            stage.tell(a_state(2, life=numbers[at]), lives[at])
            assert isinstance(lives[at].receive(timeout_s=5), StateRefused)
        for at in (0, 1):
            stage.tell(make.order(f"A-{at}"), lives[at])
            assert lives[at].receive(timeout_s=5).rule == "state"
        stage.settle()
        assert states_of(stage) == [1]

    def test_may_order_again_when_it_has_read_the_state(self, stage, make):
        stage.open()
        old = ask(stage).life
        newer = stage.system.probe("newer life")
        stage.tell(a_state(1, life=ask(stage, sender=newer).life), newer)
        stage.tell(a_state(2, life=old), stage.strategy)
        assert isinstance(stage.strategy.receive(timeout_s=5), StateRefused)
        stage.tell(a_state(2, life=ask(stage).life), stage.strategy)
        stage.submit(make.order())

        assert isinstance(stage.broker.receive(), PlaceOrder)
        assert states_of(stage) == [1, 2]

    def test_may_order_again_alone_of_those_whose_state_was_out_of_date(self, stage, make):
        stage.open()
        lives = [stage.strategy, stage.system.probe("second life"), stage.system.probe("third life")]
        numbers = [ask(stage, sender=each).life for each in lives]
        stage.tell(a_state(1, life=numbers[2]), lives[2])
        for at in (0, 1):
            stage.tell(a_state(2, life=numbers[at]), lives[at])
            assert isinstance(lives[at].receive(timeout_s=5), StateRefused)
        stage.tell(a_state(2, life=ask(stage, sender=lives[0]).life), lives[0])
        stage.tell(make.order("A-1"), lives[1])
        assert lives[1].receive(timeout_s=5).rule == "state"
        stage.tell(make.order("A-0"), lives[0])

        assert stage.broker.receive().client_order_id == "A-0"

    def test_a_state_that_is_said_twice_is_kept_once(self, stage):
        stage.open()
        stage.tell(a_state(1), stage.strategy)
        stage.tell(a_state(1), stage.strategy)
        stage.settle()

        assert states_of(stage) == [1]
        assert stage.strategy.is_empty()


@pytest.mark.parametrize("keeps", [True, False])
def test_where_states_are_not_journaled_they_are_kept_as_long_as_the_run_lasts(stage, keeps):
    stage.open(keeps_states=keeps)
    stage.tell(a_state(1), stage.strategy)

    assert ask(stage).saved == a_state(1)
    stage.settle()
    assert states_of(stage) == [1] * keeps
