"""Each replay has an account of its own, unless it is told to go on; the totals are the account's."""

from datetime import timedelta

import pytest
from natya_recordings import BEGIN

import natya
from natya.cli.exit_codes import SETTINGS, exit_code
from natya.domain.accounts import AccountUnfinishedError
from natya.messages.accounts import RecordingPlayed
from natya.messages.orders import OrderAccepted, OrderExpired, OrderIntended
from natya.system import SystemGaveUpError

pytestmark = pytest.mark.usefixtures("engines")

HOLDER = {"name": "holder", "strategy": "natya_players:Holder"}


def fields(summary):
    return summary.orders, summary.fills, summary.realized_pnl, summary.unrealized_pnl, summary.positions


def stopped(system):
    """Stop in the middle, as Ctrl-C does."""
    while not system.look().statistics["orders"].fills:
        pass
    return True


def accepted(system):
    """Stop when an order rests."""
    while not system.look().statistics["orders"].open_orders:
        pass
    return True


class TestARecordingWithADuration:
    """By `feed.duration_s`: of a short one all is read by then, or not, as a thread of the machine happens to run."""

    @pytest.mark.parametrize(("duration_s", "is_played"), [(150.0, False), (1e6, True)])
    def test_is_played_where_that_ends_behind_it_alone(self, tmp_path, mornings, plays, duration_s, is_played):
        played = plays(tmp_path / "data", mornings(1), feed__duration_s=duration_s)

        assert [type(each.fact) for each in played.records].count(RecordingPlayed) == is_played


class TestTheSameRecordingTwice:
    @pytest.fixture
    def twice(self, tmp_path, mornings, plays):
        recording = mornings(2)
        return [plays(tmp_path / "data", recording, HOLDER) for _ in range(2)]

    def test_gives_the_same_twice(self, twice):
        first, second = twice

        assert first.summary.positions == {"TCS": 20}
        assert fields(second.summary) == fields(first.summary)
        assert (first.summary.account, second.summary.account) == (1, 2)

    def test_leaves_the_first_where_it_was_and_names_no_order_twice(self, twice, tmp_path):
        _, second = twice
        ids = [record.fact.client_order_id for record in second.records if isinstance(record.fact, OrderIntended)]

        assert len(ids) == len(set(ids)) == 4
        with natya.PositionRepository(str(tmp_path / "data" / "natya.duckdb")) as positions:
            assert [each.quantity for each in positions.find().data] == [20]
            assert [each.quantity for each in positions.find(account=1).data] == [20]
            assert positions.find(account=0).data == ()
        with natya.OrderRepository(str(tmp_path / "data" / "natya.duckdb")) as orders:
            assert sorted(order.account for order in orders.find().data) == [1, 1, 2, 2]


class TestAnOrderThatRestsWhenARunIsStopped:
    def test_rests_again_in_the_next_one_until_its_day_is_over(self, tmp_path, mornings, plays):
        rester = {"name": "rester", "strategy": "natya_players:Rester"}
        first = plays(tmp_path / "data", mornings(1), rester, orders__account="session", meanwhile=accepted)
        patient = rester | {"parameters": {"offered": True}}
        second = plays(tmp_path / "data", mornings(2), patient, orders__account="session")

        assert not first.fills
        assert [type(record.fact) for record in first.records].count(OrderAccepted) == 1
        assert not second.fills, "the next day opens beyond its limit"
        (ended,) = [record.fact for record in second.records if isinstance(record.fact, OrderExpired)]
        midnight = BEGIN.replace(hour=0, minute=0) + timedelta(days=1)
        assert (ended.reason, ended.occurred_ns) == ("its day is over", round(midnight.timestamp()) * 1_000_000_000)


class TestAReplayThatGoesOn:
    def test_begins_with_what_the_one_before_held(self, tmp_path, mornings, plays):
        recording = mornings(2)
        plays(tmp_path / "data", recording, HOLDER)

        second = plays(tmp_path / "data", recording, HOLDER, orders__account="newest")

        assert (second.summary.account, second.summary.positions) == (1, {"TCS": 40})

    def test_is_refused_where_the_one_before_was_stopped(self, tmp_path, mornings, plays):
        recording = mornings(4)
        plays(tmp_path / "data", recording, HOLDER, meanwhile=stopped, feed__speed=2_000.0)

        with pytest.raises(SystemGaveUpError) as refused:
            plays(tmp_path / "data", recording, HOLDER, orders__account="newest")

        assert isinstance(refused.value.__cause__, AccountUnfinishedError)
        assert exit_code(refused.value) == SETTINGS

    def test_that_was_stopped_can_be_played_again(self, tmp_path, mornings, plays):
        recording = mornings(2)
        plays(tmp_path / "data", recording, HOLDER, meanwhile=stopped, feed__speed=2_000.0)

        again = plays(tmp_path / "data", recording, HOLDER)

        assert fields(again.summary) == fields(plays(tmp_path / "other", recording, HOLDER).summary)
