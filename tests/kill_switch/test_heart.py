"""The heart beats exactly when orders and the journal answer, and watches who listens."""

import pytest
from natya_processes import await_that

from natya.actors.kill_switch import HeartActor, HeartSettings, heart
from natya.actors.runtime import RuntimeActor, handles
from natya.config.heartbeat import Heartbeat
from natya.messages.journal import DurableProved, ProveDurable
from natya.messages.risk_state import ReduceOnly
from natya.messages.system import Ping, Pong

pytestmark = pytest.mark.usefixtures("threads")  # a virtual clock runs through thousands of beats while one waits


class Answering(RuntimeActor):
    """Orders and the journal at once; each may be stuck."""

    @handles(ProveDurable)
    def prove(self, _message, sender):
        if self.name not in self.settings:
            self.send(sender, DurableProved(last_sequence=1))

    @handles(ReduceOnly)
    def note(self, message, _sender):
        LIMITS.append(message.reason)

    @handles(Ping)
    def answer(self, _message, sender):
        if self.name not in self.settings:
            self.send(sender, Pong(actor=self.name, statistics=None))


LIMITS = []
"""What orders was told, by any heart of this process."""


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """What is free, in MiB."""
    LIMITS.clear()
    free = [1_000]

    def free_bytes(folder):
        assert folder.name == "journal"
        return None if free[0] is None else free[0] << 20

    monkeypatch.setattr(heart, "free_bytes", free_bytes)
    return free


@pytest.fixture
def file(tmp_path):
    return Heartbeat(tmp_path / "heartbeat")


def beating(folder):
    return HeartSettings(data_dir=folder, journal_dir=folder / "journal", interval_s=0.005)


@pytest.fixture
def start(actor_system, tmp_path):
    def begin(stuck=()):
        for name in ("orders", "journal"):
            actor_system.start(name, Answering, stuck)
        actor_system.start("heart", HeartActor, beating(tmp_path))
        return actor_system

    return begin


def turn(system):
    """Let the actors work."""
    return system.request("heart", Ping())


def test_it_beats_while_both_answer_and_leaves_it_to_who_stops_the_system_whether_it_ended_in_order(start, file):
    system = start()
    await_that(lambda: turn(system) and file.read().number >= 3)
    system.stop("heart")
    number = file.read().number
    assert (file.read().ended, file.read().epoch) == (False, 1)
    Heartbeat(file.path).end()

    assert (file.read().ended, file.read().epoch, file.read().number) == (True, 1, number + 1)


@pytest.mark.parametrize("stuck", ["orders", "journal"])
def test_it_stands_still_while_one_is_stuck_and_beats_again_afterwards(start, file, stuck, monkeypatch):
    monkeypatch.setattr(heart, "ANSWER_S", 0.01)
    stopped = {stuck}
    system = start(stopped)
    for _ in range(20):
        turn(system)
    assert file.read().number == 0
    stopped.clear()
    await_that(lambda: turn(system) and file.read().number >= 1)


def test_a_new_life_is_a_new_epoch(start, file):
    system = start()
    system.stop("heart")
    system.start("heart", HeartActor, beating(file.path.parent))

    assert (file.read().epoch, file.read().ended) == (2, False)


def test_it_tells_that_who_listened_has_fallen_silent(start, tmp_path, monkeypatch):
    monkeypatch.setattr(heart, "WATCHER_SILENT_S", 0.03)
    watcher = Heartbeat(tmp_path / "deadman")
    watcher.begin(pid=1)
    system = start()
    trouble = lambda: turn(system) and system.base.find("heart").instance.trouble  # noqa: E731
    await_that(trouble)
    assert "the dead-man's switch was heard, and is silent now" in trouble()
    await_that(lambda: watcher.beat() or not trouble())


def test_it_tells_that_who_listens_could_do_nothing_now(start, tmp_path):
    watcher = Heartbeat(tmp_path / "deadman")
    watcher.begin(pid=1)
    watcher.beat(trouble="the token has ended")
    system = start()
    trouble = lambda: turn(system) and system.base.find("heart").instance.trouble  # noqa: E731
    await_that(lambda: trouble() == "the dead-man's switch could cancel nothing now: the token has ended")
    watcher.beat()
    await_that(lambda: not trouble())


def is_made_a_folder(path):
    path.unlink(missing_ok=True)
    try:
        path.mkdir()
    except FileExistsError:  # it has beaten in between
        return False
    return True


def test_it_stands_still_and_lives_on_while_its_file_cannot_be_written(start, file):
    file.path.mkdir()
    system = start()
    trouble = lambda: turn(system) and system.base.find("heart").instance.trouble  # noqa: E731
    await_that(trouble)
    assert trouble() == f"{file.path} cannot be written: Is a directory"
    file.path.rmdir()
    await_that(lambda: turn(system) and file.read() and file.read().number >= 1)
    assert not trouble()
    await_that(lambda: is_made_a_folder(file.path))
    await_that(trouble)
    system.stop("heart")

    assert file.read() is None


def test_it_has_only_orders_that_close_pass_while_little_is_free_on_the_disk(start, disk):
    system = start()

    def told_after(free):
        LIMITS.clear()
        disk[0] = free
        await_that(lambda: turn(system) and LIMITS)
        return set(LIMITS)

    await_that(lambda: turn(system) and LIMITS == [""])
    low = {"at least 256 MiB free on the disk of the journal wanted, found fewer"}
    assert told_after(255) == low
    assert told_after(319) == low
    disk[0] = None
    for _ in range(5):
        turn(system)
    assert "" in told_after(320)
    LIMITS.clear()
    disk[0] = 256
    for _ in range(20):
        turn(system)

    assert LIMITS == []


def beats_of(system):
    """What the heart says of itself when it has worked."""
    turn(system)
    return system.base.find("heart").instance.trouble


def test_it_logs_who_did_not_answer_and_what(start, monkeypatch, logged):
    monkeypatch.setattr(heart, "ANSWER_S", 0.01)
    for stuck, asked in (("orders", "Ping"), ("journal", "ProveDurable")):
        system = start({stuck})
        missed = (
            "ERROR",
            "heart.missed",
            {"actor_asked": stuck, "answer": f"no answer in 0.01 s from {stuck} to {asked}"},
        )
        await_that(lambda: turn(system) and missed in logged())  # noqa: B023  called before the next turn
        for name in ("heart", "orders", "journal"):
            system.stop(name)


def test_it_logs_what_it_was_answered_instead(start, logged):
    system = start()
    system.stop("orders")
    missed = []
    await_that(
        lambda: (turn(system) and missed.extend(each for each in logged() if each[1] == "heart.missed")) or missed
    )

    answers = {fields["answer"] for _, _, fields in missed if fields["actor_asked"] == "orders"}
    assert answers
    assert all(answer.startswith("Unavailable(actor='orders'") for answer in answers), answers


def test_it_tells_nothing_of_who_listened_and_has_ended_in_order(start, tmp_path):
    watcher = Heartbeat(tmp_path / "deadman")
    watcher.begin(pid=1)
    watcher.beat(trouble="the token has ended")
    watcher.end()
    system = start()
    await_that(lambda: turn(system) and Heartbeat(tmp_path / "heartbeat").read().number >= 2)

    assert beats_of(system) == ""


def test_it_logs_once_that_its_file_cannot_be_written_and_once_that_it_can(start, file, logged):
    file.path.mkdir()
    system = start()
    told = []
    reason = f"{file.path} cannot be written: Is a directory"
    for _ in range(5):
        assert beats_of(system) == reason
    file.path.rmdir()
    await_that(lambda: told.extend(logged()) or not beats_of(system))
    for _ in range(5):
        turn(system)
    told += logged()

    assert told == [("ERROR", "heart.not_written", {"reason": reason}), ("ERROR", "heart.written", {"reason": ""})]


def test_it_tells_of_who_listens_also_while_it_does_not_beat_and_logs_that_once(start, tmp_path, monkeypatch, logged):
    monkeypatch.setattr(heart, "ANSWER_S", 0.005)
    watcher = Heartbeat(tmp_path / "deadman")
    watcher.begin(pid=1)
    watcher.beat(trouble="the token has ended")
    system = start({"orders"})
    reason = "the dead-man's switch could cancel nothing now: the token has ended"
    told = []
    await_that(lambda: beats_of(system) == reason)
    await_that(lambda: (turn(system) and told.extend(logged())) or len(told) > 3)

    assert [each for each in told if each[1] != "heart.missed"] == [("ERROR", "deadman.troubled", {"reason": reason})]


def test_it_tells_of_its_file_and_of_who_listens_together(start, file, tmp_path):
    file.path.mkdir()
    watcher = Heartbeat(tmp_path / "deadman")
    watcher.begin(pid=1)
    watcher.beat(trouble="no token")
    system = start()

    await_that(lambda: "; " in beats_of(system))
    assert beats_of(system) == (
        f"{file.path} cannot be written: Is a directory; the dead-man's switch could cancel nothing now: no token"
    )
