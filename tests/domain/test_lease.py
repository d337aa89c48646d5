"""Two nodes never hold the lease of one strategy at once, whatever becomes of the server and of the answers."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import FULL

from natya.domain.nodes.fence import Fence, Fences
from natya.domain.nodes.lease import Lease, Seen, Tenure
from natya.domain.time import SECOND_NS

LEASE_S = 5.0


def at(seconds):
    return round(seconds * SECOND_NS)


class Shelf:
    """The server: one record, which is written only in the place of what is expected."""

    def __init__(self):
        self.lease, self.life, self.before = None, 1, [None]

    def seen(self):
        return Seen(self.lease, str(self.life))

    def swap(self, seen, wanted):
        if self.seen() != seen:
            return False
        self.lease = wanted
        self.before.append(wanted)
        return True

    def come_back_with(self, lease):
        self.lease = lease
        self.life += 1


def turn(tenure, shelf, at_s):
    """Look, write, and hear of it at once."""
    seen = shelf.seen()
    wanted = tenure.read(seen, asked_ns=at(at_s), now_ns=at(at_s))
    if wanted is not None and shelf.swap(seen, wanted):
        tenure.wrote(wanted)
    return tenure.is_held(at(at_s))


class TestALease:
    def test_is_taken_by_who_has_watched_it_stand_still_for_its_whole_length(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)

        assert [turn(tenure, shelf, at_s) for at_s in (0.0, 4.9, 5.0)] == [False, False, True]
        assert shelf.lease == Lease(fence=1, holder="a", beat=1)

    def test_is_kept_by_writing_it_anew_and_goes_on_with_a_greater_fence_when_that_ends(self):
        shelf, first, second = Shelf(), Tenure("a", lease_s=LEASE_S), Tenure("b", lease_s=LEASE_S)
        held = [(turn(first, shelf, at_s), turn(second, shelf, at_s)) for at_s in range(12)]
        held_by_second = [turn(second, shelf, at_s) for at_s in range(12, 18)]

        assert held[5:] == [(True, False)] * 7
        assert held_by_second == [False] * 4 + [True] * 2
        assert (first.fence, second.fence) == (1, 2)

    def test_has_its_strategy_stopped_before_it_ends(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)

        assert [tenure.should_run(at(at_s)) for at_s in (7.4, 7.5)] == [True, False]
        assert [tenure.is_held(at(at_s)) for at_s in (8.9, 9.0)] == [True, False]

    def test_that_a_server_has_forgotten_is_written_again_by_its_holder(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)
        shelf.come_back_with(None)

        assert turn(tenure, shelf, 6.0)
        assert (shelf.lease.holder, shelf.lease.fence) == ("a", 1)

    def test_counts_from_when_it_was_asked_for_however_late_that_is_known(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        turn(tenure, shelf, 0.0)
        wanted = tenure.read(shelf.seen(), asked_ns=at(5.0), now_ns=at(5.1))
        shelf.swap(shelf.seen(), wanted)

        tenure.read(shelf.seen(), asked_ns=at(7.0), now_ns=at(7.1))

        assert [tenure.is_held(at(at_s)) for at_s in (8.9, 9.0)] == [True, False]

    @pytest.mark.parametrize("is_forgotten", [False, True])
    def test_that_is_renewed_counts_from_when_the_renewal_was_asked_for(self, is_forgotten):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)
        if is_forgotten:
            shelf.come_back_with(None)
        wanted = tenure.read(shelf.seen(), asked_ns=at(6.0), now_ns=at(7.0))
        tenure.wrote(wanted)

        assert [tenure.should_run(at(at_s)) for at_s in (8.4, 8.5)] == [True, False]
        assert [tenure.is_held(at(at_s)) for at_s in (9.9, 10.0)] == [True, False]

    def test_that_was_written_late_is_ones_own_also_behind_a_later_look(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        turn(tenure, shelf, 0.0)
        wanted = tenure.read(shelf.seen(), asked_ns=at(5.0), now_ns=at(5.1))
        tenure.read(shelf.seen(), asked_ns=at(6.0), now_ns=at(6.1))
        shelf.swap(shelf.seen(), wanted)
        tenure.read(shelf.seen(), asked_ns=at(7.0), now_ns=at(7.1))

        assert [tenure.is_held(at(at_s)) for at_s in (8.9, 9.0)] == [True, False]

    @pytest.mark.parametrize(("carried_out", "ends_s"), [((0,), 10.0), ((1,), 11.0), ((0, 1), 11.0)])
    def test_of_which_two_renewals_are_under_way_is_kept_by_the_newest_that_is_carried_out(self, carried_out, ends_s):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)
        renewals = [tenure.read(shelf.seen(), asked_ns=at(at_s), now_ns=at(at_s)) for at_s in (6.0, 7.0)]
        for number in carried_out:
            shelf.lease = renewals[number]
            tenure.read(shelf.seen(), asked_ns=at(8.0), now_ns=at(8.0))

        assert [tenure.is_held(at(at_s)) for at_s in (ends_s - 0.1, ends_s)] == [True, False]

    def test_of_ones_own_that_ran_out_is_watched_like_anybodys(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)

        assert [turn(tenure, shelf, at_s) for at_s in (20.0, 24.0, 25.0)] == [False, False, True]
        assert shelf.lease.fence == 2

    def test_that_is_let_go_is_watched_from_the_beginning(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        turn(tenure, shelf, 0.0)
        tenure.let_go()

        assert [turn(tenure, shelf, at_s) for at_s in (5.0, 9.9, 10.0)] == [False, False, True]

    def test_that_is_let_go_runs_nothing_from_then_on(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)
        before = tenure.is_held(at(5.0)), tenure.should_run(at(5.0))
        tenure.let_go()

        assert before == (True, True)
        assert (tenure.is_held(at(5.0)), tenure.should_run(at(5.0)), tenure.fence) == (False, False, 0)

    def test_gets_a_greater_fence_than_one_that_was_given_elsewhere(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)
        for fence in (7, 3):
            tenure.outbid(fence)
        turn(tenure, shelf, 6.0)

        assert (tenure.fence, shelf.lease.fence) == (8, 8)

    def test_gets_a_greater_fence_than_its_own_where_another_was_given_the_same_one(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0, LEASE_S):
            turn(tenure, shelf, at_s)
        fence = tenure.fence
        tenure.outbid(fence - 1)
        turn(tenure, shelf, LEASE_S + 1)
        assert tenure.fence == fence
        tenure.outbid(fence)
        turn(tenure, shelf, LEASE_S + 2)

        assert tenure.fence == fence + 1

    def test_that_another_has_taken_is_held_no_more(self):
        shelf, tenure = Shelf(), Tenure("a", lease_s=LEASE_S)
        for at_s in (0.0, 5.0):
            turn(tenure, shelf, at_s)
        shelf.lease = Lease(fence=9, holder="b", beat=1)

        assert not turn(tenure, shelf, 6.0)


class Play:
    """Nodes with clocks of their own at a server that is late, loses answers, goes back in time, or is emptied."""

    def __init__(self, seed):
        self.chance = Random(seed)
        self.shelf = Shelf()
        self.now_s = 0.0
        self.tenures = []
        self.rates = []
        self.later = []
        for number in range(3):
            self.tenures.append(Tenure(f"node-{number}", lease_s=LEASE_S))
            self.rates.append((self.chance.uniform(-1e5, 1e5), self.chance.uniform(0.95, 1.05)))
        self.held = 0
        self.holders = set()

    def clock_ns(self, node):
        begin_s, rate = self.rates[node]
        return at(begin_s + self.now_s * rate)

    def soon(self, act, *, most_s):
        self.later.append((self.now_s + self.chance.expovariate(3 / most_s), len(self.later), act))

    def look(self, node):
        """Ask; what is asked is carried out later, and its answer comes later still, or never."""
        asked_ns = self.clock_ns(node)

        def carried_out():
            seen = self.shelf.seen()
            if self.chance.random() < 0.9:
                self.soon(lambda: answered(seen), most_s=0.5)

        def answered(seen):
            wanted = self.tenures[node].read(seen, asked_ns=asked_ns, now_ns=self.clock_ns(node))
            if wanted is not None:
                most_s = 0.3 if self.chance.random() < 0.9 else 3 * LEASE_S
                self.soon(lambda: write(seen, wanted), most_s=most_s)

        def write(seen, wanted):
            if self.shelf.swap(seen, wanted) and self.chance.random() < 0.8:
                self.soon(lambda: self.tenures[node].wrote(wanted), most_s=0.5)

        self.soon(carried_out, most_s=0.3 if self.chance.random() < 0.95 else 2 * LEASE_S)

    def run(self, until_s):
        while self.now_s < until_s:
            match self.chance.random():
                case chance if chance < 0.97:
                    self.look(self.chance.randrange(len(self.tenures)))
                case chance if chance < 0.98:
                    self.shelf.come_back_with(None)
                case chance if chance < 0.99:
                    self.shelf.come_back_with(self.chance.choice(self.shelf.before))
                case _:
                    self.tenures[self.chance.randrange(len(self.tenures))].let_go()
            end_s = self.now_s + (0.15 if self.chance.random() < 0.97 else 2 * LEASE_S)
            while self.later and min(self.later)[0] <= end_s:
                due = min(self.later)
                self.later.remove(due)
                self.now_s = max(self.now_s, due[0])
                due[2]()
                self.check()
            self.now_s = end_s
            self.check()

    def check(self):
        holders = [node for node, each in enumerate(self.tenures) if each.is_held(self.clock_ns(node))]
        assert len(holders) <= 1, f"one holder at most wanted, found {holders} at {self.now_s} s"
        self.held += bool(holders)
        self.holders.update((node, self.tenures[node].fence) for node in holders)


@settings(max_examples=FULL)
@given(seed=st.integers(0, 2**32))
def test_two_never_hold_it_at_once(seed):
    Play(seed).run(120.0)


def test_in_such_a_play_somebody_mostly_holds_it():
    play = Play(7)
    play.run(600.0)

    assert play.held > 1_000
    assert len({node for node, _ in play.holders}) == 3


class TestAFence:
    @given(claims=st.lists(st.tuples(st.integers(1, 9), st.sampled_from("ab"), st.booleans())))
    def test_of_two_holders_never_counts_at_once_and_an_older_one_never_again(self, claims):
        fences, journal, counted = Fences(), [], [0]
        for number, holder, is_told in claims:
            fence = Fence(number, holder)
            if fences.propose("s", fence):
                journal.append(fence)
                if is_told and fences.admit("s", fence):
                    counted.append(number)
            else:
                assert not fences.admit("s", fence) or fence == fences.newest("s")
            of_both = [fences.counts("s", Fence(number, each)) for each in "ab"]

            assert sum(of_both) <= 1
            assert not any(fences.counts("s", Fence(older, each)) for older in range(counted[-1]) for each in "ab")
            assert counted == sorted(counted)
            again = Fences()
            for each in journal:
                again.recall("s", each)

            assert not journal or again.newest("s") == max(journal, key=lambda each: each.number)
            assert len({each for each in journal if each.number == number}) <= 1

    def test_of_two_of_one_number_in_the_journal_is_the_later_one(self):
        fences = Fences()
        for each in (Fence(3, "a"), Fence(3, "b"), Fence(2, "c")):
            fences.recall("s", each)

        assert fences.newest("s") == Fence(3, "b")

    def test_that_was_proposed_and_never_confirmed_is_given_to_nobody_else(self):
        fences = Fences()

        assert fences.propose("s", Fence(3, "a"))
        assert not fences.propose("s", Fence(3, "b"))
        assert fences.propose("s", Fence(3, "a"))
        assert fences.propose("s", Fence(4, "b"))
        assert not fences.admit("s", Fence(3, "a"))
        assert fences.admit("s", Fence(4, "b"))

    def test_that_the_journal_has_is_given_to_nobody_again_not_even_to_its_holder(self):
        fences = Fences()
        fences.recall("s", Fence(3, "a"))

        assert [fences.propose("s", Fence(number, holder)) for number in (2, 3) for holder in "ab"] == [False] * 4
        assert fences.propose("s", Fence(4, "a"))

    def test_knows_how_high_another_tenure_has_or_may_have_gone(self):
        fences, mine = Fences(), Fence(3, "a")
        assert fences.above("s", mine) == 0
        fences.recall("s", mine)
        assert fences.above("s", mine) == 0
        assert fences.propose("s", Fence(5, "b"))
        assert (fences.above("s", mine), fences.above("s", Fence(5, "b"))) == (5, 3)
        assert fences.admit("s", Fence(5, "b"))
        assert (fences.above("s", mine), fences.above("t", mine)) == (5, 0)

    def test_is_one_for_each_strategy(self):
        fences = Fences()
        fences.recall("s", Fence(3, "a"))

        assert fences.propose("t", Fence(1, "b"))
        assert fences.newest("u") is None


def test_the_number_above_is_the_greatest_of_all_other_tenures_admitted_or_proposed():
    fences, five, seven = Fences(), Fence(5, "a"), Fence(7, "b")
    assert fences.above("march", five) == 0
    assert fences.propose("march", five)
    assert fences.admit("march", five)
    assert [fences.above("march", each) for each in (five, seven)] == [0, 5]
    assert fences.propose("march", seven)

    assert [fences.above("march", each) for each in (five, seven, Fence(6, "c"))] == [7, 5, 7]
    assert fences.above("dip", five) == 0
