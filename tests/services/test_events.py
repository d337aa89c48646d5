"""Events by the container of the process, as a user's code has them."""

import queue

import pytest

import natya
from natya import ServiceLocator, get_container
from natya.actors.control import ControlClient
from natya.config.data_directory import DataDirectoryBusyError
from natya.config.loader import load_settings
from natya.events_system import EventsSystem, open_events
from natya.messages.journal import ReadJournal
from natya.services import register_services


class StockCounted(natya.DomainEvent, frozen=True, kw_only=True):
    pieces: int


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    """Nothing of the user's own is opened, and the container of the process is left as it was found."""
    monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path / "data"))
    yield tmp_path / "data"
    get_container().clear()
    register_services(get_container())


class TestEventsOfThisProcess:
    def test_are_in_the_journal_of_the_data_directory_that_the_settings_name(self, data_dir):
        locator = ServiceLocator()
        event = locator.get_event_publisher().publish(StockCounted(aggregate_id="shelf-1", pieces=5)).result()

        page = locator.get("Events").request("journal", ReadJournal(key="shelf-1"), timeout_s=5)

        assert [natya.EventCatalog().read(record.fact).event_id for record in page.records] == [event.event_id]
        assert (data_dir / "natya.lock").exists()
        assert locator.get_event_subscriber() is locator.get_event_subscriber()

    def test_are_durable_over_a_restart(self):
        container = get_container()
        container.resolve("EventPublisher").publish(StockCounted(aggregate_id="shelf-2", pieces=6)).result()
        container.close()

        page = container.resolve("Events").request("journal", ReadJournal(key="shelf-2"), timeout_s=5)

        assert [natya.EventCatalog().read(record.fact).pieces for record in page.records] == [6]

    def test_cannot_be_opened_twice(self):
        with EventsSystem(load_settings()), pytest.raises(DataDirectoryBusyError):
            open_events()

    def test_tell_whose_stop_failed_when_they_are_closed(self, monkeypatch):
        def on_stop(_actor):
            raise ValueError("too late")

        monkeypatch.setattr("natya.actors.events.actor.EventsActor.on_stop", on_stop)
        events = open_events()
        events.close()

        (told,) = events.stop_failures
        assert told.startswith("events failed when it stopped: ValueError: too late at ")


class TestEventsOfARunningSystem:
    def test_are_published_through_its_control_socket(self, data_dir):
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(data_dir)})
        with natya.TradingSystem(settings) as system:
            over = get_container().resolve("Events")
            get_container().resolve("EventPublisher").publish(StockCounted(aggregate_id="shelf-3", pieces=7)).result()
            page = system.request("journal", ReadJournal(key="shelf-3"), timeout_s=5)

        assert isinstance(over, ControlClient)
        assert [natya.EventCatalog().read(record.fact).pieces for record in page.records] == [7]

    def test_are_not_listened_to_through_a_socket_and_it_is_said_how_they_are(self, data_dir):
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(data_dir)})
        with (
            natya.TradingSystem(settings),
            pytest.raises(RuntimeError, match=r"register_instance\(\"Events\", system\)"),
        ):
            get_container().resolve("EventSubscriber")

    def test_of_this_process_need_no_socket(self, data_dir):
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(data_dir)})
        heard = queue.SimpleQueue()
        with natya.TradingSystem(settings) as system:
            get_container().register_instance("Events", system)
            with get_container().resolve("EventSubscriber").of(StockCounted).handle(heard.put):
                publisher = get_container().resolve("EventPublisher")
                event = publisher.publish(StockCounted(aggregate_id="shelf-4", pieces=8)).result()
                found = heard.get(timeout=10)

        assert found.event_id == event.event_id
