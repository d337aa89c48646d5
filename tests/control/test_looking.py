"""A look at the system: whom it asks, what it leaves out, and that a hop is counted once."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.control.looking import Looker
from natya.actors.runtime import Outcome
from natya.config.files import free_bytes
from natya.domain.timings import Timings
from natya.messages.control import ControlStatistics
from natya.messages.supervision import ChildStatus, DescribeTree, SupervisionTree
from natya.messages.system import Ping, Pong
from natya.messages.trace import Hop, ReadTrace, TraceRead

NOTHING = ControlStatistics(**dict.fromkeys(ControlStatistics.__struct_fields__, 0))
LATE = Outcome(error=TimeoutError("late"))


def a_child(name, state="RUNNING"):
    rest = {"host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0, "last_error": ""}
    return ChildStatus(path=f"system/{name}", state=state, **rest)


def a_hop(number, actor="orders", waited_ns=7, took_ns=11):
    return Hop(
        correlation_id="c", hop_id=number, causation_id=0, actor=actor, message_type="Tick",
        sent_ns=1_000, begun_ns=1_000 + waited_ns, ended_ns=1_000 + waited_ns + took_ns,
    )  # fmt: skip


class Asked:
    """In the place of the control actor: keeps what is asked until the test answers."""

    name = "control"

    def __init__(self, *, has_root=True):
        self.directory = {"system": None} if has_root else {}
        self.waiting = []

    def ask(self, target, message, *, timeout_s, then):
        assert timeout_s > 0
        self.waiting.append((target, message, then))

    def answer(self, outcome_of):
        """Answer all that wait, and what they ask on that."""
        asked = []
        while self.waiting:
            target, message, then = self.waiting.pop(0)
            asked.append((target, type(message)))
            then(outcome_of(target, message))
        return asked


def of_a_system(*children, hops=(), silent=()):
    """How a system of these children answers."""

    def outcome_of(target, message):
        match message:
            case DescribeTree():
                return Outcome(value=SupervisionTree(children=children))
            case Ping():
                return LATE if target in silent else Outcome(value=Pong(actor=target, statistics=NOTHING))
            case ReadTrace():
                return Outcome(value=TraceRead(hops=tuple(hops)))

    return outcome_of


@pytest.fixture
def look(tmp_path):
    """Look at a system, and return the view and whom it asked."""

    def look(looker, actor, system, **how):
        views = []
        looker.look(lambda view: views.append(msgspec.structs.replace(view, statistics={**view.statistics})), **how)
        asked = actor.answer(system)
        (view,) = views
        return view, asked

    look.at = lambda actor: Looker(actor, (tmp_path,), lambda: {"socket": 3}, lambda: {"Model": "no answer"})
    return look


class TestALook:
    def test_asks_those_that_run_and_leaves_out_who_does_not_answer(self, look):
        actor = Asked()
        children = (a_child("journal"), a_child("orders"), a_child("feed", "RESTARTING"), a_child("events"))
        system = of_a_system(*children, silent=("orders",))

        view, asked = look(look.at(actor), actor, system)

        assert sorted(asked) == [("events", Ping), ("journal", Ping), ("orders", Ping), ("system", DescribeTree)]
        assert view.statistics == {"journal": NOTHING, "events": NOTHING}, "all of them, when it is told"
        assert view.silent == {"orders"}
        assert view.tree.children == children
        assert view.refused == {"socket": 3}
        assert view.services == {"Model": "no answer"}
        assert view.disk_free_bytes > 0

    @pytest.mark.parametrize("has_root", [False, True])
    def test_at_a_system_without_a_root_that_answers_has_nothing(self, look, has_root):
        actor = Asked(has_root=has_root)

        view, _ = look(look.at(actor), actor, lambda *_: LATE)

        assert (view.tree, view.statistics) == (None, {})

    def test_has_nothing_of_the_look_before(self, look):
        actor = Asked()
        looker = look.at(actor)
        look(looker, actor, of_a_system(a_child("orders")))

        view, _ = look(looker, actor, lambda target, message: LATE)  # noqa: ARG005

        assert (view.tree, view.statistics) == (None, {})

    def test_serves_all_who_come_while_it_goes_on_with_one_question_to_each(self, look):
        actor, views = Asked(), []
        looker = look.at(actor)
        for _ in range(3):
            looker.look(views.append)

        asked = actor.answer(of_a_system(a_child("orders")))

        assert sorted(asked) == [("orders", Ping), ("system", DescribeTree)]
        assert views == [views[0]] * 3


class TestTheHops:
    def test_are_read_for_who_wants_them_alone(self, look):
        actor = Asked()
        looker, system = look.at(actor), of_a_system(a_child("orders"), hops=[a_hop(1)])

        _, without = look(looker, actor, system)
        _, wanted = look(looker, actor, system, with_hops=True)
        _, after = look(looker, actor, system)

        assert [("control", ReadTrace) in each for each in (without, wanted, after)] == [False, True, False]

    @pytest.mark.parametrize("who", [0, 1])
    def test_are_read_if_one_of_those_who_look_wants_them(self, look, who):
        actor, views = Asked(), []
        looker = look.at(actor)
        for number in range(2):
            looker.look(views.append, with_hops=number == who)

        asked = actor.answer(of_a_system(a_child("orders"), hops=[a_hop(1)]))

        assert asked.count(("control", ReadTrace)) == 1
        assert [set(view.turns) for view in views] == [{"orders"}] * 2

    def test_that_cannot_be_read_leave_the_rest_as_it_is(self, look):
        actor = Asked()
        system = of_a_system(a_child("orders"))

        view, _ = look(
            look.at(actor), actor, lambda target, message: LATE if target == "control" else system(target, message),
            with_hops=True,
        )  # fmt: skip

        assert (set(view.statistics), view.turns) == ({"orders"}, {})

    @given(
        reads=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=6),
        restarts=st.sets(st.integers(0, 5)),
    )
    def test_are_counted_once_each_however_often_they_are_read_and_whoever_restarts(
        self, tmp_path_factory, reads, restarts
    ):
        actor = Asked()
        folder = tmp_path_factory.getbasetemp()
        looker = Looker(actor, (folder,), dict, dict)
        begin = end = 0
        seen = set()
        for number, (fresh, dropped) in enumerate(reads):
            end += fresh
            begin = min(end, begin + dropped)  # old ones are dropped, whether they were read or not
            if number in restarts:
                before, looker = looker, Looker(actor, (folder,), dict, dict)
                looker.take_over(before.handover())
            views = []
            looker.look(views.append, with_hops=True)
            hops = [a_hop(each, ("orders", "feed")[each % 2], each, 2 * each) for each in range(begin, end)]
            actor.answer(of_a_system(a_child("orders"), hops=hops))
            seen |= {*range(begin, end)}
        (view,) = views

        for name, remainder in (("orders", 0), ("feed", 1)):
            waits, turns = Timings(), Timings()
            for each in seen:
                if each % 2 == remainder:
                    waits.add(each)
                    turns.add(2 * each)
            if sum(turns.timing().counts):
                assert (view.waits[name], view.turns[name]) == (waits.timing(), turns.timing())
            else:
                assert name not in view.turns


def test_of_a_folder_that_is_gone_it_is_not_known_what_is_free(tmp_path):
    assert free_bytes(tmp_path / "gone") is None
