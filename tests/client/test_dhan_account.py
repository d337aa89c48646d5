"""What the dead man's switch asks of the broker, and what it makes of each answer."""

from types import SimpleNamespace

import pytest
from natya_dhan_rows import a_position

from natya.actors.broker.adapters import BrokerCredentials
from natya.cli.commands.deadman import newest_token
from natya.client.deadman import AccountError
from natya.client.dhan_account import ANSWER_S, DhanAccount
from natya.config.secret_folder import OBTAINED_TOKEN, SecretFolder
from natya.config.secrets import Secret
from natya.domain.dhan.account.portfolio import HoldingRow
from natya.domain.dhan.loss_exit import NOTHING_SET
from natya.domain.dhan.trading.control import PnlExitRow
from natya.domain.dhan.trading.orders import OrderRow


def a_row(number, own="", status="PENDING", **fields):
    fields = {"order_type": "LIMIT", "transaction_type": "BUY", "quantity": 10} | fields
    return OrderRow(
        order_id=number,
        order_status=status,
        security_id="1594",
        exchange_segment="NSE_EQ",
        product_type="INTRADAY",
        correlation_id=own,
        **fields,
    )


ROWS = (a_row("B-1", "a-1"), a_row("B-2", "a-2", "TRADED", filled_qty=10), a_row("B-3"))


class PlayedBroker:
    """Answers what the test says, and notes what is cancelled."""

    def __init__(self, *, data=ROWS, success=True, error=None, is_late=False):
        self.cancelled = []
        self.positions, self.holdings = (), ()
        self._result = SimpleNamespace(data=data, success=success, error=error)
        self._is_late = is_late

        self.used = []

    def get_orders(self):
        return self

    def get_positions(self):
        return self if not self._result.success or self._is_late else PlayedBroker(data=self.positions)

    def get_holdings(self):
        return PlayedBroker(data=self.holdings)

    def authenticate(self, credentials):
        self.used.append(credentials.secret.reveal())
        return self

    def cancel_order(self, order_id):
        self.cancelled.append(order_id)
        return self

    def result(self, timeout_s):
        assert timeout_s == ANSWER_S
        if self._is_late:
            raise TimeoutError
        return self._result


def an_account(broker=None, **given):
    credentials = BrokerCredentials(client_id="1", access_token=Secret("first"))
    return DhanAccount(broker or PlayedBroker(), credentials, **given)


class TakesOnly(PlayedBroker):
    """Answers well with one token."""

    def __init__(self, token, **given):
        super().__init__(**given)
        self._token = token

    def get_orders(self):
        is_good = (self.used or ["first"])[-1] == self._token
        return PlayedBroker(success=is_good, error=None if is_good else "DH-901 token expired")


FAILURES = [
    ({"success": False, "error": "DH-901 token expired"}, "DH-901 token expired"),
    ({"success": False}, "no answer"),
    ({"is_late": True}, f"no answer in {ANSWER_S:g} s"),
]


class TestAnAccount:
    def test_has_the_orders_of_the_day_by_both_their_numbers(self):
        account = an_account()
        found = [
            (each.broker_order_id, each.client_order_id, each.is_open, each.filled, each.leaves)
            for each in account.orders()
        ]

        assert found == [("B-1", "a-1", True, 0, 10), ("B-2", "a-2", False, 10, 0), ("B-3", "", True, 0, 10)]
        assert account.problem() == ""

    @pytest.mark.parametrize(
        ("kind", "status", "rests"),
        [
            ("STOP_LOSS", "PENDING", True),
            ("STOP_LOSS_MARKET", "PART_TRADED", True),
            ("STOP_LOSS", "TRANSIT", False),
            ("STOP_LOSS", "A NEW WORD", False),
            ("STOP_LOSS", "CANCELLED", False),
            ("LIMIT", "PENDING", False),
        ],
    )
    def test_tells_a_stop_that_rests_from_all_of_which_that_is_not_known(self, kind, status, rests):
        row = a_row("B-1", "a-1", status, order_type=kind, transaction_type="SELL")
        (found,) = an_account(PlayedBroker(data=(row,))).orders()

        assert (found.is_resting_stop, found.side, found.position) == (rests, "SELL", ("NSE_EQ:1594", "INTRADAY"))

    def test_has_what_is_held_by_product_and_delivered_shares_with_those_of_the_day(self):
        broker = PlayedBroker()
        broker.positions = [a_position(sold=4), a_position(sold=3, security_id="11536", product_type="CNC")]
        broker.holdings = [HoldingRow(security_id="11536", trading_symbol="TCS", total_qty=5)]
        held = an_account(broker).held()

        assert (held["NSE_EQ:1594", "INTRADAY"], held["NSE_EQ:11536", "CNC"]) == (-4, 2)

    def test_has_an_order_cancelled(self):
        broker = PlayedBroker()
        an_account(broker).cancel("B-1")

        assert broker.cancelled == ["B-1"]

    @pytest.mark.parametrize(("given", "reason"), FAILURES)
    def test_that_does_not_answer_well_is_a_problem_and_no_order_counts_as_cancelled(self, given, reason):
        account = an_account(PlayedBroker(**given))

        assert account.problem() == reason
        for act in (account.orders, account.held, lambda: account.cancel("B-1")):
            with pytest.raises(AccountError) as told:
                act()
            assert str(told.value) == reason

    def test_is_asked_with_the_token_that_is_stored_now_when_its_own_has_ended(self):
        broker = TakesOnly("second")
        account = an_account(broker, newest=lambda: Secret("second"))

        assert [account.problem(), account.problem()] == ["", ""]
        assert broker.used == ["second"]

    @pytest.mark.parametrize(
        ("newest", "used"), [(None, []), (Secret("first"), []), (Secret("older"), ["older", "first"])]
    )
    def test_goes_on_with_its_own_token_where_what_is_stored_is_no_better(self, newest, used):
        broker = TakesOnly("third")
        account = an_account(broker, newest=lambda: newest)

        assert account.problem() == "DH-901 token expired"
        assert broker.used == used


class TestTheTokenOfADeadMansSwitch:
    def test_is_the_one_that_the_system_has_had_since(self, tmp_path):
        assert newest_token(tmp_path) is None
        folder = SecretFolder(tmp_path)
        for key in ("broker.access_token", OBTAINED_TOKEN):
            folder.write(key, Secret(key))

        assert newest_token(tmp_path).reveal() == OBTAINED_TOKEN

    def test_is_none_that_others_can_read(self, tmp_path):
        folder = SecretFolder(tmp_path)
        folder.write(OBTAINED_TOKEN, Secret("open"))
        folder.path_of(OBTAINED_TOKEN).chmod(0o644)

        assert newest_token(tmp_path) is None


class ClosesAtALoss(PlayedBroker):
    """Keeps an exit, as Dhan does."""

    def __init__(self, row=NOTHING_SET, positions=(), *, takes=True):
        super().__init__()
        self.row, self.positions, self.takes, self.posted = row, positions, takes, []

    def get_pnl_exit(self):
        return PlayedBroker(data=self.row)

    def get_positions(self):
        return PlayedBroker(data=self.positions)

    def set_pnl_exit(self, *, profit_rupees, loss_rupees, products):
        self.posted.append(loss_rupees)
        if self.takes:
            self.row = PnlExitRow(
                pnl_exit_status="ACTIVE", profit=profit_rupees, loss=loss_rupees, product_type=products
            )
        return PlayedBroker()


class TestTheLossAtWhichAllIsClosed:
    def test_is_set_and_a_lesser_one_that_is_there_stays(self):
        broker = ClosesAtALoss()
        account = an_account(broker)

        assert [account.set_loss_exit(each) for each in (900.0, 900.0, 1_500.0)] == [900.0] * 3
        assert account.set_loss_exit(800.0) == 800.0
        assert broker.posted == [900.0, 800.0]

    def test_is_not_set_where_it_would_close_all_at_once(self):
        broker = ClosesAtALoss(positions=(a_position(realized_profit=-900.0),))
        with pytest.raises(AccountError, match="at once"):
            an_account(broker).set_loss_exit(900.0)

        assert broker.posted == []

    def test_is_not_said_to_be_set_where_the_broker_does_not_show_it(self):
        with pytest.raises(AccountError, match="an active exit wanted, found INACTIVE"):
            an_account(ClosesAtALoss(takes=False)).set_loss_exit(900.0)
