"""Who guesses a token of the served exchange has to wait, over HTTP and on its sockets; its client has not."""

import pytest
from natya_sockets import Client
from natya_wire import Served
from websockets.exceptions import InvalidStatus

from natya.domain.guesses import WRONG_MAX

GUESS = "guess"


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
    made.price(1500.0)
    yield made
    made.stop()


def guessed(served, path="/v2/fundlimit"):
    """The status of a guess, and for how long one is to wait."""
    status, headers, _ = served.text(path, headers={"access-token": GUESS})
    return status, headers["Retry-After"]


def test_over_http_they_are_told_to_wait_after_five_in_the_shape_of_each_path(served):
    first = [guessed(served) for _ in range(WRONG_MAX)]
    status, wait_s = guessed(served)
    errors = [served.ask("GET", path, headers={"access-token": GUESS}) for path in ("/v2/positions", "/positions")]
    quotes = served.ask("POST", "/v2/marketfeed/ltp", {}, headers={"access-token": GUESS})

    assert first == [(401, None)] * WRONG_MAX
    assert (status, 0 < int(wait_s) <= 60) == (429, True)
    assert [(status, said["errorCode"]) for status, said in errors] == [(429, "DH-904")] * 2
    assert (quotes[0], *quotes[1]["data"]) == (429, "805")
    assert served.ask("GET", "/__market", headers={"access-token": GUESS})[0] == 429
    assert served.ask("GET", "/v2/fundlimit", headers={})[0] == 401
    assert served.ok("GET", "/v2/fundlimit")


def test_on_sockets_they_are_counted_with_those_over_http_and_the_client_is_let_in(served):
    feed = served.system.found().feed
    for _ in range(WRONG_MAX):
        guessed(served)
    with pytest.raises(InvalidStatus) as refusal:
        Client(feed, token=GUESS)

    answer = refusal.value.response
    assert (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= 60) == (429, True)
    with Client(feed) as client:
        client.ask(15, {"ExchangeSegment": "NSE_EQ", "SecurityId": "1594"})


def test_on_a_socket_one_is_turned_away_as_before_while_there_are_few(served):
    with Client(served.system.found().feed, token=GUESS) as client:
        assert client.reason() == 808
