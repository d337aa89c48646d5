"""Who hears what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.events import EventsSettings
from natya.actors.events.routes import ROUTES_CACHED_MAX, RouteTable
from natya.messages.events import Subscribe


def a_subscription(subscriber="strategy", topics=("Tick",), symbols=()):
    return Subscribe(subscriber=subscriber, topics=tuple(topics), symbols=tuple(symbols))


class TestATableOfSubscriptions:
    def test_names_who_asked_for_the_topic_in_the_order_they_asked(self):
        table = RouteTable([a_subscription("exchange"), a_subscription("database"), a_subscription("crossover")])

        assert table.names("Tick", "INFY") == ("exchange", "database", "crossover")

    def test_leaves_out_who_asked_for_other_symbols(self):
        table = RouteTable([a_subscription("all"), a_subscription("some", symbols=["TCS"])])

        assert table.names("Tick", "INFY") == ("all",)
        assert table.names("Tick", "TCS") == ("all", "some")

    def test_delivers_a_fact_without_a_symbol_to_all_who_asked_for_its_type(self):
        table = RouteTable([a_subscription("some", topics=["OrderAccepted"], symbols=["TCS"])])

        assert table.names("OrderAccepted") == ("some",)

    def test_knows_since_when_candles_are_wanted_also_of_who_asks_for_the_same_again(self):
        minutes, more = (
            Subscribe(subscriber="a", topics=("Candle",), symbols=(), intervals_ns=intervals)
            for intervals in ((60,), (60, 180))
        )
        assert RouteTable([minutes]).intervals("INFY") == {60: 0}  # from the start on: since ever
        table = RouteTable([])
        table.add(minutes, since_ns=5)
        table.add(minutes, since_ns=9)
        assert table.intervals("INFY") == {60: 5}
        table.add(more, since_ns=12)
        assert table.intervals("INFY") == {60: 12, 180: 12}

        table.remove("a")
        table.add(minutes, since_ns=20)
        assert table.intervals("INFY") == {60: 20}

    def test_has_no_candles_made_for_who_hears_none(self):
        ticks = Subscribe(subscriber="a", topics=("Tick",), intervals_ns=(60,))

        assert RouteTable([ticks]).intervals("INFY") == {}

    def test_forgets_who_unsubscribed(self):
        table = RouteTable([a_subscription("a"), a_subscription("b")])
        assert table.names("Tick", "INFY") == ("a", "b")

        table.remove("a")

        assert table.names("Tick", "INFY") == ("b",)

    def test_keeps_the_place_of_a_subscriber_that_subscribes_again(self):
        table = RouteTable([a_subscription("a"), a_subscription("b")])

        table.add(a_subscription("a", symbols=["TCS"]))

        assert table.names("Tick", "TCS") == ("a", "b")
        assert table.names("Tick", "INFY") == ("b",)

    def test_remembers_a_bounded_number_of_routes(self):
        table = RouteTable([a_subscription("a")])

        for number in range(ROUTES_CACHED_MAX + 10):
            table.names("Tick", str(number))

        assert len(table._routes) <= ROUTES_CACHED_MAX


names = st.sampled_from(["a", "b", "c"])
topics = st.sampled_from(["Tick", "Candle", "OrderFilled"])
symbols = st.sampled_from(["INFY", "TCS"])
changes = st.one_of(
    st.builds(Subscribe, subscriber=names, topics=st.tuples(topics), symbols=st.lists(symbols, max_size=2).map(tuple)),
    names,
)


@given(history=st.lists(changes, max_size=20), topic=topics, symbol=symbols)
def test_a_route_is_what_a_plain_search_finds_whatever_came_before(history, topic, symbol):
    table = RouteTable()
    plain = {}
    for change in history:
        table.names(topic, symbol)
        if isinstance(change, str):
            table.remove(change)
            plain.pop(change, None)
        else:
            table.add(change)
            plain[change.subscriber] = change

    wanted = tuple(
        name
        for name, subscription in plain.items()
        if topic in subscription.topics and (not subscription.symbols or symbol in subscription.symbols)
    )
    assert table.names(topic, symbol) == wanted


def test_a_second_subscription_of_one_subscriber_from_the_start_is_refused():
    """It would take the place of the first, which nobody would miss before it is needed."""
    ticks, facts = (Subscribe(subscriber="orders", topics=(topic,)) for topic in ("Tick", "OperationAsked"))

    with pytest.raises(ValueError, match="one subscription of each subscriber wanted, found several of orders"):
        EventsSettings(subscriptions=(ticks, Subscribe(subscriber="other", topics=("Tick",)), facts))
