"""`natya events tail`, `stats`, `subscriptions`, `replay` and `dlq purge`."""

import json
import queue
from types import SimpleNamespace

import pytest
import typer
from natya_processes import WAIT_S
from typer.testing import CliRunner

import natya
from natya.actors.control import AskRefusedError
from natya.cli.app import app
from natya.cli.commands.events.tail import _read
from natya.cli.events import ask_delivery
from natya.cli.exit_codes import FAILED
from natya.config.loader import load_settings
from natya.messages.delivery import DeliveryTerms
from natya.messages.journal import JournalPage
from natya.messages.market import FeedStatistics
from natya.messages.supervision import Unavailable
from natya.messages.system import Pong


class Packed(natya.DomainEvent, frozen=True, kw_only=True):
    grams: int


def run(*arguments):
    return CliRunner().invoke(app, ["events", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def scale(tmp_path_factory):
    """A system that has packed 1, 2 and 3 g, of which a subscription does not take 2."""
    directory = tmp_path_factory.mktemp("data") / "natya"
    settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(directory)})
    handled = queue.SimpleQueue()

    def handle(event):
        if event.grams == 2:
            raise ValueError("2 g")
        handled.put(event.grams)

    with natya.TradingSystem(settings) as system:
        subscriber = natya.EventSubscriber(system.runtime)
        subscriber.of(Packed).handle_durably("scale", handle, terms=DeliveryTerms(attempts_max=1))
        publisher = natya.EventPublisher(system)
        publisher.publish_many(Packed(aggregate_id="parcel", grams=each) for each in (1, 2, 3)).result()
        assert [handled.get(timeout=WAIT_S) for _ in range(2)] == [1, 3]
        yield ("--data-dir", directory), handled


def rows(ran):
    return [json.loads(line) for line in ran.output.splitlines()]


class TestNatyaEvents:
    def test_tail_shows_the_newest_that_fit(self, scale):
        where, _ = scale

        newest = rows(run("tail", "-n", 2, "--json", *where))
        none = run("tail", "--key", "another", *where)
        one = run("tail", "-n", 1, *where)
        facts = rows(run("tail", "--facts", "--topic", "facts.RiskStateChanged.*", "--json", *where))

        assert [each["fields"] for each in newest] == [{"grams": 2}, {"grams": 3}]
        assert {each["event_type"] for each in newest} == {"Packed"}
        assert none.output == "no events\n"
        assert one.output.endswith("Packed parcel grams=3\n")
        assert {each["event_type"] for each in facts} <= {"RiskStateChanged"}

    def test_refuses_a_pattern_that_is_none(self, scale):
        refused = run("tail", "--topic", "a..b", *scale[0])

        assert refused.exit_code == 2
        assert "--topic" in refused.output

    def test_lists_the_subscriptions_and_the_counts(self, scale):
        where, _ = scale

        listed, counted = run("subscriptions", *where), run("stats", *where)
        (found,) = json.loads(run("subscriptions", "--json", *where).output)["subscriptions"]

        assert "durable-scale" in listed.output
        assert (found["subscription"], found["dead_letters"]) == ("scale", 1)
        assert "dead letters  1, the oldest of" in counted.output
        assert json.loads(run("stats", "--json", *where).output)["published"] == 3

    def test_replays_to_one_subscription_and_tells_what_failed(self, scale):
        where, handled = scale

        whole = run("replay", "scale", *where)
        fine = run("replay", "scale", "--type", "Packed", "--after", 0, "--key", "nobody", "--json", *where)
        refused = run("replay", "scales", *where)

        assert whole.exit_code == 1
        assert "2 events handled, 1 failed: ValueError: 2 g" in whole.output
        assert [handled.get(timeout=WAIT_S) for _ in range(2)] == [1, 3]
        assert (fine.exit_code, json.loads(fine.output)["handled"]) == (0, 0)
        assert (refused.exit_code, "there are: scale" in refused.output) == (1, True)

    def test_purges_the_dead_letters_that_fit(self, scale):
        where, _ = scale

        unsaid = run("dlq", "purge", *where)
        young = run("dlq", "purge", "--older-days", 1, "--json", *where)
        fitting = run("dlq", "purge", "--subscription", "scale", "--json", *where)

        assert "Invalid value: which?" in unsaid.output
        assert (young.output, fitting.output) == ('{"schema":1,"changed":0}\n', '{"schema":1,"changed":1}\n')


def test_of_what_delivery_does_not_count_nothing_is_shown(capsys):
    feed = FeedStatistics(ticks=1, candles=0, bad_rows=0, source="s", ended=False, last_prices={})
    for answer in (
        Pong(actor="delivery", statistics=feed),
        Unavailable(actor="delivery", reason="it is down", retry_after_s=1.0),
    ):
        with pytest.raises(typer.Exit) as ended:
            ask_delivery(SimpleNamespace(request=lambda *_, answer=answer: answer))

        assert ended.value.exit_code == FAILED
        assert "delivery did not say what it counts" in capsys.readouterr().err


def test_what_comes_is_read_in_as_large_parts_as_an_answer_may_be():
    class Played:
        """Answers with three records at most."""

        def __init__(self):
            self.asked = []

        def request(self, _actor, wanted):
            self.asked.append(wanted.records_max)
            if wanted.records_max > 3:
                raise AskRefusedError("too_large", "an answer has up to 16 MiB")
            return JournalPage(records=("record",) * wanted.records_max, last_sequence=9)

    played = Played()

    assert _read(played, 7, ()) == ("record",) * 3
    assert played.asked == [1000, 500, 250, 125, 62, 31, 15, 7, 3]
