"""What each endpoint of money and of a trader's controls asks of the account, and what it answers; no server."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from natya_asked_exchange import AT_NS, CLIENT, INFY, WHOSE, Played, ask, asked
from natya_messages import distinct

from natya.actors.exchange.account import Conversion, MarginTicket, MarginTogether, PnlExit
from natya.actors.exchange.account.views import Margin
from natya.actors.exchange.wire.request import Request
from natya.actors.exchange.wire.routes import TOKEN
from natya.domain.time import SECOND_NS
from natya.messages.exchange import SwitchesSet


class TestWhatIsHeld:
    @pytest.mark.parametrize(("way", "is_long"), [("LONG", True), ("SHORT", False)])
    def test_is_converted_from_one_product_to_another(self, way, is_long):
        body = {
            **WHOSE,
            **{name: INFY[name] for name in ("exchangeSegment", "securityId")},
            "fromProductType": "INTRADAY",
            "toProductType": "CNC",
            "positionType": way,
            "convertQty": 4,
        }
        conversion = Conversion(
            instrument=("NSE_EQ", "1594"), source="INTRADAY", target="CNC", is_long=is_long, quantity=4
        )

        assert ask("POST /positions/convert", body) == (202, None, [("convert_position", conversion)])

    def test_is_closed_all_together(self):
        status, told, calls = ask("DELETE /positions")

        assert (status, told["status"], calls) == (200, "SUCCESS", [("exit_all",)])

    def test_is_an_error_where_it_is_nothing(self):
        status, told, _ = ask("GET /holdings", told={"holdings": ()})

        assert (status, told["errorCode"]) == (500, "DH-1111")
        assert ask("GET /positions", told={"positions": ()}) == (200, [], [("positions",)])


LEG = {**INFY, "productType": "CNC", "quantity": 10, "price": 99.0, "triggerPrice": 99.5}
MARGIN_TICKET = MarginTicket(
    instrument=("NSE_EQ", "1594"), side="SELL", product="CNC", quantity=10, price=99.0, trigger_price=99.5
)
NEEDED = distinct(Margin)


class TestAMargin:
    def test_of_one_order_is_asked_for_with_every_field(self):
        assert asked("POST /margincalculator", WHOSE | LEG, told={"margin_of": (NEEDED,)}) == (
            "margin_of",
            MARGIN_TICKET,
        )

    @pytest.mark.parametrize(("with_positions", "with_orders"), [(True, False), (False, True), (False, False)])
    @pytest.mark.parametrize(("scrips", "orders"), [("scripList", "includeOrder"), ("scripts", "includeOrders")])
    def test_of_several_is_asked_for_by_either_name(self, with_positions, with_orders, scrips, orders):
        body = {**WHOSE, scrips: [LEG], "includePosition": with_positions, orders: with_orders}
        wanted = MarginTogether(tickets=(MARGIN_TICKET,), with_positions=with_positions, with_orders=with_orders)

        assert asked("POST /margincalculator/multi", body, told={"margin_together": NEEDED}) == (
            "margin_together",
            wanted,
        )

    @pytest.mark.parametrize(
        ("segments", "is_of_shares"),
        [
            (("NSE_EQ", "BSE_EQ"), True),
            (("BSE_EQ",), True),
            (("NSE_EQ", "NSE_FNO"), False),
            (("NSE_FNO",), False),
        ],
    )
    def test_of_several_is_one_of_shares_where_all_are(self, segments, is_of_shares):
        body = {**WHOSE, "scripList": [LEG | {"exchangeSegment": each, "productType": "MARGIN"} for each in segments]}
        _, told, _ = ask("POST /margincalculator/multi", body, told={"margin_together": NEEDED})
        total = float(NEEDED.total_rupees)

        shown = (told["totalMargin"], told["equityMargin"], told["foMargin"])
        assert tuple(map(float, shown)) == ((total, total, 0.0) if is_of_shares else (total, 0.0, total))
        assert (float(told["spanMargin"]), float(told["exposure"])) == (
            float(NEEDED.span_rupees),
            float(NEEDED.exposure_rupees),
        )


class TestStatements:
    def test_are_of_whole_days_in_india(self):
        since_ns, until_ns = AT_NS - 33_300 * SECOND_NS, AT_NS + (86_400 - 33_300) * SECOND_NS
        query = {"from-date": "2026-09-28", "to-date": "2026-09-28"}
        trades = ask(
            "GET /trades/{since}/{until}/{page}",
            told={"past_trades": ()},
            since="2026-09-28",
            until="2026-09-28",
            page="0",
        )

        assert trades == (200, [], [("past_trades", since_ns, until_ns)])
        ledger = ask("GET /ledger", query=query, told={"ledger": ()})
        assert ledger[2] == [("ledger", since_ns, until_ns), ("ledger", 0, since_ns)]

    def test_without_a_movement_have_the_balance_of_before(self):
        before = [SimpleNamespace(amount_rupees=Decimal(amount)) for amount in ("1000.5", "-200.25")]
        query = {"from-date": "2026-09-28", "to-date": "2026-09-29"}
        _, rows, _ = ask("GET /ledger", query=query, told={"ledger": [(), before]})

        assert [(row["narration"], row["runbal"], row["debit"], row["credit"]) for row in rows] == [
            ("CLOSING BALANCE", "800.25", "0.00", "0.00"),
            ("OPENING BALANCE", "800.25", "0.00", "0.00"),
        ]

    @pytest.mark.parametrize("day", ["", "2026-9-28", "28-09-2026", "2026-02-30", "2026-09-28 09:15:00"])
    def test_of_no_day_are_asked_of_nobody(self, day):
        good = "2026-09-28"
        for since, until in ((day, good), (good, day)):
            ledger = ask("GET /ledger", query={"from-date": since, "to-date": until})
            trades = ask("GET /trades/{since}/{until}/{page}", since=since, until=until, page="0")
            assert (ledger[0], ledger[2], trades[0], trades[2]) == (400, [], 400, [])

    @pytest.mark.parametrize(
        ("page", "is_one"), [("0", True), ("999999", True), ("1000000", False), ("-1", False), ("\uff11", False)]
    )
    def test_have_pages_from_zero_on(self, page, is_one):
        line, told = "GET /trades/{since}/{until}/{page}", {"past_trades": ()}

        assert ask(line, told=told, since="2026-09-28", until="2026-09-28", page=page)[0] == (200 if is_one else 400)


SWITCHES = SwitchesSet(
    kill_switch=True,
    exit_is_active=True,
    exit_profit_rupees=4000.0,
    exit_loss_rupees=1500.0,
    exit_products=("INTRADAY",),
    exit_kills=True,
    occurred_ns=1,
)


class TestTheControls:
    def test_set_the_kill_switch_to_what_is_wanted_and_to_nothing_else(self):
        for word, is_on in (("ACTIVATE", True), ("DEACTIVATE", False)):
            status, told, calls = ask("POST /killswitch", query={"killSwitchStatus": word})
            assert (status, calls) == (200, [("set_kill_switch", is_on)])
            assert told["killSwitchStatus"] == f"Kill Switch has been successfully {word.lower()}d"
            assert told["dhanClientId"] == CLIENT
        for query in ({}, {"killSwitchStatus": "activate"}):
            assert ask("POST /killswitch", query=query)[::2] == (400, [])

    @pytest.mark.parametrize("is_on", [True, False])
    def test_show_what_is_set(self, is_on):
        switches = msgspec.structs.replace(SWITCHES, kill_switch=is_on, exit_is_active=is_on, exit_kills=is_on)
        _, switch, _ = ask("GET /killswitch", told={"switches": switches})
        _, pnl, _ = ask("GET /pnlExit", told={"switches": switches})

        assert switch == {"dhanClientId": CLIENT, "killSwitchStatus": "ACTIVATE" if is_on else "DEACTIVATE"}
        assert (pnl["pnlExitStatus"], pnl["enableKillSwitch"]) == ("ACTIVE" if is_on else "INACTIVE", is_on)
        assert (float(pnl["profit"]), float(pnl["loss"]), pnl["productType"]) == (4000.0, 1500.0, ["INTRADAY"])

    def test_set_an_exit_with_every_field_and_end_it(self):
        body = {
            **WHOSE,
            "profitValue": 4000.0,
            "lossValue": 1500.0,
            "productType": ["INTRADAY"],
            "enableKillSwitch": True,
        }
        wanted = PnlExit(profit_rupees=4000.0, loss_rupees=1500.0, products=("INTRADAY",), kills=True)

        assert asked("POST /pnlExit", body) == ("set_pnl_exit", wanted)
        for loss in (-1500.0, "-1500.00", "1500.00"):  # as clients write a loss
            assert asked("POST /pnlExit", body | {"lossValue": loss}) == ("set_pnl_exit", wanted)
        for loss in (None, "", "--5", "1,500", -float("inf")):
            assert ask("POST /pnlExit", body | {"lossValue": loss})[::2] == (400, [])
        _, told, calls = ask("DELETE /pnlExit")
        assert (told["pnlExitStatus"], calls) == ("DISABLED", [("cancel_pnl_exit",)])


class TestTheClient:
    def test_consents_to_deliveries_of_the_shares_that_are_named(self):
        one = {"isin": "INE009A01021", "qty": 3, "exchange": "NSE", "segment": "EQ", "bulk": False}
        several = {"isin": ["INE009A01021", "INE467B01029"], "exchange": "NSE", "segment": "EQ"}

        assert ask("GET /edis/tpin")[:2] == (202, None)
        assert ">Paper exchange: INE009A01021 may be sold.<" in ask("POST /edis/form", one)[1]["edisFormHtml"]
        told = ask("POST /edis/bulkform", several)[1]
        assert ">Paper exchange: INE009A01021, INE467B01029 may be sold.<" in told["edisFormHtml"]
        assert told["dhanClientId"] == CLIENT

    def test_is_shown_with_a_token_that_ends_in_a_day(self):
        status, told, _ = ask("GET /profile")

        assert (status, told["dhanClientId"]) == (200, CLIENT)
        assert (told["tokenValidity"], told["dataValidity"]) == ("29/09/2026 09:15", "2026-10-29 00:00:00.0")
        assert ask("GET /RenewToken")[1]["expiryTime"].startswith("2026-09-29 09:15")

    def test_says_from_where_its_orders_come_by_an_address_that_can_be_one(self):
        for line in ("POST /ip/setIP", "PUT /ip/modifyIP"):
            assert ask(line, WHOSE | {"ip": "203.0.113.7"})[1]["status"] == "SUCCESS"
            assert ask(line, WHOSE | {"ip": "nowhere in particular"})[0] == 400
        here, nothing = "127.0.0.1", dict.fromkeys(("secondaryIP", "modifyDatePrimary", "modifyDateSecondary"), "")
        told = {"primaryIP": here, "detectedIP": here, "ipMatchStatus": "MATCH", "ordersAllowed": True}
        assert ask("GET /ip/getIP")[1] == told | nothing

    def test_is_given_a_token_for_its_id_its_pin_and_a_code_alone(self):
        def login(**query):
            answer = asyncio.run(TOKEN.handler(Played(), Request({}, query, b"")))
            return msgspec.json.decode(answer.body)

        good = {"dhanClientId": CLIENT, "pin": "123456", "totp": "654321"}
        assert login(**good)["accessToken"] == "another-token"
        for name, value in (("dhanClientId", "7"), ("pin", "12345"), ("pin", "1234567"), ("totp", "12345a")):
            assert login(**good | {name: value})["status"] == "error"
        renewed = ask("GET /RenewToken")[1]
        assert renewed["accessToken"] == renewed["token"] == "another-token"
        assert "createTime" in renewed
        status, told, _ = ask("POST /RenewToken")
        assert (status, told["errorCode"]) == (400, "DH-905")
