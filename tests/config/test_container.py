"""The container: what is registered is made once, by whichever thread asks, and closed at the end."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.config.container import DependencyContainer, DependencyCycleError, NoScopeError, NotRegisteredError


class Thing:
    def __init__(self, log=None):
        self._log = log

    def close(self):
        if self._log is not None:
            self._log.append(self)


@pytest.fixture
def container():
    container = DependencyContainer()
    yield container
    container.clear()


class TestWhatAFactoryMakes:
    def test_is_made_when_it_is_first_asked_for_and_kept(self, container):
        made = []
        container.register_factory("Thing", lambda: made.append(1) or Thing())

        assert made == []
        assert container.resolve("Thing") is container.resolve("Thing")
        assert made == [1]

    def test_leaves_no_trace_of_the_thread_that_made_it(self, container):
        container.register_factory("Thing", Thing)
        container.register_factory("Failing", lambda: 1 / 0)
        container.resolve("Thing")
        with pytest.raises(ZeroDivisionError):
            container.resolve("Failing")

        assert container._making == {}

    def test_is_made_anew_each_time_where_it_is_not_shared(self, container):
        container.register_factory(Thing, Thing, shared=False)

        assert container.resolve(Thing) is not container.resolve(Thing)

    def test_may_need_what_the_container_has(self, container):
        container.register_instance("name", "TCS")
        container.register_factory("greeting", lambda container: f"hello {container.resolve('name')}")

        assert container.resolve("greeting") == "hello TCS"

    def test_is_made_once_however_many_threads_ask_at_once(self, container):
        ready = threading.Barrier(8)
        made, found = [], []

        def make():
            made.append(Thing())
            return made[-1]

        def ask():
            ready.wait()
            found.append(container.resolve("Thing"))

        container.register_factory("Thing", make)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(made) == 1
        assert found == made * 8

    def test_is_tried_again_after_a_failure(self, container):
        outcomes = [OSError("no disk"), Thing()]

        def make():
            outcome = outcomes.pop(0)
            if isinstance(outcome, OSError):
                raise outcome
            return outcome

        container.register_factory("Thing", make)
        with pytest.raises(OSError, match="no disk"):
            container.resolve("Thing")

        assert isinstance(container.resolve("Thing"), Thing)
        assert container.statistics().failures == 1

    def test_counts_as_registered_last(self, container):
        container.register_factory("Thing", lambda: "first")
        container.register_factory("Thing", lambda: "second")

        assert container.resolve("Thing") == "second"

    def test_can_be_a_class_or_a_function_without_a_signature(self, container):
        container.register_factory("Thing", Thing)
        container.register_factory("list", dict)

        assert isinstance(container.resolve("Thing"), Thing)
        assert container.resolve("list") == {}

    @pytest.mark.parametrize(
        ("factory", "given"),
        [
            (lambda container: (container,), 1),
            (lambda container, /: (container,), 1),
            (lambda given=(): given, 0),
            (lambda *parts: parts, 0),
            (lambda **parts: tuple(parts), 0),
        ],
        ids=["one", "one by its place", "one that it has", "any", "any by name"],
    )
    def test_is_given_the_container_where_it_cannot_do_without(self, container, factory, given):
        container.register_factory("Thing", factory)

        assert container.resolve("Thing") == (container,) * given


class TestWhatIsNotRegistered:
    def test_is_refused_and_told_what_is(self, container):
        container.register_instance("Orders", 1)
        container.register_instance(Thing, 1)

        with pytest.raises(NotRegisteredError, match="Broker is not registered; there is Orders, Thing"):
            container.resolve("Broker")
        assert "Broker" not in container
        assert "Orders" in container


class TestAWayThatComesBackToItsBeginning:
    @pytest.mark.parametrize("shared", [True, False])
    def test_is_shown(self, container, shared):
        container.register_factory("a", lambda container: container.resolve("b"), shared=shared)
        container.register_factory("b", lambda container: container.resolve("c"), shared=shared)
        container.register_factory("c", lambda container: container.resolve("a"), shared=shared)

        with pytest.raises(DependencyCycleError, match="a is wanted while it is made: a -> b -> c -> a"):
            container.resolve("a")

    def test_is_found_between_two_threads_that_would_wait_for_each_other_for_ever(self, container):
        both = threading.Barrier(2)
        met, failures = set(), []

        def needing(own, other):
            def make(container):
                if own not in met:  # the one that is told first leaves its own to the other, who tries it
                    met.add(own)
                    both.wait(10)
                return container.resolve(other)

            return make

        def ask(name):
            try:
                container.resolve(name)
            except DependencyCycleError as failure:
                failures.append(failure)

        container.register_factory("a", needing("a", "b"))
        container.register_factory("b", needing("b", "a"))
        threads = [threading.Thread(target=ask, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert not any(thread.is_alive() for thread in threads)
        assert len(failures) == 2

    @given(needs=st.lists(st.sets(st.integers(0, 5), max_size=3), min_size=6, max_size=6))
    def test_is_found_wherever_there_is_one_and_nowhere_else(self, needs):
        def reaches(start, wanted, seen):
            return any(
                each == wanted or (each not in seen and reaches(each, wanted, seen | {each})) for each in needs[start]
            )

        with DependencyContainer() as container:
            for number, others in enumerate(needs):
                container.register_factory(
                    str(number), lambda container, others=others: [container.resolve(str(each)) for each in others]
                )
            for number in range(6):
                reachable = [each for each in range(6) if each == number or reaches(number, each, set())]
                if any(reaches(each, each, set()) for each in reachable):
                    with pytest.raises(DependencyCycleError):
                        container.resolve(str(number))
                else:
                    container.resolve(str(number))


class TestAnOverride:
    def test_holds_inside_its_block(self, container):
        container.register_factory("Thing", lambda: "real")

        with container.override("Thing", "fake"):
            assert container.resolve("Thing") == "fake"
            with container.override("Thing", "another"):
                assert container.resolve("Thing") == "another"
            assert container.registrations()[0].overridden
        assert container.resolve("Thing") == "real"

    def test_is_enough_for_a_key_to_be_there_inside_its_block(self, container):
        with container.override("Thing", "fake"):
            inside = "Thing" in container

        assert (inside, "Thing" in container) == (True, False)

    def test_holds_for_what_is_made_inside_of_it(self, container):
        container.register_factory("Thing", lambda: "real")
        container.register_factory("Holder", lambda container: [container.resolve("Thing")], shared=False)

        with container.override("Thing", "fake"):
            assert container.resolve("Holder") == ["fake"]
        assert container.resolve("Holder") == ["real"]

    def test_ends_with_its_own_fake_whichever_block_ends_first(self, container):
        container.register_instance("Thing", "real")
        first, second = container.override("Thing", "1"), container.override("Thing", "2")
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)

        assert container.resolve("Thing") == "2"
        second.__exit__(None, None, None)
        assert container.resolve("Thing") == "real"

    def test_of_the_same_fake_twice_ends_with_the_newer_block(self, container):
        container.register_instance("name", "real")
        with container.override("name", "fake"), container.override("name", "other"):
            with container.override("name", "fake"):
                assert container.resolve("name") == "fake"
            assert container.resolve("name") == "other"


class TestTheEnd:
    def test_closes_what_was_made_the_newest_first(self, container):
        log = []
        container.register_factory("a", lambda: Thing(log))
        container.register_factory("b", lambda: Thing(log))
        container.register_instance("c", Thing(log))
        container.register_factory("d", lambda: log.append("d"), closing=lambda _made: log.append("closed"))
        made = [container.resolve(name) for name in "bacd"]
        container.close()

        assert log == ["d", "closed", made[1], made[0]]
        assert container.resolve("a") is not made[1]
        assert container.resolve("c") is made[2]  # it was given, not made

    def test_closes_the_others_where_one_cannot_be_closed(self, container):
        log = []
        container.register_factory("a", lambda: Thing(log))
        container.register_factory("b", Thing, closing=lambda _made: 1 / 0)
        container.resolve("a")
        container.resolve("b")

        with pytest.raises(ZeroDivisionError):
            container.clear()
        assert len(log) == 1
        assert "a" not in container

    def test_of_a_clear_leaves_nothing_registered(self, container):
        container.register_instance("a", 1)
        container.clear()

        assert container.registrations() == ()
        with pytest.raises(NotRegisteredError, match="there is nothing"):
            container.resolve("a")


class TestInspection:
    def test_tells_what_is_registered_and_what_became_of_it(self, container):
        container.register_instance("config", {})
        container.register_factory(Thing, Thing)
        container.register_factory("each", Thing, shared=False)
        container.register_factory("unmade", Thing)
        container.resolve(Thing)
        container.resolve("each")
        container.resolve("each")
        told = {one.name: (one.kind, one.made, one.resolutions) for one in container.registrations()}

        assert told == {
            "Thing": ("shared", True, 1),
            "config": ("instance", True, 0),
            "each": ("transient", False, 2),
            "unmade": ("shared", False, 0),
        }
        assert {one.name for one in container.registrations() if one.making_s > 0} == {"Thing", "each"}
        statistics = container.statistics()
        assert (statistics.registered, statistics.made, statistics.resolutions, statistics.failures) == (4, 1, 3, 0)

    def test_tells_how_often_each_was_resolved_in_scopes(self, container):
        container.register_factory("of the scope", Thing, scoped=True)
        container.register_factory("each", Thing, shared=False)
        container.register_factory("shared", Thing)
        container.register_instance("given", Thing())
        for _ in range(2):
            with container.scope() as scope:
                for key in ("of the scope", "each", "each", "shared", "given"):
                    scope.resolve(key)

        told = {one.name: one.resolutions for one in container.registrations()}
        assert told == {"each": 4, "of the scope": 2, "shared": 2, "given": 2}
        assert container.statistics().resolutions == 10


class TestAScope:
    def test_makes_a_scoped_instance_once_and_closes_it_at_its_end(self, container):
        closed = []
        container.register_factory("Session", object, scoped=True, closing=closed.append)
        with container.scope() as one, container.scope() as other:
            session = one.resolve("Session")

            assert one.resolve("Session") is session
            assert other.resolve("Session") is not session
            assert closed == []
        assert session in closed
        assert len(closed) == 2

    def test_gives_nothing_that_it_has_closed(self, container):
        closed = []
        container.register_factory("Session", object, scoped=True, closing=closed.append)
        with container.scope() as scope:
            before = scope.resolve("Session")

        assert closed == [before]
        assert scope.resolve("Session") is not before

    def test_closes_the_newest_first(self, container):
        closed = []
        container.register_factory("A", lambda: "a", scoped=True, closing=closed.append)
        container.register_factory("B", lambda scope: scope.resolve("A") + "b", scoped=True, closing=closed.append)
        with container.scope() as scope:
            assert scope.resolve("B") == "ab"
        assert closed == ["ab", "a"]

    def test_shares_what_is_shared(self, container):
        container.register_factory("Store", object)
        container.register_factory("Work", lambda scope: (scope.resolve("Store"), object()), shared=False)
        with container.scope() as scope:
            assert scope.resolve("Store") is container.resolve("Store")
            assert scope.resolve("Work") != scope.resolve("Work")
            assert scope.resolve("Work")[0] is container.resolve("Store")

    def test_is_wanted_by_what_is_scoped(self, container):
        container.register_factory("Session", object, scoped=True)
        container.register_factory("Store", lambda whole: whole.resolve("Session"))

        with pytest.raises(NoScopeError, match="Session"):
            container.resolve("Session")
        with container.scope() as scope, pytest.raises(NoScopeError, match="Session"):
            scope.resolve("Store")  # it would outlive the session

    def test_shows_a_way_that_comes_back_to_its_beginning(self, container):
        container.register_factory("A", lambda scope: scope.resolve("B"), scoped=True)
        container.register_factory("B", lambda scope: scope.resolve("A"), scoped=True)

        with container.scope() as scope, pytest.raises(DependencyCycleError, match="A -> B -> A"):
            scope.resolve("A")

    def test_takes_a_fake_in_its_place(self, container):
        container.register_factory("Session", object, scoped=True)
        with container.override("Session", "fake"), container.scope() as scope:
            assert scope.resolve("Session") == "fake"
        older, newer = (container.override("Session", fake) for fake in ("older", "newer"))
        with older, newer, container.scope() as scope:
            assert scope.resolve("Session") == "newer"

    def test_takes_a_fake_of_what_is_not_registered(self, container):
        with container.override("Session", "fake"), container.scope() as scope:
            assert scope.resolve("Session") == "fake"
        with container.scope() as scope, pytest.raises(NotRegisteredError):
            scope.resolve("Session")

    def test_tells_how_long_the_making_took(self, container):
        container.register_factory("Session", lambda: time.sleep(0.002), scoped=True)
        with container.scope() as scope:
            scope.resolve("Session")

        (entry,) = container.registrations()
        assert 0.002 <= entry.making_s < 1


class TestHealth:
    def test_is_of_what_is_made_and_has_a_ping(self, container):
        def ping(instance):
            if instance == "ill":
                raise OSError("no answer")

        container.register_factory("Well", lambda: "well", ping=ping)
        container.register_factory("Ill", lambda: "ill", ping=ping)
        container.register_factory("Unmade", lambda: "ill", ping=ping)
        container.register_factory("Silent", lambda: "ill")
        container.resolve("Silent")
        container.resolve("Well")
        container.resolve("Ill")

        assert container.health() == {"Well": "", "Ill": "OSError: no answer"}


class TestADescription:
    def test_has_a_line_for_each_entry(self, container):
        container.register_instance("Settings", {})
        container.register_factory("Store", object)
        container.resolve("Store")

        settings, store = container.describe().splitlines()
        assert settings.startswith("Settings: instance, made")
        assert store.startswith("Store: shared, made, resolved 1, made in ")


def test_a_name_that_is_nearly_right_is_told(container):
    container.register_factory("MarketDataRepository", object)

    with pytest.raises(NotRegisteredError, match=r"did you mean MarketDataRepository\?"):
        container.resolve("MarketDataRepositry")
    with container.scope() as scope, pytest.raises(NotRegisteredError, match="did you mean"):
        scope.resolve("MarketDataRepositry")
