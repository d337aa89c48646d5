"""The dead-man's switch, at a broker played by the test: what it does to a system that is dead, and to none other."""

import errno
import functools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.client.deadman import AccountError, Deadman, OrderThere
from natya.config import heartbeat
from natya.config.halt_file import HaltFile
from natya.config.heartbeat import Heartbeat
from natya.domain.orders import Order
from natya.domain.pulse import Beat
from natya.domain.time import SECOND_NS

INFY = ("NSE_EQ:1594", "INTRADAY")


STOP = {"is_resting_stop": True}


def an_order(number, own, **fields):
    fields = {"is_open": True, "is_resting_stop": False, "side": "SELL", "filled": 0, "leaves": 10} | fields
    return OrderThere(broker_order_id=number, client_order_id=own, position=INFY, **fields)


class OwnBook:
    """The system's: its ids begin with A-, and a strategy held so many shares when it died."""

    def __init__(self, shares=10):
        self.shares = shares
        self.later, self.unknown = {}, set()

    def __contains__(self, client_order_id):
        return client_order_id.startswith("A-")

    def order(self, client_order_id):
        if client_order_id in self.unknown:
            return None
        of = {"strategy": "A", "symbol": "INFY", "quantity": 10, "order_type": "STOP", "limit_price": None}
        intended_ns = self.later.get(client_order_id, 1)
        return Order(client_order_id=client_order_id, side="SELL", intended_ns=intended_ns, **of)

    def strategy_shares(self, strategy, symbol):
        assert (strategy, symbol) == ("A", "INFY")
        return self.shares


class Broker:
    def __init__(self, *orders):
        self.open = dict(orders)
        self.cancelled = []
        self.is_busy = False
        self.refused = set()
        self.between = lambda: None
        self.trouble, self.proved = "", 0
        self.exits, self.no_exit = [], ""
        self.stops, self.ended = {}, ()
        self.positions = {}
        self.not_read = ""

    def problem(self):
        self.proved += 1
        return self.trouble

    def orders(self):
        if self.is_busy:
            raise AccountError("busy")
        return [*(an_order(number, own, **self.stops.get(own, {})) for number, own in self.open.items()), *self.ended]

    def held(self):
        if self.not_read:
            raise AccountError(self.not_read)
        return self.positions

    def set_loss_exit(self, loss_rupees):
        if self.no_exit:
            raise AccountError(self.no_exit)
        self.exits.append(loss_rupees)
        return loss_rupees

    def cancel(self, number):
        if number in self.refused:
            raise AccountError("not now")
        self.cancelled.append(number)
        del self.open[number]
        self.between()


class Stage:
    def __init__(self, folder):
        self.now_s = 0.0
        self.heart = Heartbeat(folder / "heartbeat")
        self.halt = HaltFile(folder / "HALT")
        self.broker = Broker(("1", "A-1"), ("2", "by hand"), ("3", ""), ("4", "A-2"))
        self.told = []
        self.finds = 0
        self.book = OwnBook()

    def watch(self, **fields):
        self.deadman = Deadman(
            Heartbeat(self.heart.path),
            self.halt,
            self.broker,
            find_book=self.find_book,
            monotonic_ns=lambda: round(self.now_s * SECOND_NS),
            after_s=10.0,
            tell=self.told.append,
            **fields,
        )

    def find_book(self):
        self.finds += 1
        return self.book

    def after(self, seconds):
        self.now_s += seconds
        return self.deadman.step()


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    stage.heart.begin(pid=1)
    stage.watch()
    assert stage.after(0) == "alive"
    return stage


class TestASystemThatIsDead:
    def test_is_halted_and_only_its_own_orders_are_cancelled(self, stage):
        assert stage.after(10) == "dead"

        assert stage.broker.cancelled == ["1", "4"]
        assert (stage.halt.note().reason, stage.halt.note().person) == ("no heartbeat for 10 s", "deadman")
        assert stage.deadman.cancelled == 2
        assert stage.told == [
            "the system lives",
            "the system is dead or stuck: its heartbeat stands still",
            f"the kill switch is on: {stage.halt.where()}",
            "order A-1 is cancelled (1)",
            "order A-2 is cancelled (4)",
        ]

    def test_has_cancelled_again_what_the_broker_refused(self, stage):
        stage.broker.is_busy = True
        stage.after(10)
        assert "asked for again: busy" in stage.told[-1]
        stage.broker.is_busy, stage.broker.refused = False, {"1"}
        stage.after(1)
        assert stage.broker.cancelled == ["4"]
        assert "order A-1 is not cancelled yet: not now" in stage.told
        stage.broker.refused = set()
        stage.after(1)

        assert stage.broker.cancelled == ["4", "1"]

    def test_has_cancelled_what_opens_later(self, stage):
        stage.after(10)
        stage.broker.open["5"] = "A-3"
        stage.after(1)

        assert stage.broker.cancelled == ["1", "4", "5"]
        assert stage.finds == 1

    def test_has_none_cancelled_that_no_client_gave_an_id_where_its_journal_cannot_be_read(self, stage):
        stage.book = None
        stage.after(10)

        assert stage.broker.cancelled == ["1", "2", "4"]

    def test_has_its_orders_cancelled_where_it_cannot_be_halted(self, stage, monkeypatch):
        def refused(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(HaltFile, "engage", refused)
        stage.after(10)

        assert stage.broker.cancelled == ["1", "4"]
        assert any("cannot be put on" in each for each in stage.told)

    @pytest.mark.parametrize(("ending", "was"), [("S", "is the stop loss"), ("T", "is the target")])
    def test_says_of_a_cancelled_exit_of_a_bracket_that_a_position_is_left_without_it(self, stage, ending, was):
        stage.broker.open = {"1": "A-1", "7": f"A-2{ending}"}
        stage.after(10)

        assert "order A-1 is cancelled (1)" in stage.told
        without = f"it {was} of the bracket A-2, and what it was to close is held without it"
        assert f"order A-2{ending} is cancelled (7): {without}" in stage.told


class TestAStopOfWhatIsHeld:
    @pytest.fixture
    def stage(self, stage):
        """A position of ten, the stop of its bracket, its target, and an entry."""
        stage.broker.open = {"1": "A-1", "7": "A-2S", "8": "A-2T"}
        stage.broker.stops = {"A-2S": STOP, "A-1": {"side": "BUY"}}
        stage.broker.positions = {INFY: 10}
        return stage

    def test_stays_and_all_else_is_cancelled_and_that_is_told_once(self, stage):
        stage.after(10)
        stage.after(1)

        assert stage.broker.cancelled == ["1", "8"]
        assert stage.told.count("order A-2S stays: it closes 10 that are held, and opens none") == 1

    @pytest.mark.parametrize(
        "of",
        [{"leaves": 11}, {"side": "BUY"}, {"is_resting_stop": False}],
        ids=["for more than is held", "that would add to it", "of which nobody knows whether it rests"],
    )
    def test_is_cancelled_where_it_would_do_anything_else(self, stage, of):
        stage.broker.stops["A-2S"] = STOP | of
        stage.after(10)

        assert stage.broker.cancelled == ["1", "7", "8"]

    @pytest.mark.parametrize("positions", [{}, {INFY: 9}, {INFY: -10}, {("NSE_EQ:1594", "CNC"): 10}])
    def test_is_cancelled_where_the_broker_has_nothing_that_it_closes(self, stage, positions):
        stage.broker.positions = positions
        stage.after(10)

        assert "7" in stage.broker.cancelled

    def test_is_cancelled_where_the_system_has_closed_its_own_and_the_shares_there_are_of_others(self, stage):
        stage.broker.positions = {INFY: 90}
        stage.broker.ended = (an_order("9", "A-3", is_open=False, filled=10),)  # a sale that traded after its death
        stage.after(10)

        assert "7" in stage.broker.cancelled

    def test_is_cancelled_as_soon_as_another_order_has_closed_what_it_was_for(self, stage):
        stage.broker.refused = {"8"}
        stage.after(10)
        assert "7" not in stage.broker.cancelled
        stage.broker.positions = {INFY: 0}
        stage.after(1)

        assert "7" in stage.broker.cancelled

    def test_stays_beside_orders_that_the_book_does_not_have(self, stage):
        stage.book.unknown = {"A-1", "A-2T"}
        stage.after(10)

        assert stage.broker.cancelled == ["1", "8"]

    def test_is_the_newest_where_two_are_for_the_same_shares(self, stage):
        stage.broker.open = {"7": "A-2S", "6": "A-5S", "5": "A-1S"}
        stage.broker.stops = {"A-1S": STOP, "A-2S": STOP, "A-5S": STOP}
        stage.book.later = {"A-5S": 5}
        stage.after(10)

        assert stage.broker.cancelled == ["7", "5"]

    def test_is_none_that_has_ended_and_would_take_the_shares_of_one_that_has_not(self, stage):
        stage.broker.ended = (an_order("9", "A-5S", is_open=False, is_resting_stop=True),)
        stage.book.later = {"A-5S": 5}
        stage.after(10)
        stage.after(1)

        assert stage.broker.cancelled == ["1", "8"]
        assert [each for each in stage.told if " stays: " in each] == [
            "order A-2S stays: it closes 10 that are held, and opens none"
        ]

    def test_that_does_not_stay_is_not_said_to(self, stage):
        stage.broker.positions = {}
        stage.after(10)

        assert "7" in stage.broker.cancelled
        assert [each for each in stage.told if " stays: " in each] == []

    def test_stays_until_it_can_be_read_what_is_held(self, stage):
        stage.broker.not_read = "busy"
        stage.after(10)
        assert stage.broker.cancelled == ["1", "8"]
        assert any("cannot be read, so that stops stay" in each for each in stage.told)
        stage.broker.not_read, stage.broker.positions = "", {}
        stage.after(1)

        assert stage.broker.cancelled == ["1", "8", "7"]

    def test_stays_by_the_brokers_book_alone_where_the_journal_cannot_be_read(self, stage):
        stage.book = None
        stage.after(10)

        assert stage.broker.cancelled == ["1", "8"]

    def test_is_cancelled_where_that_is_wanted(self, stage):
        stage.watch(keeps_stops=False)
        stage.after(0)
        stage.after(10)

        assert stage.broker.cancelled == ["1", "7", "8"]


class TestTheLossOfADayThatNobodyLooksAtAnyMore:
    TOLD = "the broker closes all of the account at a loss of 9000.00 rupees today"

    def test_is_given_to_the_broker_once_for_each_death_behind_the_cancellations(self, stage):
        stage.watch(loss_rupees=9_000.0)
        stage.after(0)
        for _ in range(2):
            stage.after(10)
            stage.after(1)
            stage.heart.beat()
            assert stage.after(1) == "alive"

        assert stage.broker.exits == [9_000.0, 9_000.0]
        assert stage.told.index(self.TOLD) > stage.told.index("order A-2 is cancelled (4)")

    def test_is_given_again_until_the_broker_has_taken_it_and_each_reason_is_told_once(self, stage):
        stage.watch(loss_rupees=9_000.0)
        stage.after(0)
        stage.broker.no_exit = "DH-905 no"
        for seconds in (10, 1, 1):
            stage.after(seconds)
        assert [each for each in stage.told if "DH-905 no" in each] == [
            "the broker does not close all at a loss of 9000.00 rupees yet: DH-905 no"
        ]
        stage.broker.no_exit = ""
        stage.after(1)

        assert (stage.broker.exits, stage.told[-1]) == ([9_000.0], self.TOLD)

    @pytest.mark.parametrize("fields", [{}, {"loss_rupees": 9_000.0, "policy": "halt"}])
    def test_is_not_where_nobody_wants_that(self, stage, fields):
        stage.watch(**fields)
        stage.after(0)
        stage.after(10)

        assert stage.broker.exits == []

    def test_is_not_given_for_a_system_that_has_come_back(self, stage):
        stage.watch(loss_rupees=9_000.0)
        stage.after(0)
        stage.broker.between = stage.heart.beat
        stage.after(10)

        assert stage.broker.exits == []


class TestASystemThatComesBack:
    @pytest.mark.parametrize("how", ["beat", "begin"])
    def test_is_left_alone_between_two_cancellations(self, stage, how):
        stage.broker.between = {"beat": stage.heart.beat, "begin": lambda: stage.heart.begin(pid=2)}[how]
        stage.after(10)
        assert stage.broker.cancelled == ["1"]
        assert stage.told[-1] == "it lives again: the rest is its own"

        assert stage.after(1) == "alive"
        assert stage.broker.cancelled == ["1"]

    def test_and_dies_again_is_looked_at_anew(self, stage):
        stage.after(10)
        stage.heart.beat()
        assert stage.after(1) == "alive"
        stage.broker.open["6"] = "A-9"
        assert stage.after(10) == "dead"

        assert stage.broker.cancelled == ["1", "4", "6"]
        assert stage.finds == 2


class TestASystemThatIsNotDead:
    def test_is_not_touched_while_it_beats(self, stage):
        for _ in range(30):
            stage.heart.beat()
            assert stage.after(9.9) == "alive"

        assert (stage.broker.cancelled, stage.halt.is_engaged()) == ([], False)

    def test_is_not_touched_when_it_has_ended_in_order(self, stage):
        stage.heart.end()

        assert [stage.after(1_000), stage.after(1_000)] == ["ended", "ended"]
        assert (stage.broker.cancelled, stage.halt.is_engaged()) == ([], False)

    def test_is_not_taken_for_dead_by_one_who_has_just_begun_to_listen(self, stage):
        stage.now_s = 1e6
        stage.watch()

        assert [stage.after(0), stage.after(9.9)] == ["alive", "alive"]
        assert stage.after(0.1) == "dead"


class TestWhetherItCouldDoAnything:
    def test_is_asked_once_a_minute_while_nothing_is_to_be_done_and_told_when_it_changes(self, stage):
        assert (stage.broker.proved, stage.deadman.trouble) == (1, "")
        stage.broker.trouble = "DH-901 token expired"
        for _ in range(19):
            stage.heart.beat()
            stage.after(3)
        assert stage.broker.proved == 1
        stage.heart.beat()
        stage.after(3)
        assert stage.deadman.trouble == "DH-901 token expired"
        assert (
            stage.told[-1] == f"the broker would do nothing now, so nothing could be cancelled: {stage.broker.trouble}"
        )
        stage.broker.trouble = ""
        stage.heart.end()
        stage.after(60)

        assert (stage.broker.proved, stage.deadman.trouble) == (3, "")
        assert stage.told[-1] == "the broker takes our token again"

    def test_is_told_once_as_long_as_it_could_not(self, stage):
        stage.broker.trouble = "DH-901 token expired"
        for _ in range(3):
            stage.heart.beat()
            stage.after(60)
        assert stage.broker.proved == 4
        assert stage.told == [
            "the system lives",
            "the broker would do nothing now, so nothing could be cancelled: DH-901 token expired",
        ]

    def test_is_not_asked_of_one_who_does_not_cancel_nor_while_it_does(self, stage):
        stage.after(10)
        stage.after(100)
        assert stage.broker.proved == 1
        stage.watch(policy="halt")
        stage.after(0)

        assert stage.broker.proved == 1


class TestAPolicy:
    def test_to_halt_cancels_nothing(self, stage):
        stage.watch(policy="halt")
        stage.after(0)
        stage.after(10)

        assert (stage.broker.cancelled, stage.halt.is_engaged()) == ([], True)

    def test_to_watch_does_nothing_but_tell(self, stage):
        stage.watch(policy="watch")
        stage.after(0)

        assert stage.after(10) == "dead"
        assert (stage.broker.cancelled, stage.halt.is_engaged()) == ([], False)
        assert stage.told[-1] == "the system is dead or stuck: its heartbeat stands still"


def test_where_nothing_ever_ran_it_waits(tmp_path):
    stage = Stage(tmp_path)
    stage.watch()

    assert [stage.after(100), stage.after(100)] == ["absent", "absent"]
    assert stage.broker.cancelled == []


class TestTheFile:
    def test_is_written_over_in_place_so_that_a_full_disk_stops_no_heart(self, tmp_path, monkeypatch):
        heart = Heartbeat(tmp_path / "heartbeat")
        heart.begin(pid=1)
        before = heart.path.stat()
        heart.beat(trouble="none " * 100)

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(heartbeat, "new_file", full)
        for act in (heart.beat, heart.end, functools.partial(heart.begin, pid=2), heart.beat):
            act()
            after = heart.path.stat()
            assert (after.st_ino, after.st_size, after.st_blocks) == (before.st_ino, before.st_size, before.st_blocks)

        assert heart.read() == Beat(epoch=2, number=1, pid=2)

    def test_that_somebody_removed_is_made_again_and_one_that_cannot_be_made_is_a_fault(self, tmp_path):
        heart = Heartbeat(tmp_path / "heartbeat")
        heart.begin(pid=1)
        heart.path.unlink()
        heart.beat()
        assert heart.read().number == 1
        heart.path.unlink()
        heart.path.symlink_to("elsewhere")

        with pytest.raises(OSError, match="symbolic links"):
            heart.beat()

    @given(st.text())
    def test_holds_whatever_trouble_there_is(self, trouble):
        told = Beat(trouble=trouble.encode("ascii", "replace").decode()[: heartbeat.TROUBLE_LENGTH_MAX])

        assert len(msgspec.json.encode(told)) < heartbeat.BYTES - 100

    def test_counts_epochs_over_lives_and_over_what_is_no_heartbeat(self, tmp_path):
        heart = Heartbeat(tmp_path / "heartbeat")
        heart.begin(pid=1)
        heart.beat()
        heart.begin(pid=2)
        assert (heart.read().epoch, heart.read().number, heart.read().pid) == (2, 0, 2)
        heart.path.write_bytes(b"\xff" * 10)
        assert heart.read() is None
        heart.begin(pid=3)

        assert heart.read().epoch == 1
        assert [each.name for each in tmp_path.iterdir()] == ["heartbeat"]
