"""What a look is told of the services in the container: the newest of each ping, however long one takes."""

import threading

import pytest

from natya.actors.control.pinging import LATE_NS, Pinger
from natya.domain.time import SECOND_NS


class Services:
    """In the place of a container; a clock besides."""

    def __init__(self):
        self.pings = {}
        self.now_ns = 0

    def __call__(self):
        return dict(self.pings)

    def monotonic_ns(self):
        return self.now_ns


def works():
    """A ping of a service that does."""


def fails():
    raise ConnectionError("no model is served")


@pytest.fixture
def services():
    return Services()


@pytest.fixture
def pinger(services):
    return Pinger(services, monotonic_ns=services.monotonic_ns)


def a_round(pinger):
    assert pinger.begin()
    pinger.ping()
    pinger.end()


def test_each_service_says_whether_it_works_and_why_not(services, pinger):
    services.pings = {"Model": fails, "Cache": works}
    before = pinger.found()
    a_round(pinger)

    assert before == {}
    assert pinger.found() == {"Model": "ConnectionError: no model is served", "Cache": ""}


def test_the_newest_ping_counts_and_what_is_registered_no_more_is_gone(services, pinger):
    services.pings = {"Model": fails, "Cache": works}
    a_round(pinger)
    services.pings = {"Model": works}
    a_round(pinger)

    assert pinger.found() == {"Model": ""}


def test_an_error_whose_text_cannot_be_had_is_told_too(services, pinger):
    class OddError(Exception):
        def __str__(self):
            raise ValueError

    def ping():
        raise OddError

    services.pings = {"Model": ping}
    a_round(pinger)

    assert pinger.found() == {"Model": "OddError: its text could not be had: ValueError"}


def test_no_second_round_is_made_while_a_ping_blocks_which_is_told_by_its_name(services, pinger):
    reached, goes_on = threading.Event(), threading.Event()

    def blocks():
        reached.set()
        assert goes_on.wait(20)

    services.pings = {"Cache": works, "Model": blocks}
    round_ = threading.Thread(target=a_round, args=(pinger,))
    round_.start()
    assert reached.wait(20)
    is_begun_again, early = pinger.begin(), pinger.found()
    services.now_ns += LATE_NS + SECOND_NS
    late = pinger.found()
    goes_on.set()
    round_.join()

    assert not is_begun_again
    assert early == {"Cache": ""}
    assert late == {"Cache": "", "Model": "its ping has not answered for 3 seconds"}
    assert pinger.found() == {"Cache": "", "Model": ""}
    assert pinger.begin()
