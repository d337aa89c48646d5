"""The owner of the calls to one service, in a system of virtual time with everything going wrong at once."""

import itertools
from collections import Counter
from email.utils import formatdate
from random import Random
from types import SimpleNamespace

import msgspec
import pytest

from natya.actors.external import (
    Allowance,
    Ask,
    Call,
    CountBefore,
    Endpoint,
    ExternalActor,
    ExternalServiceResult,
    ExternalSettings,
    HttpAnswer,
    NotSentError,
    RefusedAnswerError,
    TallySettings,
    UnknownOutcomeError,
)
from natya.actors.external.actor import DEADLINE_S_MAX
from natya.actors.external.tally import AHEAD, ON_THE_WAY_S
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.domain.quotas import Quota
from natya.domain.time import SECOND_NS
from natya.messages.system import Ping

WRITE = Endpoint(name="order", kind="all", read=False)
READ = Endpoint(name="orders", kind="all", read=True, attempts_max=3)
QUOTA = Quota(5, SECOND_NS)


class Service:
    """Answers at random; counts what it was asked, and when."""

    def __init__(self, seed, clock):
        self._random, self._clock = Random(seed), clock
        self.asked = Counter()
        self.times_ns = []

    def request(self, method, url, *, timeout_s, headers=None, body=None):
        self.asked[method, url] += 1
        self.times_ns.append(self._clock().monotonic_ns())
        outcome = self._random.choice(["ok", "ok", "ok", "no", "busy", "broken", "lost", "unsent", "bomb"])
        match outcome:
            case "lost":
                raise UnknownOutcomeError("no answer")
            case "unsent":
                raise NotSentError("no connection")
            case "bomb":
                raise RefusedAnswerError("too large", 200)
        status = {"ok": 200, "no": 400, "busy": 429, "broken": 500}[outcome]
        return HttpAnswer(status_code=status, headers={}, body=b"1", response_time_s=0.01)

    def close(self):
        pass

    def windows_exceeded(self):
        times = self.times_ns
        return [at for at in range(len(times) - QUOTA.requests) if times[at + QUOTA.requests] - times[at] < SECOND_NS]


def start(seed, faults):
    base = SimulatedSystemBase(seed=seed, faults=faults)
    system = InProcessSystem(base)
    service = Service(seed, lambda: base.clock)
    settings = ExternalSettings(
        service="test",
        hosts=frozenset(),
        allowances={"all": Allowance(quotas=(QUOTA,))},
        new_session=lambda _: service,
    )
    system.start("external", ExternalActor, settings)
    return system, service


def calls(seed, count=40, first=0):
    random = Random(seed)
    for number in range(first, first + count):
        endpoint = random.choice([WRITE, WRITE, READ])
        method = "GET" if endpoint is READ else "POST"
        yield Call(endpoint=endpoint, method=method, url=str(number), urgent=random.random() < 0.2, deadline_s=20.0)


class TestAnyCalls:
    @pytest.mark.parametrize("seed", range(12))
    def test_are_each_answered_and_no_write_is_sent_twice(self, seed):
        system, service = start(seed, Faults(delay=0.2, pause=0.2))
        with system:
            asked = [(call, system.request_future("external", Ask(call))) for call in calls(seed)]
            results = [(call, future.result(120)) for call, future in asked]

        for call, result in results:
            assert isinstance(result, ExternalServiceResult)
            times = service.asked[call.method, call.url]
            assert result.attempts == times <= call.endpoint.attempts_max
            assert (times == 0) <= (result.sent == "no")
        assert service.windows_exceeded() == []

    @pytest.mark.parametrize("seed", range(12))
    def test_of_an_owner_that_crashes_are_never_sent_twice_or_beyond_the_limits(self, seed):
        crash = ScriptedFault(kind="crash", actor="external", message_type=Ask, nth=Random(seed).randrange(1, 30))
        system, service = start(seed, Faults(delay=0.1, script=(crash,)))
        with system:
            asked = [(call, system.request_future("external", Ask(call))) for call in calls(seed)]
            later = [system.request_future("external", Ask(call)).result(120) for call in calls(seed + 1, 10, first=40)]

        assert all(isinstance(result, ExternalServiceResult) for result in later)
        for call, _ in asked:
            if call.endpoint is WRITE:
                assert service.asked[call.method, call.url] <= 1
        assert service.windows_exceeded() == []


class TestACallBehindOneOfALifeBefore:
    def test_leaves_as_soon_as_that_cannot_be_under_way_any_more(self):
        crash = ScriptedFault(kind="crash", actor="external", message_type=Ask, nth=2)
        base = SimulatedSystemBase(seed=1, faults=Faults(script=(crash,)))
        system = InProcessSystem(base)
        service = Well()
        one = Allowance(quotas=(Quota(1, SECOND_NS),))
        settings = ExternalSettings(
            service="test", hosts=frozenset(), allowances={"all": one}, new_session=lambda _: service
        )
        system.start("external", ExternalActor, settings)
        began_ns = base.clock.monotonic_ns()
        call = Call(endpoint=WRITE, method="POST", url="1", deadline_s=1_000.0)
        with system:
            before, _crashed, behind = [system.request_future("external", Ask(call)) for _ in range(3)]

            assert before.result(2_000).sent == "unknown"
            assert behind.result(2_000).success
            assert ON_THE_WAY_S <= (base.clock.monotonic_ns() - began_ns) / SECOND_NS < ON_THE_WAY_S + 5


class TestATally:
    """Of an owner of calls that ends and begins again, as another process would."""

    HUNDREDS = Allowance(quotas=(Quota(1_000, 86_400 * SECOND_NS),))

    def life(self, folder, requests, *, faults=None):
        """Make so many requests, and return how many more of the day there were at the start."""
        base = SimulatedSystemBase(seed=1, **({} if faults is None else {"faults": faults}))
        system = InProcessSystem(base)
        settings = ExternalSettings(
            service="test",
            hosts=frozenset(),
            allowances={"all": self.HUNDREDS, "orders": self.HUNDREDS},
            new_session=lambda _: Well(),
            tally=TallySettings(whose="me", kinds=("all",)),
            tally_folder=folder,
        )
        system.start("external", ExternalActor, settings)
        with system:
            before = system.request("external", Ping(), timeout_s=5).statistics.budgets
            for number in range(requests):
                for kind in ("all", "orders"):
                    endpoint = Endpoint(name="order", kind=kind, read=False)
                    call = Call(endpoint=endpoint, method="POST", url=str(number), deadline_s=1.0)
                    system.request("external", Ask(call), timeout_s=60)
        return {each.kind: each.remaining for each in before}

    def test_has_the_next_count_what_this_one_sent_of_the_kinds_it_is_for(self, tmp_path):
        assert self.life(tmp_path / "t", 70) == {"all": 1_000, "orders": 1_000}
        assert self.life(tmp_path / "t", 3) == {"all": 930, "orders": 1_000}
        assert self.life(tmp_path / "t", 0) == {"all": 927, "orders": 1_000}

    def test_counts_too_many_and_never_too_few_after_a_kill(self, tmp_path, monkeypatch):
        monkeypatch.setattr(ExternalActor, "on_stop", lambda _: None)
        self.life(tmp_path, 70)

        assert self.life(tmp_path, 0)["all"] in range(930 - AHEAD, 930 + 1)

    def test_is_the_same_one_after_a_failure(self, tmp_path):
        crash = ScriptedFault(kind="crash", actor="external", message_type=Ask, nth=30)
        self.life(tmp_path, 40, faults=Faults(script=(crash,)))

        assert self.life(tmp_path, 0)["all"] in range(1_000 - 40 - AHEAD // 2, 1_000 - 39 + 1)

    def test_has_a_line_that_was_under_way_in_a_failure_written_again(self, tmp_path):
        settings = ExternalSettings(
            service="test",
            hosts=frozenset(),
            allowances={"all": self.HUNDREDS},
            new_session=lambda _: Well(),
            tally=TallySettings(whose="me", kinds=("all",)),
            tally_folder=tmp_path,
        )
        base = SimulatedSystemBase(seed=1)
        with InProcessSystem(base) as system:
            system.start("external", ExternalActor, settings)
            actor = base.find("external").instance
            due = [actor._tally.due({"all": 1}, 1) for _ in range(2)]
            actor.restore(actor.snapshot())

            assert [len(each) for each in due] == [1, 0]
            assert actor._tally.due({"all": 1}, 1) == due[0]

    def test_that_cannot_be_written_holds_up_no_request(self, tmp_path):
        (tmp_path / "file").write_text("no folder")

        assert self.life(tmp_path / "file", 5)["all"] == 1_000


class TestRequestsOfAProcessBefore:
    DAY = Allowance(quotas=(Quota(5, 3_600 * SECOND_NS),))

    def begin(self, faults=None):
        base = SimulatedSystemBase(seed=1, **({} if faults is None else {"faults": faults}))
        self.clock = base.virtual_clock
        self.clock.jump_to(3_600 * SECOND_NS)  # of a machine that is up for an hour
        system = InProcessSystem(base)
        service = Well()
        settings = ExternalSettings(
            service="test", hosts=frozenset(), allowances={"all": self.DAY}, new_session=lambda _: service
        )
        system.start("external", ExternalActor, settings)
        return system, base.clock.now_ns()

    def left(self, system):
        """How many more may leave."""
        call = Call(endpoint=WRITE, method="POST", url="1", deadline_s=1.0)
        return [system.request("external", Ask(call), timeout_s=120).success for _ in range(6)].count(True)

    def test_count_against_the_limits(self):
        system, now_ns = self.begin()
        with system:
            system.tell("external", CountBefore("all", (now_ns - 3_000 * SECOND_NS, now_ns - 5 * SECOND_NS)))

            assert self.left(system) == 3

    def test_are_logged_as_many_as_there_were(self, caplog):
        caplog.set_level("INFO")
        system, now_ns = self.begin()
        with system:
            times_ns = now_ns - 3_000 * SECOND_NS, now_ns - 5 * SECOND_NS, now_ns + SECOND_NS
            system.tell("external", CountBefore("all", times_ns))
            self.left(system)
        (told,) = [each for each in caplog.records if each.getMessage() == "external.counted"]

        assert told.fields == {"service": "test", "kind": "all", "requests": 2}  # none of a time to come

    def test_that_are_over_do_not(self):
        system, now_ns = self.begin()
        with system:
            system.tell("external", CountBefore("all", (now_ns - 3_700 * SECOND_NS,) * 3))

            assert self.left(system) == 5

    def test_are_as_old_as_they_are_when_the_clock_was_set_back_since(self):
        system, now_ns = self.begin()
        with system:
            self.clock.step_wall(-3_600 * SECOND_NS)
            system.tell("external", CountBefore("all", (now_ns - 3_700 * SECOND_NS,) * 5))

            assert self.left(system) == 5

    def test_are_counted_once_and_none_that_this_process_sent(self):
        system, now_ns = self.begin()
        with system:
            for _ in range(3):
                system.tell("external", CountBefore("all", (now_ns - SECOND_NS, now_ns + SECOND_NS)))
            asker = system.probe("asker")
            system.tell("external", CountBefore("nothing of ours", (now_ns,)), sender=asker)

            assert self.left(system) == 4
            assert asker.is_empty()  # it has not failed

    @pytest.mark.parametrize("is_told_before", [True, False])
    def test_are_counted_once_and_none_since_the_first_life_where_the_owner_has_failed(self, is_told_before):
        crash = ScriptedFault(kind="crash", actor="external", message_type=Ask, nth=1)
        system, now_ns = self.begin(Faults(script=(crash,)))
        told = CountBefore("all", (now_ns - SECOND_NS, now_ns + SECOND_NS))
        with system:
            if is_told_before:
                system.tell("external", told)
            system.base.run_for(10.0)
            call = Call(endpoint=WRITE, method="POST", url="1", deadline_s=1.0)
            assert not isinstance(system.request("external", Ask(call), timeout_s=120), ExternalServiceResult)
            system.tell("external", told)

            assert self.left(system) == 4

    def test_are_counted_once_whatever_fails(self):
        system, now_ns = self.begin()
        with system:
            system.tell("external", CountBefore("all", (now_ns - SECOND_NS,)))
            system.request("external", Ask(None), timeout_s=120)
            system.tell("external", CountBefore("all", (now_ns - SECOND_NS,)))

            assert self.left(system) == 4


class Well:
    """Answers well."""

    def request(self, method, url, *, timeout_s, headers=None, body=None):
        return HttpAnswer(status_code=200, headers={}, body=b"1", response_time_s=0.01)

    def close(self):
        pass


class Ill(Well):
    """Fails."""

    def request(self, method, url, *, timeout_s, headers=None, body=None):
        return HttpAnswer(status_code=500, headers={}, body=b"1", response_time_s=0.01)


class TestAnOwnerOfCalls:
    @pytest.fixture
    def ask(self):
        """Ask once for each endpoint; return the results and what the owner tells of them."""

        def build(session, *endpoints, **settings):
            given = {"service": "test", "hosts": frozenset(), "allowances": {"all": Allowance(quotas=(QUOTA,))}}
            with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
                settings = ExternalSettings(**given, new_session=lambda _: session, **settings)
                system.start("external", ExternalActor, settings)
                calls = [Call(endpoint=each, method="GET", url="https://x.test/orders") for each in endpoints]
                results = [system.request("external", Ask(call), timeout_s=120) for call in calls]
                return results, system.request("external", Ping(), timeout_s=5).statistics

        return build

    def test_tells_what_was_called_and_what_came_of_it(self, ask):
        _, told = ask(Well(), WRITE, READ, READ)

        assert [(each.endpoint, each.outcome, each.calls) for each in told.called] == [
            ("order", "200", 1),
            ("orders", "200", 2),
        ]

    @pytest.mark.parametrize(
        ("fault", "outcome"),
        [(NotSentError("no route"), "unsent"), (UnknownOutcomeError("reset"), "unknown")],
        ids=repr,
    )
    def test_tells_of_calls_without_an_answer_whether_they_may_have_been_carried_out(self, ask, fault, outcome):
        def request(*_, **__):
            raise fault

        _, told = ask(SimpleNamespace(request=request, close=lambda: None), WRITE)

        assert [(each.endpoint, each.outcome, each.calls) for each in told.called] == [("order", outcome, 1)]

    @pytest.mark.parametrize(("fail_max", "attempts"), [(2, [1, 1, 0]), (3, [1, 1, 1])])
    def test_asks_no_more_where_so_many_have_failed(self, ask, fail_max, attempts):
        once = Endpoint(name="orders", kind="all", read=True, attempts_max=1)
        results, _ = ask(Ill(), once, once, once, fail_max=fail_max, reset_timeout_s=600)

        assert [each.attempts for each in results] == attempts


class Telling(Well):
    """Tells a time that is 10 s before ours."""

    def __init__(self, clock):
        self._clock = clock

    def request(self, method, url, *, timeout_s, headers=None, body=None):
        date = formatdate(self._clock().now_ns() / SECOND_NS - 10, usegmt=True)
        return HttpAnswer(status_code=200, headers={"date": date}, body=b"1", response_time_s=0.01)


class TestTheClockOfTheService:
    @pytest.mark.parametrize(("session", "skew"), [(Telling, 9.5), (lambda _: Well(), None)])
    def test_is_compared_with_ours_at_each_answer(self, session, skew):
        base = SimulatedSystemBase(seed=1)
        settings = ExternalSettings(
            service="test",
            hosts=frozenset(),
            allowances={"all": Allowance(quotas=(QUOTA,))},
            new_session=lambda _: session(lambda: base.clock),
        )
        with InProcessSystem(base) as system:
            system.start("external", ExternalActor, settings)
            call = Call(endpoint=READ, method="GET", url="https://x.test/orders")
            result = system.request("external", Ask(call), timeout_s=120)
            assert result.success
            found = system.request("external", Ping(), timeout_s=5).statistics.clock_skew_s
            assert result.clock_skew_s == found

        assert found is skew if skew is None else abs(found - skew) <= 0.5


LISTED = {"all": Allowance(quotas=(QUOTA,))}
GOOD = Call(endpoint=READ, method="GET", url="https://x", query=(("a", "b"),), deadline_s=DEADLINE_S_MAX)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (GOOD, ""),
        (msgspec.structs.replace(GOOD, deadline_s=1e-3), ""),
        ("https://x", "a Call of an Endpoint wanted, found something else"),
        (msgspec.structs.replace(GOOD, endpoint="orders"), "a Call of an Endpoint wanted, found something else"),
        (
            msgspec.structs.replace(GOOD, endpoint=msgspec.structs.replace(READ, kind="quotes")),
            "one of the kinds all wanted, found 'quotes'",
        ),
        *(
            (
                msgspec.structs.replace(GOOD, deadline_s=found),
                f"a deadline above 0 and up to {DEADLINE_S_MAX:g} s wanted, found {found!r}",
            )
            for found in (0, -1.0, DEADLINE_S_MAX + 1, float("nan"), "9")
        ),
        *(
            (
                msgspec.structs.replace(GOOD, **{name: found}),
                "texts wanted for method, URL, and the names and values of the query",
            )
            for name, found in (
                ("method", None),
                ("url", b"https://x"),
                ("query", (("a", 1),)),
                ("query", ((1, "a"),)),
                ("query", [("a", "b")]),
            )
        ),
    ],
    ids=itertools.count(),
)
def test_a_call_that_cannot_be_made_is_told_why(call, fault):
    assert ExternalActor._fault_of(SimpleNamespace(settings=SimpleNamespace(allowances=LISTED)), call) == fault
