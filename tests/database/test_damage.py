"""Damage: every file of the database, harmed in every way that a disk or a hand can; the actor goes on by itself.

`make corruptions` draws hundreds from a seed; the suite harms each file in three ways, and in each way two files.
"""

import os
import random
import shutil
import time

import pytest

from natya.actors.database import DatabaseActor, DuckDBAdapter
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import Query, Rows
from natya.messages.journal import JournalPage, ReadJournal
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("engines")

SEED = int(os.environ.get("CORRUPTIONS_SEED", "20260102"))
COUNT = int(os.environ.get("CORRUPTIONS", "12"))
DEADLINE_S = 60

CORE, MARKET = "natya.duckdb", "natya-market.duckdb"
FILES = (CORE, f"{CORE}.wal", MARKET, f"{MARKET}.wal")
HARMS = ("flip", "truncate", "zero", "delete", "old", "garbage")
TICKS, RECORDS = 3_500, 60


class Journal(RuntimeActor):
    """Answers from a list."""

    @handles(ReadJournal)
    def read(self, request, sender):
        """Give a page."""
        page = self.settings[request.after_sequence : request.after_sequence + request.records_max]
        self.send(sender, JournalPage(records=tuple(page), last_sequence=len(self.settings)))


@pytest.fixture(scope="module")
def records(build):
    facts = [
        fact
        for number in range(RECORDS // 2)
        for fact in (build.intended(f"A-{number}"), build.filled(f"A-{number}", trade_id=f"T-{number}"))
    ]
    return build.records(*facts)


@pytest.fixture(scope="module")
def history(tmp_path_factory, build, records):
    """The files as they were a while ago, and as a crash leaves them now: data in both, and in both logs."""
    folder = tmp_path_factory.mktemp("history")
    with DuckDBAdapter(folder / CORE, max_connections=3) as database:
        market, read_model = MarketStore(database), ReadModel(database)
        market.write(build.ticks(2_000, depth=build.depth()))
        read_model.apply(records[:20])
        shutil.copytree(folder, folder / "old")
        database.checkpoint()
        market.write(build.ticks(1_000, start=2_001))
        read_model.apply(records[20:40])
        database.checkpoint()
        for number in range(5):
            market.write(build.ticks(100, start=3_001 + 100 * number))
            read_model.apply(records[40 + 2 * number : 42 + 2 * number])
        shutil.copytree(folder, folder / "now", ignore=shutil.ignore_patterns("old"))
    return folder


def harm(chance, folder, old, name, how):
    """Do it, and say what was done."""
    file = folder / name
    content = bytearray(file.read_bytes())
    place = chance.randrange(len(content))
    match how:
        case "flip":
            content[place] ^= 1 << chance.randrange(8)
        case "truncate":
            del content[place:]
        case "zero":
            page = place // 4096 * 4096
            content[page : page + 4096] = bytes(len(content[page : page + 4096]))
        case "garbage":
            content = bytearray(chance.randbytes(chance.choice((0, 1, 100, 5_000, 300_000))))
        case "old":
            content = bytearray((old / name).read_bytes()) if (old / name).exists() else None
        case "delete":
            content = None
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    return f"{name}: {how} at {place}"


class Asker:
    """Asks until an answer comes: while files are mended, questions are refused."""

    def __init__(self, system):
        self.system = system
        self.deadline = time.monotonic() + DEADLINE_S

    def __call__(self, sql):
        while True:
            answer = self.system.request("database", Query(sql=sql), timeout_s=30)
            if isinstance(answer, Rows):
                return answer.rows
            self.wait(answer)

    def statistics(self):
        return self.system.request("database", Ping(), timeout_s=30).statistics

    def caught_up(self):
        while (found := self.statistics()).down or found.projected_sequence < RECORDS:
            self.wait(found)

    def wait(self, found):
        assert time.monotonic() < self.deadline, found
        time.sleep(0.01)  # between two questions; what is awaited is the answer


def after(folder, records):
    """Let the actor have the files; return what it answers about both, and what it says about the damage."""
    settings = DatabaseSettings.default(
        path=str(folder / CORE), max_connections=3, memory_limit_mb=96, threads=1, batch_rows_max=100, batch_wait_s=0.02
    )
    with InProcessSystem() as system:
        system.start("journal", Journal, records)
        system.start("database", DatabaseActor, settings)
        ask = Asker(system)
        ask("select sum(hash(t)) from ticks t")
        ask("select sum(hash(f)), (select sum(hash(o)) from orders o), (select sum(hash(f)) from fills f) from facts f")
        ask.caught_up()
        facts = ask("select sequence, recorded_ns, fact_type, fact from facts order by sequence")
        orders = ask("select client_order_id, state, filled_quantity from orders order by created_ns, client_order_id")
        fills = ask("select client_order_id, trade_id, quantity, price, sequence from fills order by sequence")
        ticks = ask("select count(*), coalesce(max(sequence), 0), coalesce(sum(quantity), 0) from ticks")
        damage = ask.statistics().damage
        system.stop("database")
    return (facts, orders, fills), ticks[0], damage


def attempts():
    chance = random.Random(SEED)
    every = [(name, how) for name in FILES for how in HARMS]
    in_turn = {CORE: 0, f"{CORE}.wal": 1, MARKET: 1, f"{MARKET}.wal": 0}
    every.sort(key=lambda each: (in_turn[each[0]] + HARMS.index(each[1])) % 2)
    drawn = every[:COUNT]
    return drawn + [chance.choice(every) for _ in range(COUNT - len(drawn))]


def test_no_damage_gives_a_wrong_answer(history, records, tmp_path):
    """What the core file says is the journal's truth; what the market file lacks is told."""
    chance = random.Random(SEED)
    print(f"CORRUPTIONS={COUNT} CORRUPTIONS_SEED={SEED}")  # noqa: T201  to play it again
    truth, whole, damage = after(shutil.copytree(history / "now", tmp_path / "whole"), records)
    assert (whole, damage) == ((TICKS, TICKS, 75 * TICKS), "")
    outcomes = {"harmless": 0, "mended": 0}
    for number, (name, how) in enumerate(attempts()):
        folder = shutil.copytree(history / "now", tmp_path / str(number))
        done = harm(chance, folder, history / "old", name, how)

        answers, (count, highest, quantity), damage = after(folder, records)

        assert answers == truth, done
        assert quantity == 75 * count, done
        assert count == highest, done
        assert count == TICKS or damage, f"{done}: {count} of {TICKS} ticks, and nothing said"
        assert count == TICKS or name.startswith(MARKET), done
        outcomes["mended" if damage else "harmless"] += 1
        if "put aside" in damage:
            assert any(".corrupt-" in file.name for file in folder.iterdir()), done
        shutil.rmtree(folder)
    print(outcomes)  # noqa: T201
    assert sum(outcomes.values()) == COUNT
