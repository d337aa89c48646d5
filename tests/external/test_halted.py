"""A request that may make an exposure larger is held back at the last moment, on its own thread."""

import pytest

from natya.actors.external import Call, Endpoint, ExternalSettings, HttpAnswer
from natya.actors.external.sending import exchange
from natya.actors.external.service import Send
from natya.actors.runtime import SystemClock

PLACE = Endpoint(name="orders.place", kind="orders", read=False, exposes=True)
CANCEL = Endpoint(name="orders.cancel", kind="orders", read=False)
BOOK = Endpoint(name="orders.book", kind="others", read=True)


class Service:
    def __init__(self):
        self.asked = []

    def request(self, method, url, **_):
        self.asked.append((method, url))
        return HttpAnswer(status_code=200, headers={}, body=b"1", response_time_s=0.0)


@pytest.fixture
def service():
    return Service()


def send(service, endpoint, halted, **fields):
    call = Call(endpoint=endpoint, method="POST", url="http://broker/x", **fields)
    settings = ExternalSettings(service="test", hosts=frozenset(), allowances={}, halted=halted)
    return exchange(service, Send(1, call, 1 << 62), settings, SystemClock())


def test_nothing_of_it_is_sent_and_that_is_certain(service):
    verdict = send(service, PLACE, lambda: "the kill switch is on")

    assert (verdict.outcome, verdict.sent, verdict.error) == ("refused", "no", "the kill switch is on")
    assert service.asked == []


@pytest.mark.parametrize("endpoint", [CANCEL, BOOK], ids=lambda each: each.name)
def test_what_cancels_or_reads_leaves(service, endpoint):
    verdict = send(service, endpoint, lambda: "the kill switch is on")

    assert (verdict.outcome, len(service.asked)) == ("ok", 1)


def test_what_closes_positions_leaves(service):
    assert send(service, PLACE, lambda: "the kill switch is on", in_halt=True).outcome == "ok"


def test_it_leaves_where_nothing_is_halted_and_is_asked_for_each(service):
    answers = iter(["", "the kill switch is on", ""])

    assert [send(service, PLACE, lambda: next(answers)).outcome for _ in range(3)] == ["ok", "refused", "ok"]


def test_a_check_that_fails_sends_nothing(service):
    def broken():
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        send(service, PLACE, broken)
    assert service.asked == []


def test_every_request_of_dhan_that_may_open_a_position_is_of_that_sort():
    from natya.actors.broker.bodies.dhan import endpoints  # noqa: PLC0415  a broker's table, looked at from here once

    routes = [each for each in vars(endpoints).values() if isinstance(each, endpoints.Route)]
    exposing = {each.endpoint.name for each in routes if each.endpoint.exposes}

    assert all(
        each.endpoint.exposes != each.urgent
        for each in routes
        if each.endpoint.kind == "orders" and not each.endpoint.read
    )
    assert {"orders.place", "orders.modify", "orders.place_slices", "super_orders.place", "alerts.place"} <= exposing
