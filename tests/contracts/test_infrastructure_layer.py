"""Every block of the document of the infrastructure layer runs, against the paper exchange; none is left out.

Names that the document uses and does not say where they come from are given: two dates, and `OrderRequest`.
"""

import datetime as dt
import queue

import pytest
from natya_document import BLOCK, DOCUMENT, blocks
from natya_snippets import run
from natya_starts import run_python
from natya_wire import Served

import natya
from natya import ServiceLocator, WriteNotSent, get_container, load_settings
from natya.services import register_services

USAGE = ("Repository Usage", "External Service Usage", "Event Publishing", "Dependency Injection")
CONFIGURATION = ("Database Configuration", "External Service Configuration", "Messaging Configuration")
TESTING = ("Unit Testing Infrastructure", "Integration Testing", "Mocking External Services")
PLUGIN = '''
"""Coroutines that are marked are run, as pytest-asyncio runs them; nothing else of it is wanted here."""

import asyncio
import inspect

import pytest

pytestmark = pytest.mark.systems


def pytest_configure(config):
    config.addinivalue_line("markers", "asyncio: run by an event loop")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if pyfuncitem.get_closest_marker("asyncio"):
        asyncio.run(pyfuncitem.obj())
        return True
    return None
'''
USES = """
import asyncio

def test_the_container_is_empty_and_works(container):
    assert len(list(container.describe())) == 0
    container.register_instance("answer", 42)
    assert container.resolve("answer") == 42


def test_the_fixture_lets_everybody_in(mock_broker):
    assert asyncio.run(mock_broker.authenticate()) is True
"""


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path / "exchange")
    yield served
    served.stop()


def test_every_block_is_played():
    assert sorted(blocks()) == sorted((*USAGE, *CONFIGURATION, *TESTING))
    assert len(BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))) == len(blocks())


class TestTheUsageExamples:
    @pytest.fixture(autouse=True)
    def environment(self, tmp_path, monkeypatch, served):
        """The database is there, and the API is the paper exchange's; the container is left as it was found."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("BROKER_BASE_URL", served.rest)
        monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path / "data"))
        (tmp_path / "path" / "to").mkdir(parents=True)
        natya.MarketDataRepositoryImpl("path/to/database.db", create=True).close()
        yield
        get_container().clear()
        register_services(get_container())

    def test_run_in_order_as_one_program(self):
        names = {
            "start_date": dt.date(2026, 1, 1),
            "end_date": dt.date(2026, 1, 31),
            "OrderRequest": natya.OrderRequest,
        }
        code, heard = blocks(), queue.SimpleQueue()

        run(code["Repository Usage"], DOCUMENT, names)
        run(code["External Service Usage"], DOCUMENT, names)
        with get_container().resolve("EventSubscriber").of(natya.MarketDataReceived).handle(heard.put):
            run(code["Event Publishing"], DOCUMENT, names)
            event = heard.get(timeout=20)
        run(code["Dependency Injection"], DOCUMENT, names)

        assert (names["result"].success, names["result"].data, names["result"].error) == (True, (), None)
        assert names["authenticated"] is False, "the document's account is nobody's"
        assert isinstance(names["response"], WriteNotSent), "and the exchange lists no AAPL"
        assert (names["response"].success, names["response"].status_code) == (False, None)
        assert (event.symbol, event.price, event.volume) == ("AAPL", 150.25, 1000000)
        assert names["repo"] is ServiceLocator().get_market_data_repository()
        assert names["process_market_data"]() is None


class TestTheConfiguration:
    @pytest.mark.parametrize("heading", CONFIGURATION)
    def test_names_variables_that_are_settings(self, heading):
        names = {}
        run(blocks()[heading], DOCUMENT, names)
        given = {name: str(value) for name, value in names.items() if name.isupper()}
        settings = load_settings("paper", environment=given)
        found = {
            "DATABASE_PATH": settings.database.path,
            "DATABASE_MAX_CONNECTIONS": settings.database.max_connections,
            "BROKER_CLIENT_ID": settings.broker.client_id,
            "BROKER_ACCESS_TOKEN": settings.broker.access_token.reveal(),
            "BROKER_BASE_URL": settings.broker.base_url,
            "REDIS_HOST": settings.redis.host,
            "REDIS_PORT": settings.redis.port,
            "REDIS_DB": settings.redis.db,
        }

        assert given
        assert {name: str(found[name]) for name in given} == given


class TestTheTestingExamples:
    def test_pass_when_pytest_runs_them(self, tmp_path):
        code = blocks()
        (tmp_path / "conftest.py").write_text(PLUGIN, encoding="utf-8")
        given = "from natya import MarketDataRepositoryImpl\n"
        (tmp_path / "test_of_the_document.py").write_text(
            given + "\n\n".join(code[heading] for heading in TESTING) + USES, encoding="utf-8"
        )

        options = ["-q", "-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider", "."]
        done = run_python(f"import pytest; raise SystemExit(pytest.main({options}))", cwd=tmp_path)

        assert done.returncode == 0, done.stdout + done.stderr
        assert "3 passed" in done.stdout
