"""`natya exchange serve` as a process: announced, used, killed, and found again as it was."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from natya_sockets import Client
from natya_starts import Natya
from natya_web import ask
from natya_wire import Served, an_order

from natya.actors.web import AddressTakenError
from natya.cli.exit_codes import CANNOT_CREATE, exit_code
from natya.domain.dhan.streams import depth

pytestmark = pytest.mark.systems

COMMAND = ["exchange", "serve", "--always-open", "--unlimited"]


class Process:
    def __init__(self, data_dir, *options):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        self.process = Natya(
            [*COMMAND, "--data-dir", str(data_dir), *options],
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


def test_a_synthetic_market_has_all_twenty_levels_and_each_socket_is_named(start):
    exchange = start("--symbol", "INFY")
    infy = {"ExchangeSegment": "NSE_EQ", "SecurityId": "1594"}
    with Client(exchange.first["depth"], token=exchange.first["token"]) as client:
        client.request(23, infy)
        bid, ask = depth.sides_of(client.read())
    with Client(exchange.first["depth_200"], token=exchange.first["token"]) as client:
        client.say({"RequestCode": 23, **infy})
        deep, _ = depth.sides_of(client.read(), levels=200)

    assert all((*bid.prices, *bid.quantities, *ask.prices, *ask.quantities))
    assert len(deep.prices) == 20
    assert exchange.kill(signal.SIGTERM) == (0, "")


def test_a_port_that_is_taken_is_told_at_once_and_the_directory_is_free_again(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressTakenError, match=f"found 127.0.0.1 port {port}") as refused:
            Served(tmp_path, **{"web.port": port})

    assert exit_code(refused.value) == CANNOT_CREATE
    Served(tmp_path).stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's commands are of curl")
def test_the_readme_s_order_trades_as_it_is_written_there(start):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    serve = re.search(r"^    (natya exchange serve .*)$", readme, re.MULTILINE)[1]
    order, positions = re.findall(r"^    (curl -s http.*?)(?=^    curl|^\n)", readme, re.MULTILINE | re.DOTALL)
    options = shlex.split(serve)[3:]
    exchange = start(*(option if option != "8711" else "0" for option in options))
    port = exchange.first["rest"].split(":")[2].split("/")[0]

    def run(command):
        words = shlex.split(command.replace(":8711/", f":{port}/"))
        return json.loads(subprocess.run(words, capture_output=True, check=True, timeout=20).stdout)

    while not any(each["lastPrice"] and each["symbol"] == "INFY" for each in exchange.ask("GET", "/__market")[1]):
        pass
    status, refusal = exchange.ask("POST", "/__market", {"symbol": "INFY", "price": 1500.0})
    assert (status, "symbol: one that no market moves wanted, found 'INFY'" in str(refusal)) == (400, True)
    assert run(order)["orderStatus"] == "TRANSIT"
    while not (found := run(positions)):
        pass
    assert [(row["tradingSymbol"], row["netQty"]) for row in found] == [("INFY", 10)]
