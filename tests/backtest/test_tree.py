"""Who acts in a backtest: those of a replay, some in the place of others."""

import pytest

from natya.actors.exchange import ExchangeActorSettings
from natya.actors.journal.actor import JournalActor
from natya.backtest.running.disk import KeptJournalActor
from natya.backtest.running.feed import BacktestFeedActor, BacktestFeedSettings
from natya.backtest.running.past import PastActor, PastSettings
from natya.backtest.running.tree import LEFT_OUT, backtest_children
from natya.config.loader import load_settings


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "not kept"])
def test_the_actors_of_a_backtest_wait_for_no_disk_and_answer_no_one_outside(tmp_path, is_kept):
    settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})
    feed = BacktestFeedSettings(
        feed=settings.feed, since_ns=0, until_ns=1, symbols=frozenset(), is_made_up=False, on_progress=lambda _: None
    )
    acting = {spec.name: spec for spec in backtest_children(settings, feed, is_kept=is_kept)}

    assert (acting["feed"].actor, acting["database"].actor) == (BacktestFeedActor, PastActor)
    assert acting["orders"].settings.checkpoint_facts == 0
    assert acting["orders"].settings.keeps_states is False
    assert acting["feed"].settings is feed
    assert acting["database"].settings == PastSettings(played=feed, bars={})
    assert not acting.keys() & LEFT_OUT
    assert {*LEFT_OUT, "database"} & {each.subscriber for each in acting["events"].settings.subscriptions} == set()
    assert issubclass(acting["journal"].actor, JournalActor)
    assert acting["journal"].actor is not JournalActor
    assert (acting["journal"].actor is KeptJournalActor) is is_kept


@pytest.mark.parametrize(("is_made_up", "has_auctions"), [(False, True), (True, False)])
def test_a_market_that_was_made_up_has_no_auctions(tmp_path, is_made_up, has_auctions):
    settings = load_settings(
        "paper",
        environment={},
        overrides={"system.data_dir": str(tmp_path), "feed.source": "replay", "feed.recording": "a.csv"},
    )
    feed = BacktestFeedSettings(
        feed=settings.feed, since_ns=0, until_ns=1, symbols=frozenset(), is_made_up=is_made_up,
        on_progress=lambda _: None,
    )  # fmt: skip
    (exchange,) = (
        spec.settings
        for spec in backtest_children(settings, feed, is_kept=False)
        if isinstance(spec.settings, ExchangeActorSettings)
    )

    assert exchange.has_auctions is has_auctions
