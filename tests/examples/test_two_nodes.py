"""The play on two machines: each of them, and the server between them, is killed in turn."""

import importlib.util
from pathlib import Path

import pytest

from natya.messages.nodes import StrategyAdmitted
from natya.messages.orders import OrderFilled, OrderIntended

pytestmark = pytest.mark.usefixtures("forked_starts")

PATH = Path(__file__).parents[2] / "examples" / "two_nodes" / "run.py"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("two_nodes", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(400)
def test_whoever_is_killed_nothing_is_lost_or_doubled_and_the_strategy_is_on_one_machine_at_any_time(
    example, tmp_path, capsys
):
    code = example.main(tmp_path)

    told = capsys.readouterr().out
    play = example.Play(tmp_path)
    trades = [fact.client_order_id for fact in play.facts(OrderFilled)]
    intended = [fact.client_order_id for fact in play.facts(OrderIntended)]
    admitted = play.facts(StrategyAdmitted)
    assert code == 0, told
    assert told.splitlines()[-1].endswith("none lost, none doubled, on one machine at any time")
    assert len(trades) >= 4 * example.TRADES_BETWEEN
    assert len(set(trades)) == len(trades)
    assert len(set(intended)) == len(intended)
    assert set(trades) <= set(intended)
    assert len(admitted) >= 2
    assert {fact.holder.rpartition("-")[0] for fact in admitted} == {"pune", "nagpur"}
    assert set(play.ticks()) == {"pune", "nagpur"}
