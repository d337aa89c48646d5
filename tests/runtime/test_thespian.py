"""Thespian's side: plain actors on our base, our actors on Thespian's simple base, and the bases we refuse."""

import asyncio
import builtins
import datetime as dt
import importlib.util
import inspect
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from natya_endpoints import Asker
from natya_processes import await_that
from thespian.actors import (
    Actor,
    ActorAddress,
    ActorExitRequest,
    ActorSystem,
    ChildActorExited,
    LoadedSource,
    NoCompatibleSystemForActor,
    PoisonMessage,
    ThespianGeneration,
    ThespianWatch,
    UnloadedSource,
    ValidatedSource,
    ValidateSource,
    WatchMessage,
)
from thespian.system.messages.status import Thespian_StatusReq

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RequestTimedOut, RuntimeActor, handles
from natya.actors.runtime.errors import SystemStoppedError, UnknownActorError, UnsupportedBaseError
from natya.actors.runtime.lifecycle import Start
from natya.actors.runtime.thespian.addresses import Admin, Stillborn
from natya.actors.runtime.thespian.foreign import ForeignContext
from natya.actors.runtime.thespian.sources import Sources
from natya.messages.supervision import Failed
from natya.messages.system import Ping, Pong

IMPORTS = "import threading\nfrom thespian.actors import Actor, ActorExitRequest\n"


class Echo(Actor):
    def receiveMessage(self, message, sender):  # noqa: N802
        if message == "fail":
            raise ValueError("fail")
        if isinstance(message, threading.Event):
            message.wait(10)
            message = "late"
        if not isinstance(message, ActorExitRequest):
            self.send(sender, message)


def load(system, tmp_path, **modules):
    """Load a source of these modules, by name; return its hash."""

    class Authority(Actor):
        def receiveMessage(self, message, sender):  # noqa: N802
            if isinstance(message, ValidateSource):
                self.send(sender, ValidatedSource(message.sourceHash, message.sourceData))
            elif message == "begin":
                self.registerSourceAuthority()
                self.send(sender, "begun")

    with zipfile.ZipFile(tmp_path / "source.zip", "w") as source:
        for name, text in modules.items():
            source.writestr(f"{name}.py", text)
    assert system.actor_system.ask(system.actor_system.createActor(Authority), "begin", 5) == "begun"
    return system.actor_system.loadActorSource(str(tmp_path / "source.zip"))


class Counter(RuntimeActor):
    def on_start(self):
        self.total = 0

    @handles(int)
    def add(self, amount, sender):
        self.total += amount
        self.send(sender, self.total)

    @handles(str)
    def fail(self, reason, sender):
        raise ValueError(reason)

    @handles(threading.Event)
    def wait(self, event, sender):
        event.wait(10)
        self.send(sender, "late")

    @handles(float)
    def later(self, seconds, sender):
        self.after(seconds, (sender,))

    @handles(tuple)
    def answer(self, senders, _):
        self.send(senders[0], "later")

    @handles(list)
    def think(self, numbers, sender):
        self.offload(sum, numbers, then=lambda outcome: self.send(sender, outcome.unwrap()))

    @handles(bytes)
    def quiet(self, _, sender):
        self.when_quiet((sender,))


class TestAPlainActorOnOurBase:
    def test_answers_and_poisons(self, system):
        echo = system.actor_system.createActor(Echo)

        assert system.actor_system.ask(echo, "hello", 5) == "hello"
        assert isinstance(system.actor_system.ask(echo, "fail", 5), PoisonMessage)

    @pytest.mark.parametrize("blocking", [False, True])
    @pytest.mark.parametrize("first", [None, Start(name="counter", settings="given")], ids=["none", "start"])
    def test_may_make_one_of_ours_which_begins_with_its_first_message(self, system, blocking, first):
        class Told(Counter):
            def on_start(self):
                super().on_start()
                self.given = self.settings

            @handles(bytes)
            def tell(self, _, sender):
                self.send(sender, (self.name, self.given))

        Told.blocking = blocking
        told = system.actor_system.createActor(Told)
        if first is not None:
            system.actor_system.tell(told, first)

        assert system.actor_system.ask(told, 1, 5) == 1
        name, given = system.actor_system.ask(told, b"", 5)
        assert (name, given) == (("counter", "given") if first else (str(told), None))

    def test_is_counted_by_its_mailbox_as_one_of_ours_is(self, system):
        echo = system.actor_system.createActor(Echo)
        system.actor_system.ask(echo, "hello", 5)

        assert (echo.counters().depth, echo.counters().high_water, echo.counters().handled) == (0, 1, 1)

    def test_is_stopped_by_its_own_message_alone(self, system):
        echo = system.actor_system.createActor(Echo)

        with pytest.raises(
            UnknownActorError, match=r"a RuntimeActor is wanted \(a plain one ends by ActorExitRequest\)"
        ):
            system.stop(echo)
        assert system.actor_system.ask(echo, "hello", 5) == "hello"

    def test_is_not_poisoned_by_what_it_told_another_of_a_failure(self, system):
        heard = []

        class Touchy(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                heard.append(type(message))
                raise ValueError(message)

        first, second = (system.actor_system.createActor(Touchy) for _ in range(2))
        first.deliver("odd", second)
        await_that(lambda: second.counters().handled)
        system.actor_system.ask(system.actor_system.createActor(Echo), "all that was sent has come", 5)

        assert heard[:4] == [str] * 2 + [PoisonMessage] * 2
        assert (first.counters().handled, second.counters().handled) == (1, 1)

    @pytest.mark.parametrize("recursive", [True, False])
    def test_ends_with_its_children_or_without(self, system, recursive):
        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "make":
                    self.send(sender, [self.createActor(Echo) for _ in range(2)])

        parent = system.actor_system.createActor(Parent)
        children = system.actor_system.ask(parent, "make", 5)
        system.actor_system.tell(parent, ActorExitRequest(recursive=recursive))
        await_that(lambda: parent.dead)

        assert [child.dead for child in children] == [recursive] * 2

    def test_ends_only_when_the_last_of_its_children_has(self, system):
        entered, gate, exited = threading.Event(), threading.Event(), []

        class Apart(Echo):
            blocking = True

            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "hold":
                    entered.set()
                    gate.wait(10)

        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "make":
                    self.busy, self.idle = self.createActor(Apart), self.createActor(Echo)
                    self.send(self.busy, "hold")
                elif isinstance(message, ChildActorExited):
                    exited.append("idle" if message.childAddress == self.idle else "busy")

        parent = system.actor_system.createActor(Parent)
        system.actor_system.tell(parent, "make")
        entered.wait(5)
        system.actor_system.tell(parent, ActorExitRequest())
        await_that(lambda: exited == ["idle"])
        assert not parent.dead
        gate.set()
        await_that(lambda: parent.dead)

        assert exited == ["idle", "busy"]

    @pytest.mark.parametrize("is_child", [False, True])
    def test_tells_how_it_is_who_made_it_and_whom_it_made(self, system, is_child):
        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "make":
                    self.send(sender, self.createActor(Parent))

        parent = system.actor_system.createActor(Parent)
        child = system.actor_system.ask(parent, "make", 5)
        status = system.actor_system.ask(child if is_child else parent, Thespian_StatusReq(), 5)

        assert (status.actorAddress, status.actorClass) == (child if is_child else parent, "Parent")
        assert status.parentAddress is (parent if is_child else system.base.admin)
        assert status.childActors == ([] if is_child else [child])
        assert status.exiting is None

    def test_finds_one_by_its_name_for_the_whole_system_as_it_is(self, system):
        class Kept(Actor):
            def __init__(self):
                super().__init__()
                self.heard = []

            def receiveMessage(self, message, sender):  # noqa: N802
                self.heard.append(message)
                self.send(sender, [*self.heard])

        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if isinstance(message, str):
                    self.asker = sender
                    self.send(self.createActor(Kept, globalName="kept"), message)
                elif isinstance(message, list):
                    self.send(self.asker, message)

        parent = system.actor_system.createActor(Parent)

        assert [system.actor_system.ask(parent, word, 5) for word in ("one", "two")] == [["one"], ["one", "two"]]

    def test_has_children_on_threads_of_their_own(self, system):
        class Apart(Echo):
            blocking = True

        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "hello":
                    self.send(self.createActor(Apart), (message, sender))
                elif not isinstance(message, ActorExitRequest):
                    self.send(message[1], message[0])

        parent = system.actor_system.createActor(Parent)

        assert system.actor_system.ask(parent, "hello", 5) == "hello"

    def test_ends_when_its_children_have_ended(self, system):
        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "make":
                    self.child = self.createActor(Echo)
                    self.send(sender, "made")

        class Above(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "make":
                    self.asker, self.parent = sender, self.createActor(Parent)
                    self.send(self.parent, "make")
                elif message == "made":
                    self.send(self.parent, ActorExitRequest())
                elif isinstance(message, ChildActorExited):
                    self.send(self.asker, message.childAddress == self.parent)

        above = system.actor_system.createActor(Above)

        assert system.actor_system.ask(above, "make", 5) is True

    def test_hears_of_sources_that_are_loaded_and_unloaded_as_long_as_it_wants_to(self, system, tmp_path):
        class Authority(Actor):
            heard = ()

            def receiveMessage(self, message, sender):  # noqa: N802
                if isinstance(message, ValidateSource):
                    self.send(sender, ValidatedSource(message.sourceHash, message.sourceData))
                elif isinstance(message, LoadedSource | UnloadedSource):
                    self.heard = (*self.heard, type(message))
                elif message == "begin":
                    self.registerSourceAuthority()
                    self.notifyOnSourceAvailability(True)
                elif message == "end":
                    self.notifyOnSourceAvailability(False)
                if isinstance(message, str):
                    self.send(sender, self.heard)

        thespian = system.actor_system
        hearer = thespian.createActor(Authority)
        thespian.ask(hearer, "begin", 5)
        with zipfile.ZipFile(tmp_path / "source.zip", "w") as source:
            source.writestr("natya_of_another_zip.py", "")
        thespian.unloadActorSource(thespian.loadActorSource(str(tmp_path / "source.zip")))
        thespian.ask(hearer, "end", 5)
        thespian.loadActorSource(str(tmp_path / "source.zip"))

        assert thespian.ask(hearer, "heard?", 5) == (LoadedSource, UnloadedSource)

    @pytest.mark.filterwarnings("ignore:HashRootLoader:ImportWarning")  # Thespian's loader is of before Python 3.12
    def test_is_of_a_loaded_source_whose_modules_alone_go_with_it(self, system, tmp_path):
        source_hash = load(
            system, tmp_path, natya_of_a_zip=inspect.getsource(Echo).replace("class Echo", f"{IMPORTS}class Echo")
        )
        echo = system.actor_system.createActor("natya_of_a_zip.Echo", sourceHash=source_hash)
        assert system.actor_system.ask(echo, 7, 5) == 7
        before = set(sys.modules)
        system.actor_system.unloadActorSource(source_hash)

        gone = before - set(sys.modules)
        assert gone
        assert all(source_hash in name for name in gone)

    @pytest.mark.filterwarnings("ignore:HashRootLoader:ImportWarning")
    def test_has_the_modules_of_its_source_to_itself(self, system, tmp_path, monkeypatch):
        monkeypatch.setattr("builtins.__import__", builtins.__import__)  # as it is now, whatever happens
        monkeypatch.delitem(sys.modules, "this", raising=False)
        source_hash = load(
            system,
            tmp_path,
            natya_imports=(
                "from __future__ import annotations\nfrom thespian.actors import Actor\n"
                "class Imports(Actor):\n"
                "    def receiveMessage(self, message, sender):\n"
                "        import this, antigravity as other\n"
                "        if message == 'whose?':\n"
                "            self.send(sender, (this.WHOSE, other.WHOSE, __import__('this').WHOSE))\n"
            ),
            this="WHOSE = 'the zip\\'s'",
            antigravity="from this import WHOSE",
        )
        imports = builtins.__import__
        actor = system.actor_system.createActor("natya_imports.Imports", sourceHash=source_hash)

        assert system.actor_system.ask(actor, "whose?", 5) == ("the zip's",) * 3
        assert builtins.__import__ is imports
        assert importlib.util.find_spec("this").origin.endswith("this.py")
        system.actor_system.unloadActorSource(source_hash)

    def test_hears_that_a_child_which_no_system_can_have_is_gone(self, system):
        class Demanding(Echo):
            @staticmethod
            def actorSystemCapabilityCheck(capabilities, _):  # noqa: N802
                return "gold" in capabilities

        class Parent(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "make":
                    self.asker, self.child = sender, self.createActor(Demanding)
                elif isinstance(message, ChildActorExited):
                    self.send(self.asker, message.childAddress == self.child)

        parent = system.actor_system.createActor(Parent)

        assert system.actor_system.ask(parent, "make", 5) is True

    def test_may_end_the_whole_system(self, system):
        class Ender(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if message == "end":
                    self.actorSystemShutdown()

        ended = system.watch(system.start("counter", Counter).name)

        system.actor_system.tell(system.actor_system.createActor(Ender), "end")

        assert ended.result(5).name == "counter"

    def test_lives_on_when_one_of_another_system_asks_what_it_fails_at(self, system):
        echo = system.actor_system.createActor(Echo)

        echo.deliver("fail", ActorAddress("of another system"))

        assert system.actor_system.ask(echo, "hello", 5) == "hello"

    def test_watches_on_when_another_watches_no_more(self, system):
        class Reader(Actor):
            def receiveMessage(self, message, sender):  # noqa: N802
                if isinstance(message, int):
                    self.asker = sender
                    self.send(sender, "watching")
                    return ThespianWatch([message])
                if isinstance(message, WatchMessage):
                    self.send(self.asker, os.read(message.ready[0], 10))
                elif message == "no more":
                    self.send(sender, "not watching")
                return None

        (read, write), (other_read, other_write) = os.pipe(), os.pipe()
        with open(read), open(write, "w") as end, open(other_read), open(other_write, "w"):  # noqa: PTH123
            one, other = (system.actor_system.createActor(Reader) for _ in range(2))
            assert system.actor_system.ask(one, read, 5) == "watching"
            assert system.actor_system.ask(other, other_read, 5) == "watching"
            assert system.actor_system.ask(other, "no more", 5) == "not watching"

            os.write(end.fileno(), b"here")

            assert system.actor_system.listen(5) == b"here"

    def test_one_time_out_of_ask_shifts_every_answer_and_of_request_none(self, system):
        echo, counter = system.actor_system.createActor(Echo), system.start("counter", Counter)
        gate, other_gate = threading.Event(), threading.Event()

        assert system.actor_system.ask(echo, gate, 0.01) is None
        gate.set()
        shifted = [system.actor_system.ask(echo, question, 5) for question in ("one", "two")]
        with pytest.raises(RequestTimedOut):
            system.request(counter, other_gate, timeout_s=0.01)
        other_gate.set()
        right = [system.request(counter, number) for number in (1, 1)]

        assert shifted == ["late", "one"]
        assert right == [1, 2]


class TestARequestFromAsyncio:
    def test_is_awaited_by_many_at_once(self, system):
        system.start("counter", Counter)

        async def ask_all():
            return await asyncio.gather(*(system.request_async("counter", 1) for _ in range(500)))

        assert asyncio.run(ask_all()) == list(range(1, 501))

    def test_times_out_and_leaves_the_late_answer_to_nobody(self, system):
        system.start("counter", Counter)
        gate = threading.Event()

        async def ask():
            with pytest.raises(RequestTimedOut):
                await system.request_async("counter", gate, timeout_s=0.01)
            gate.set()
            return await system.request_async("counter", 1)

        assert asyncio.run(ask()) == 1
        assert system.base.dead_letters.count == 1

    def test_that_is_cancelled_leaves_the_late_answer_to_nobody(self, system):
        system.start("counter", Counter)
        gate = threading.Event()

        async def ask():
            task = asyncio.create_task(system.request_async("counter", gate))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            gate.set()
            return await system.request_async("counter", 1)

        assert asyncio.run(ask()) == 1
        assert system.base.dead_letters.count == 1


class TestOurActorOnTheSimpleBase:
    @pytest.fixture
    def simple(self):
        system = ActorSystem("simpleSystemBase", logDefs=False, transientUnique=True)
        yield system
        system.shutdown()

    @pytest.fixture
    def counter(self, simple):
        address = simple.createActor(Counter)
        simple.tell(address, Start(name="counter"))
        return address

    def test_answers_restarts_and_goes_on(self, simple, counter):
        assert simple.ask(counter, 2, 1) == 2
        assert isinstance(simple.ask(counter, "no", 1), Failed)
        assert simple.ask(counter, 3, 1) == 3
        assert isinstance(simple.ask(counter, Ping(), 1), Pong)

    def test_has_no_timer_of_a_life_before(self, simple):
        fired = []

        class Timed(Counter):
            @handles(float)
            def later(self, seconds, sender):
                self.after(seconds, (sender, seconds))

            @handles(tuple)
            def answer(self, due, _):
                fired.append(due[1])
                self.send(due[0], "later")

        timed = simple.createActor(Timed)
        simple.tell(timed, 0.001)
        assert isinstance(simple.ask(timed, "no", 1), Failed)

        assert simple.ask(timed, 0.01, 1) == "later"
        assert fired == [0.01]

    def test_has_timers_threads_and_quiet_after_a_fashion(self, simple, counter):
        assert simple.ask(counter, 0.01, 1) == "later"
        assert simple.ask(counter, [1, 2, 3], 1) == 6
        assert simple.ask(counter, b"", 1) == "later"


class TestABaseThatListensOnTheNetwork:
    def test_is_refused_with_the_reason(self):
        class Reference:
            address = "an address"

        Reference.__module__ = "thespian.system.actorManager"
        counter = Counter()
        vars(counter)["_myRef"] = Reference()

        with pytest.raises(UnsupportedBaseError, match="unpickle what anyone sends"):
            ForeignContext(counter)

    @pytest.fixture
    def others(self):
        """Sockets of this process that are no system's: a test before may have left one to its forks of `natya`."""
        return _sockets()

    def test_is_not_what_ours_is(self, others, system):
        system.start("counter", Counter)
        system.request("counter", 1)

        assert _sockets() == others


def _sockets():
    targets = map(_target, Path("/proc/self/fd").iterdir())
    return {target for target in targets if target.startswith("socket:")}


def _target(fd):
    try:
        return str(fd.readlink())
    except (FileNotFoundError, ProcessLookupError):  # the one that listed the directory
        return ""


class TestTheWatchdog:
    def test_names_what_holds_the_loop_with_its_stack(self, caplog):
        with InProcessSystem(InProcessSystemBase(stall_warn_s=0.2)) as system:
            system.start("counter", Counter)
            gate, noticed = threading.Event(), threading.Event()
            answer = system.request_future("counter", gate)
            while system.base.watchdog.last is None:
                noticed.wait(0.005)
            gate.set()
            answer.result(5)

            assert system.base.watchdog.last.actor == "counter"
            assert "event.wait(10)" in system.base.watchdog.last.stack  # the handler
            assert system.base.watchdog.stalls == 1
            assert system.base.watchdog.last.place.endswith(" in wait")
            while system.base.watchdog.held is not None:
                noticed.wait(0.005)
            (line,) = (record for record in caplog.records if record.getMessage() == "loop.stalled")
            assert (line.actor, line.fields["stack"]) == ("counter", system.base.watchdog.last.stack)


class TestTheProcess:
    def test_ends_while_a_handler_never_returns(self):
        script = (
            "import threading\n"
            "from natya.actors.runtime import InProcessSystem, RuntimeActor, handles\n"
            "class Stuck(RuntimeActor):\n"
            "    @handles(str)\n"
            "    def stick(self, message, sender):\n"
            "        threading.Event().wait()\n"
            "system = InProcessSystem()\n"
            "system.start('stuck', Stuck)\n"
            "system.tell('stuck', 'now')\n"
        )

        assert subprocess.run([sys.executable, "-c", script], timeout=20, check=False).returncode == 0

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # 3.12 warns of what this test is about
    def test_that_was_forked_off_takes_nothing_and_says_so(self, system):
        counter = system.start("counter", Counter)
        ways = {
            "tell": lambda: system.tell("counter", 1),
            "tell the address": lambda: system.tell(counter, 1),
            "request": lambda: system.request("counter", 1),
            "request a future": lambda: system.request_future(counter, 1),
            "request from asyncio": lambda: asyncio.run(system.request_async(counter, 1)),
            "ask": lambda: system.actor_system.ask(counter, 1),
            "create": lambda: system.actor_system.createActor(Echo),
            "start": lambda: system.start("another", Counter),
            "stop": lambda: system.stop("counter"),
        }
        refused, refusals = os.pipe()
        pid = os.fork()
        if pid == 0:
            for name, way in ways.items():
                try:
                    way()
                except SystemStoppedError:
                    os.write(refusals, f"{name}\n".encode())
            os.write(refusals, f"watch {system.watch('counter').result(1).name}\n".encode())
            system.shutdown()
            os._exit(7)
        os.close(refusals)

        with os.fdopen(refused) as lines:
            assert lines.read().splitlines() == [*ways, "watch counter"]
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert system.request("counter", 1, timeout_s=5) == 1


def test_a_wake_up_comes_to_a_plain_actor():
    class Sleeper(Actor):
        def receiveMessage(self, message, sender):  # noqa: N802
            if message == "sleep":
                self.asker = sender
                self.wakeupAfter(dt.timedelta(milliseconds=10), payload="up")
            elif hasattr(message, "payload"):
                self.send(self.asker, message.payload)

    with InProcessSystem() as system:
        assert system.actor_system.ask(system.actor_system.createActor(Sleeper), "sleep", 5) == "up"


def test_the_status_of_a_system_has_its_capabilities_its_names_and_its_children():
    sources = SimpleNamespace(authority="authority", hashes=lambda: ["a hash"])
    handler, child, named, asker = Asker(), Asker(), Asker(), Asker()
    services = SimpleNamespace(
        capabilities={"disk": True},
        dead_letters=SimpleNamespace(thespian_handler=handler),
        sources=sources,
        global_names={"one": named},
        primaries=lambda: [child],
    )
    Admin(services).put((Thespian_StatusReq(), asker, None))
    (status,) = asker.told

    assert status.capabilities == {"disk": True}
    assert status.deadLetterHandler is handler
    assert (status.sourceAuthority, status.loadedSources) == ("authority", [("a hash", "")])
    assert [*status.globalActors.items()] == [("one", named)]
    assert status.childActors == [child]


def test_who_validates_sources_is_asked_for_none_when_it_has_ended(tmp_path):
    admin, other, authority = Asker("admin"), Asker("other"), Asker("authority")
    sources, path = Sources(admin, lambda: True), tmp_path / "source.zip"
    path.write_bytes(b"a source")
    sources.authority = authority
    sources.forget(other)
    source_hash = sources.load(path)
    sources.forget(authority)

    assert sources.load(path) == source_hash
    assert [(each.sourceHash, each.sourceData) for each in authority.told] == [(source_hash, b"a source")]


class TestANameForTheWholeSystem:
    """Thespian's `globalName`."""

    def test_is_that_of_one_actor_which_ends_with_the_system(self):
        with InProcessSystem() as system:
            create = system.actor_system.createActor
            first, again, other = (create(Echo, globalName=name) for name in ("one", "one", "other"))

            assert first is again is not other
            assert system.base.global_names == {"one": first, "other": other}
            assert set(system.base.primaries()) == {first, other}
            assert system.actor_system.ask(again, "hello", 5) == "hello"
            system.actor_system.tell(first, ActorExitRequest())
            while "one" in system.base.global_names:
                system.actor_system.ask(other, "still there?", 5)
            assert create(Echo, globalName="one") is not first
        assert system.base.primaries() == ()

    def test_that_another_took_a_moment_before_is_that_ones(self, monkeypatch):
        with InProcessSystem() as system:
            base, new_cell = system.base, system.base._new_cell
            taken = system.actor_system.createActor(Echo)

            def meanwhile(*given):
                base.global_names["one"] = taken
                return new_cell(*given)

            monkeypatch.setattr(base, "_new_cell", meanwhile)

            assert system.actor_system.createActor(Echo, globalName="one") is taken
            assert base.primaries() == (taken,)


def test_an_actor_is_made_where_the_system_has_what_it_and_its_creator_want():
    asked = []

    class Choosy(Echo):
        @staticmethod
        def actorSystemCapabilityCheck(capabilities, requirements):  # noqa: N802
            asked.append((capabilities["disk"], requirements))
            return requirements == {"wanted": "disk"}

    with InProcessSystem(InProcessSystemBase({"disk": True})) as system:
        create = system.actor_system.createActor
        with pytest.raises(NoCompatibleSystemForActor):
            create(Choosy, targetActorRequirements={"wanted": "tape"})
        made = create(Choosy, targetActorRequirements={"wanted": "disk"})

        assert system.actor_system.ask(made, "hello", 5) == "hello"
        assert asked == [(True, {"wanted": "tape"}), (True, {"wanted": "disk"})]


def test_a_system_says_what_it_can_and_what_it_was_told_that_it_can():
    before_ms = time.time_ns() // 1_000_000
    with InProcessSystem(InProcessSystemBase({"disk": True, "Thespian Watch Supported": False})) as system:
        found = system.base.capabilities
        begun_ms = int(found.pop("Thespian Version"))

        assert before_ms <= begun_ms <= time.time_ns() // 1_000_000
        assert found == {
            "Python Version": tuple(sys.version_info),
            "Thespian ActorSystem Name": "natya",
            "Thespian ActorSystem Version": 2,
            "Thespian Generation": ThespianGeneration,
            "Thespian Watch Supported": False,
            "disk": True,
        }


class Where(Actor):
    """Tells on which thread it is, or ends the whole system."""

    def receiveMessage(self, message, sender):  # noqa: N802
        if message == "end":
            self.actorSystemShutdown()
        if message == "where":
            self.send(sender, threading.current_thread().name)


@pytest.mark.parametrize("own_threads", [False, True])
def test_a_plain_actor_is_on_the_loop_or_has_a_thread_where_all_are_to_have_one(own_threads):
    class Blocking(Where):
        blocking = True

    with InProcessSystem(InProcessSystemBase(own_threads=own_threads)) as system:
        actors = [system.actor_system.createActor(kind) for kind in (Where, Where, Blocking)]
        names = [system.actor_system.ask(actor, "where", 5) for actor in actors]

        assert names[2].startswith("natya-/A~")
        if own_threads:
            assert len({*names, "natya-loop"}) == 4
        else:
            assert names[:2] == ["natya-loop"] * 2


def test_an_actor_may_end_the_whole_system_from_its_turn(monkeypatch):
    threads = []
    begin = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda thread: threads.append(thread.name) or begin(thread))
    with InProcessSystem() as system:
        actor = system.actor_system.createActor(Where)
        system.actor_system.tell(actor, "end")
        while not system.base.stopped or system.base.primaries():
            pass

        with pytest.raises(SystemStoppedError):
            system.start("late", RuntimeActor)
    assert "natya-shutdown" in threads


def test_what_is_sent_to_a_child_that_could_not_be_made_is_a_dead_letter():
    undelivered = []
    services = SimpleNamespace(dead_letters=SimpleNamespace(undelivered=lambda *given: undelivered.append(given)))
    child, sender = Stillborn("child", services), Asker()
    child.deliver("hello", sender, 7)

    assert undelivered == [(child, "hello", sender, "it was never started", 7)]
