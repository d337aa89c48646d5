"""Faults on demand: which request meets which."""

import collections

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.exchange.drawing import Drawing
from natya.actors.exchange.faults import (
    ACCEPTANCE,
    HOSTILE,
    Fault,
    FaultPlan,
    Faults,
    hostile_body,
    price_without_trigger,
)
from natya.domain.dhan.refusals import refusal_of
from natya.domain.instruments import price_grid

kinds = st.sampled_from(sorted(ACCEPTANCE))
faults = st.builds(
    Fault,
    kind=kinds,
    chance=st.floats(0, 1),
    times=st.integers(0, 3),
    after=st.integers(0, 3),
    method=st.sampled_from(["", "GET", "POST"]),
    path=st.sampled_from(["", "/orders", "/positions"]),
)
plans = st.builds(FaultPlan, seed=st.integers(0, 1000), faults=st.lists(faults, max_size=4).map(tuple))
requests = st.lists(
    st.tuples(st.sampled_from(["GET", "POST"]), st.sampled_from(["/orders", "/orders/1", "/positions"]), st.booleans()),
    max_size=30,
)


def play(plan, asked):
    played = Faults(plan)
    return played, [played.meet(method, path, is_stop=is_stop) for method, path, is_stop in asked]


@settings(deadline=None)
@given(plan=plans, asked=requests)
def test_a_plan_falls_the_same_each_time_and_only_where_and_as_often_as_it_says(plan, asked):
    played, met = play(plan, asked)

    assert [each and each.kind for each in met] == [each and each.kind for each in play(plan, asked)[1]]
    assert sum(played.fallen) == sum(each is not None for each in met)
    for fault, fallen in zip(plan.faults, played.fallen, strict=True):
        assert not fault.times or fallen <= fault.times
    for each, (method, path, is_stop) in zip(met, asked, strict=True):
        if each is not None:
            assert any(
                fault.kind == each.kind and fault.method in {"", method} and path.startswith(fault.path)
                for fault in plan.faults
            )
            assert is_stop or not each.kind.startswith("stop")


class TestAFault:
    def test_falls_as_often_as_its_chance_says(self):
        plan = FaultPlan(seed=7, faults=(Fault(kind="throttled", chance=0.3),))
        _, met = play(plan, [("GET", "/orders", False)] * 2_000)

        assert 500 < sum(each is not None for each in met) < 700

    def test_leaves_the_first_requests_alone_where_it_is_told_to(self):
        _, met = play(FaultPlan(faults=(Fault(kind="throttled", after=2, times=1),)), [("GET", "/orders", False)] * 5)

        assert [each is not None for each in met] == [False, False, True, False, False]

    def test_that_falls_elsewhere_leaves_the_request_to_those_behind_it(self):
        elsewhere = [
            Fault(kind="reset_after", path="/positions"),
            Fault(kind="reset_after", method="GET"),
            Fault(kind="stop_refused"),
        ]
        _, (met,) = play(FaultPlan(faults=(*elsewhere, Fault(kind="throttled"))), [("POST", "/orders", False)])

        assert met.kind == "throttled"

    def test_of_a_hostile_body_without_a_name_is_one_of_them(self):
        _, met = play(FaultPlan(faults=(Fault(kind="hostile_body"),)), [("POST", "/orders", False)] * 50)

        assert {each.body for each in met} == {hostile_body(name) for name in HOSTILE}

    @pytest.mark.parametrize("kind", ["dead_token_808", "dead_token_906", "dead_token_901"])
    def test_of_a_dead_token_is_taken_for_one(self, kind):
        _, (met,) = play(FaultPlan(faults=(Fault(kind=kind),)), [("GET", "/orders", False)])

        assert refusal_of(met.status, msgspec.json.decode(met.body)).meaning == "token"
        assert met.acceptance == "BEFORE"

    def test_of_a_server_has_each_of_its_codes(self):
        plan = FaultPlan(faults=(Fault(kind="server_error_after"),))
        _, met = play(plan, [("POST", "/orders", False)] * 100)

        assert set(collections.Counter(each.status for each in met)) == {500, 502, 503, 504}
        assert {each.acceptance for each in met} == {"AFTER"}

    @pytest.mark.parametrize("kind", sorted(ACCEPTANCE))
    def test_has_an_answer_of_its_own_or_leaves_it_to_the_request(self, kind):
        plan = FaultPlan(faults=(Fault(kind=kind, seconds=2.5, body="html" if kind == "hostile_body" else ""),))
        _, (met,) = play(plan, [("POST", "/orders", True)])
        own = {
            "throttled": (429, "DH-904"),
            "dead_token_808": (401, "808"),
            "dead_token_906": (400, "DH-906"),
            "dead_token_901": (401, "DH-901"),
            "stop_refused": (400, "Trigger Price should be greater than Price"),
            "hostile_body": (200, "Maintenance"),
        }
        status, text = own.get(kind, (0, ""))

        assert (met.kind, met.acceptance, met.seconds) == (kind, ACCEPTANCE[kind], 2.5)
        if kind.startswith("server_error"):
            assert (met.status >= 500, b"Bad Gateway" in met.body) == (True, True)
        else:
            assert (met.status, met.body is None or text in met.body.decode()) == (status, True)
            assert (met.body is None) is (status == 0)

    def test_is_read_from_json_and_named_when_it_is_none(self):
        plan = msgspec.json.decode(b'{"seed":1,"faults":[{"kind":"latency","seconds":0.5}]}', type=FaultPlan)
        assert plan.faults[0].seconds == 0.5

        with pytest.raises(msgspec.ValidationError, match="kind"):
            msgspec.json.decode(b'{"faults":[{"kind":"earthquake"}]}', type=FaultPlan)


@pytest.mark.parametrize(
    ("side", "last_price", "limit"), [("SELL", 1500.0, 1455.0), ("BUY", 1503.3, 1548.3), ("SELL", 1503.3, 1458.3)]
)
def test_a_stop_without_its_trigger_may_trade_three_per_cent_away_at_most(side, last_price, limit):
    assert price_without_trigger(side, last_price, price_grid(0.1)) == limit


@settings(deadline=None)
@given(seed=st.integers(0, 1000), chance=st.floats(0, 1), times=st.integers(0, 3), after=st.integers(0, 3))
def test_a_fault_falls_as_it_would_have_whatever_bounds_another_has(seed, chance, times, after):
    """Of two that are drawn in turn."""

    def fallen(**bounds):
        bounded = Fault(kind="latency", chance=chance, **bounds)
        drawing = Drawing((bounded, Fault(kind="throttled", chance=0.5)), seed)
        return [drawing.falls(number) for _ in range(20) for number in (0, 1)][1::2]

    assert fallen(times=times, after=after) == fallen()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_no_order_that_was_taken(name):
    body = hostile_body(name)

    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return
    assert not isinstance(found.get("orderStatus"), str)
