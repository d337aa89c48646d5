"""`natya events dlq …`: dead letters of a running system."""

import json
import queue
import threading

import pytest
from natya_processes import WAIT_S
from typer.testing import CliRunner

import natya
from natya.cli.app import app
from natya.config.loader import load_settings
from natya.messages.delivery import DeliveryTerms

QUICK = DeliveryTerms(attempts_max=1)


class Weighed(natya.DomainEvent, frozen=True, kw_only=True):
    grams: int


def run(*arguments):
    return CliRunner().invoke(app, ["events", "dlq", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def scale(tmp_path_factory):
    """A system with a subscription that handles no weight below 0 while it is strict."""
    directory = tmp_path_factory.mktemp("data") / "natya"
    settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(directory)})
    handled, strict = queue.SimpleQueue(), threading.Event()
    strict.set()

    def handle(event):
        if event.grams < 0 and strict.is_set():
            raise ValueError(f"{event.grams} g")
        handled.put(event.grams)

    with natya.TradingSystem(settings) as system:
        publisher = natya.EventPublisher(system)
        subscriber = natya.EventSubscriber(system.runtime)
        subscriber.of(Weighed).handle_durably("scale", handle, terms=QUICK)
        where = ("--data-dir", directory)

        def weigh(*grams):
            publisher.publish_many(Weighed(aggregate_id="parcel-1", grams=each) for each in (*grams, 0)).result()
            assert handled.get(timeout=WAIT_S) == 0
            return json.loads(run("list", "--json", *where).output)["letters"]

        yield weigh, handled, strict, where


def test_are_listed_shown_edited_requeued_and_dropped(scale):
    weigh, handled, strict, where = scale
    first, second, third = (letter["letter_id"] for letter in weigh(-1, -2, -3))

    listed, page = run("list", *where), run("list", "--after", first, "-n", 1, "--json", *where)
    shown, one = run("show", first, *where), run("list", "-n", 1, *where)
    too_large = run("edit", first, f'{{"grams": {10**30}}}', *where)
    edited = run("edit", first, '{"grams": 10}', *where)
    assert handled.get(timeout=WAIT_S) == 10
    strict.clear()
    requeued, none = run("requeue", second, *where), run("requeue", "none-1", *where)
    assert handled.get(timeout=WAIT_S) == -2
    dropped = [run("drop", third, "--json", *where).output for _ in range(2)]

    assert "ValueError: -1 g" in listed.output
    assert f"1 of 3; those behind them: --after {first}" in one.output
    assert "behind them" not in listed.output
    assert (too_large.exit_code > 0, "fields that an event can have wanted" in too_large.output) == (True, True)
    assert none.output == "0 dead letters requeued; 1 named that is none, or on the way again already\n"
    assert [letter["letter_id"] for letter in json.loads(page.output)["letters"]] == [second]
    assert '{"grams":-1}' in shown.output
    assert "in handle" in shown.output
    assert edited.output == requeued.output == "1 dead letter requeued\n"
    assert dropped == ['{"schema":1,"changed":1}\n', '{"schema":1,"changed":0}\n']
    assert weigh() == []


def test_are_requeued_by_what_they_have_in_common(scale):
    weigh, handled, strict, where = scale
    strict.set()
    weigh(-7, -8)
    strict.clear()
    others = run("requeue", "--error", "KeyError", *where)
    requeued = run("requeue", "--subscription", "scale", "--type", "Weighed", *where)

    assert others.output == "0 dead letters requeued\n"
    assert requeued.output == "2 dead letters requeued\n"
    assert [handled.get(timeout=WAIT_S) for _ in range(2)] == [-7, -8]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("show", "none-1"), "there is no dead letter 'none-1'"),
        (("edit", "none-1", "[1]"), "one JSON object wanted"),
        (("requeue",), "Invalid value: which?"),
        (("requeue", "scale-1", "--all"), "Invalid value: which?"),
        (("purge", "--older-days", "nan"), "a finite number is wanted, found nan"),
        (("purge", "--older-days", "inf"), "a finite number is wanted, found inf"),
    ],
    ids=["unknown", "no fields", "none named", "named and all", "no number", "no end"],
)
def test_that_cannot_be_are_refused_with_the_reason(scale, arguments, reason):
    refused = run(*arguments, *scale[-1])

    assert refused.exit_code > 0
    assert reason in refused.output
