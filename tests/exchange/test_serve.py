"""`natya exchange serve` as a process: announced, used, killed, and found again as it was."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from natya_web import ask
from natya_wire import an_order

NATYA = [sys.executable, "-m", "natya", "exchange", "serve", "--always-open", "--unlimited"]


class Process:
    def __init__(self, data_dir, *options):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        self.process = subprocess.Popen(
            [*NATYA, "--data-dir", str(data_dir), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.first = json.loads(self.process.stdout.readline())
        self._headers = {"access-token": self.first["token"]}

    def ask(self, method, path, body=None):
        url = self.first["rest"].removesuffix("/v2") + path
        status, said = ask(method, url, None if body is None else json.dumps(body), self._headers)
        return status, json.loads(said)

    def kill(self, number):
        self.process.send_signal(number)
        _, complaints = self.process.communicate(timeout=30)
        return self.process.returncode, complaints.decode()


@pytest.fixture
def start(tmp_path):
    processes = []

    def started(*options):
        processes.append(Process(tmp_path, *options))
        return processes[-1]

    yield started
    for each in processes:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate(timeout=30)


def test_an_account_survives_a_kill_and_sigterm_ends_it_with_0(start):
    exchange = start("--by-hand")
    exchange.ask("POST", "/__market", {"symbol": "INFY", "price": 1500.0})
    ids = []
    for number in range(5):
        order = an_order(correlationId=f"kill-{number}", price=1400.0 + number)
        ids.append(exchange.ask("POST", "/v2/orders", order)[1]["orderId"])
    bought = exchange.ask("POST", "/v2/orders", an_order(orderType="MARKET", price=0))[1]["orderId"]
    while exchange.ask("GET", f"/v2/orders/{bought}")[1][0]["orderStatus"] != "TRADED":
        pass
    before = exchange.ask("GET", "/v2/positions")[1]
    exchange.kill(signal.SIGKILL)

    again = start("--by-hand", "--token", "given")
    book = again.ask("GET", "/v2/orders")[1]

    assert again.first["token"] == "given"  # noqa: S105  of a test
    assert [row["orderId"] for row in book] == [*ids, bought]
    assert [row["correlationId"] for row in book[:5]] == [f"kill-{number}" for number in range(5)]
    assert [(row["netQty"], row["buyAvg"]) for row in again.ask("GET", "/v2/positions")[1]] == [
        (row["netQty"], row["buyAvg"]) for row in before
    ]
    assert again.ask("DELETE", f"/v2/orders/{ids[0]}")[0] == 200
    assert again.kill(signal.SIGTERM) == (0, "")


def test_a_synthetic_market_is_served_on_the_port_that_is_wanted(start):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    exchange = start("--port", str(port), "--synthetic", "3", "--speed", "50")

    assert exchange.first["rest"] == f"http://127.0.0.1:{port}/v2"
    assert sorted(exchange.first) == ["client_id", "rest", "token"]
    while not (shown := [each for each in exchange.ask("GET", "/__market")[1] if each["lastPrice"]]):
        pass
    order = an_order(orderType="MARKET", price=0, securityId=shown[0]["securityId"], quantity=1)
    order_id = exchange.ask("POST", "/v2/orders", order)[1]["orderId"]
    while (row := exchange.ask("GET", f"/v2/orders/{order_id}")[1][0])["orderStatus"] == "TRANSIT":
        pass

    assert row["orderStatus"] == "TRADED"
    assert exchange.kill(signal.SIGTERM) == (0, "")


def test_a_port_that_is_taken_is_told_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*NATYA, "--by-hand", "--data-dir", str(tmp_path), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    assert (done.returncode, done.stdout) == (73, "")
    assert f"an address to listen on is wanted, found 127.0.0.1 port {port}" in done.stderr
