"""The services of the process: the container, the locator and `inject`, as a user's code uses them."""

import asyncio
import datetime as dt
import importlib
import re
import threading

import pytest
from natya_processes import await_that

import natya
from natya import (
    BaseRepository,
    DependencyContainer,
    DuckDBAdapter,
    MarketDataRepositoryImpl,
    RepositoryResult,
    ServiceLocator,
    Tick,
    get_container,
    inject,
)
from natya.actors.database import DatabaseMissing
from natya.config.loader import load_settings
from natya.services import REPOSITORIES, register_services

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture(autouse=True)
def working_directory(tmp_path, monkeypatch):
    """Nothing of the user's own is opened, and the container of the process is left as it was found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_PATH", str(tmp_path / "financial_data.db"))
    monkeypatch.setenv("DATABASE_MAX_CONNECTIONS", "4")
    yield tmp_path
    get_container().clear()
    register_services(get_container())


def a_tick(sequence=1):
    moment = dt.datetime(2026, 1, 2, 9, 15, sequence, tzinfo=dt.UTC)
    return Tick(
        symbol="AAPL",
        price=150.25,
        quantity=10,
        exchange_ns=int(moment.timestamp()) * 10**9,
        source="test",
        sequence=sequence,
    )


class TestTheDocumentedUse:
    def test_registers_a_repository_and_asks_it(self):
        start_date, end_date = dt.date(2026, 1, 1), dt.date(2026, 1, 31)

        async def story():
            # Register repository
            container = get_container()
            container.register_factory(
                "MarketDataRepository", lambda: MarketDataRepositoryImpl("path/to/database.db", create=True)
            )

            # Use repository
            repo = container.resolve("MarketDataRepository")
            empty = await repo.find_by_symbol_and_date_range("AAPL", start_date, end_date)
            saved = await repo.save_ticks([a_tick()])
            found = await repo.find_by_symbol_and_date_range("AAPL", start_date, end_date)
            return empty, saved, found

        empty, saved, found = asyncio.run(story())

        assert empty == RepositoryResult(success=True, data=(), error=None)
        assert saved.data == 1
        assert found.data == (a_tick(),)

    def test_injects_a_locator(self):
        @inject(ServiceLocator)
        def process_market_data(service_locator):
            repo = service_locator.get_market_data_repository()
            repo.save(a_tick()).result()
            return repo.count().data

        assert process_market_data() == 1

    def test_has_a_container_for_each_test(self):
        container = DependencyContainer()
        container.register_factory("repository", lambda: MarketDataRepositoryImpl(":memory:"))
        repository = container.resolve("repository")
        container.clear()

        with pytest.raises(RuntimeError):
            repository.count()

    def test_has_a_repository_in_memory(self):
        async def test_market_data_repository():
            repo = MarketDataRepositoryImpl(":memory:")
            await repo.save_ticks([a_tick(1), a_tick(2)])
            return await repo.latest("AAPL")

        assert asyncio.run(test_market_data_repository()).data == a_tick(2)


class TestTheDatabaseOfTheSettings:
    def test_is_what_the_services_work_on(self, working_directory):
        locator = ServiceLocator()
        locator.get_market_data_repository().save(a_tick()).result()

        assert (working_directory / "financial_data-market.db").exists()
        assert locator.get("Database").statistics().connections == 4

    def test_is_that_of_a_repository_without_a_path_too(self):
        get_container().resolve("MarketDataRepository").save(a_tick()).result()

        with MarketDataRepositoryImpl() as repository:
            assert repository.count().data == 1

    def test_is_given_free_when_the_container_ends(self, working_directory):
        get_container().resolve("OrderRepository").count().result()
        get_container().close()

        with DuckDBAdapter(working_directory / "financial_data.db") as database:
            assert database.query("select count(*) from orders").rows == ((0,),)

    def test_has_every_repository(self):
        for name, repository in REPOSITORIES.items():
            method = "get_" + "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
            found = getattr(ServiceLocator(), method)()

            assert type(found) is repository
            assert isinstance(found, BaseRepository)
            assert found.count().data == 0


class TestAFileThatIsNotThere:
    @pytest.mark.parametrize("repository", REPOSITORIES.values())
    @pytest.mark.parametrize(
        ("path", "found"), [("nope/natya.duckdb", "there is no folder"), ("natya.dukdb", "holds no natya.dukdb")]
    )
    def test_is_refused_and_nothing_is_made(self, working_directory, repository, path, found):
        with pytest.raises(DatabaseMissing, match=f"there is no database .*{path}: .*{found}.*create=True makes one"):
            repository(path)

        assert list(working_directory.iterdir()) == []

    def test_is_made_when_that_is_asked_for(self, working_directory):
        with MarketDataRepositoryImpl("new/natya.duckdb", create=True) as repository:
            repository.save(a_tick()).result()
        with MarketDataRepositoryImpl(working_directory / "new" / "natya.duckdb") as repository:
            assert repository.count().data == 1

    def test_is_no_matter_to_a_link_to_one_that_is(self, working_directory):
        MarketDataRepositoryImpl("new.duckdb", create=True).close()
        (working_directory / "link.duckdb").symlink_to("new.duckdb")
        with MarketDataRepositoryImpl("link.duckdb") as repository:
            assert repository.count().data == 0

    def test_is_opened_where_its_market_data_alone_is_left(self, working_directory):
        with MarketDataRepositoryImpl("new.duckdb", create=True) as repository:
            repository.save(a_tick()).result()
        (working_directory / "new.duckdb").unlink()
        with MarketDataRepositoryImpl("new.duckdb") as repository:
            assert repository.count().data == 1


class TestTheContainerOfTheProcess:
    def test_is_one(self):
        assert get_container() is get_container()
        assert importlib.import_module("natya").get_container() is get_container()

    def test_opens_nothing_by_itself(self, working_directory):
        register_services(get_container())

        assert get_container().statistics().made == 0
        assert list(working_directory.iterdir()) == []


class TestAnInjectedFunction:
    def test_gets_what_is_registered_before_its_own_arguments(self):
        get_container().register_instance("rate", 2)

        @inject("rate", ServiceLocator)
        def convert(rate, locator, amount, *, more=0):
            return rate * amount + more, type(locator)

        assert convert(3, more=1) == (7, ServiceLocator)
        assert convert(3, rate=10) == (30, ServiceLocator)
        assert convert.__name__ == "convert"

    def test_may_be_a_method(self):
        get_container().register_instance(dict, {"a": 1})

        class Reader:
            @inject(dict)
            def read(self, values, key):
                return values[key]

            @classmethod
            @inject(dict)
            def keys(cls, values):
                return list(values)

        assert Reader().read("a") == 1
        assert Reader.keys() == ["a"]

    def test_may_be_awaited(self):
        get_container().register_instance("name", "TCS")

        @inject("name")
        async def greet(name, *, loudly=False):
            await asyncio.sleep(0)
            return name + "!" * loudly

        assert asyncio.run(greet(loudly=True)) == "TCS!"

    def test_gets_what_a_test_puts_in_its_place(self):
        @inject("MarketDataRepository")
        def count(repository):
            return repository.count().data

        with MarketDataRepositoryImpl(":memory:") as fake, get_container().override("MarketDataRepository", fake):
            fake.save(a_tick()).result()

            assert count() == 1
        assert count() == 0

    def test_needs_a_parameter_for_each(self):
        with pytest.raises(TypeError, match="no parameters for all of ServiceLocator, name"):
            inject(ServiceLocator, "name")(lambda locator: locator)


class TestTheHealthOfASystem:
    def test_names_a_service_of_this_process_whose_ping_fails_and_waits_for_none_that_blocks(self, tmp_path):
        goes_on, is_up = threading.Event(), []

        def ping(model):
            if model not in is_up:
                raise ConnectionError("no model is served")

        def state_of_container(system):
            return next(each for each in system.health().components if each.name == "container")

        get_container().register_factory("Model", lambda: "model", ping=ping)
        get_container().resolve("Model")
        given = {"system.data_dir": str(tmp_path / "data"), "control.enabled": True}
        settings = load_settings("paper", environment={}, overrides=given)
        with natya.TradingSystem(settings), natya.connect(data_dir=tmp_path / "data") as system:
            await_that(lambda: state_of_container(system).state == "degraded")
            told = state_of_container(system)
            is_up.append("model")
            await_that(lambda: state_of_container(system).state == "ok")
            get_container().register_factory("Slow", lambda: "slow", ping=lambda _: goes_on.wait(60))
            get_container().resolve("Slow")
            await_that(lambda: state_of_container(system).state == "degraded")
            slow = state_of_container(system)
        goes_on.set()

        assert told.reason == "Model: ConnectionError: no model is served"
        assert re.fullmatch(r"Slow: its ping has not answered for \d+ seconds?", slow.reason)
