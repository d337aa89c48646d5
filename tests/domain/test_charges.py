"""What a trade costs besides its price."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.charges import RATES, charges, commodity_product, known_since, rates_on

DAY = date(2026, 10, 6)
OLD = {"COMMODITY_FUTURE": "2.60", "UNTAXED_FUTURE": "2.60", "COMMODITY_OPTION": "50.00"}
NEW = {"COMMODITY_FUTURE": "2.10", "UNTAXED_FUTURE": "2.10", "COMMODITY_OPTION": "41.80"}
PRODUCTS = st.sampled_from(sorted(RATES))
SIDES = st.sampled_from(["BUY", "SELL"])
QUANTITIES = st.integers(1, 100_000)
PRICES = st.integers(1, 2_000_000).map(lambda ticks: ticks * 5 / 100)


def amounts(*of, **options):
    found = charges(*of, **options)
    return {name: getattr(found, name) for name in found.__struct_fields__ if getattr(found, name)}


class TestADay:
    @pytest.mark.parametrize(
        ("product", "day", "tax"),
        [
            ("FUTURE", date(2024, 9, 30), "0.000125"),
            ("FUTURE", date(2024, 10, 1), "0.0002"),
            ("FUTURE", date(2026, 3, 31), "0.0002"),
            ("FUTURE", date(2026, 4, 1), "0.0005"),
            ("OPTION", date(2024, 9, 30), "0.000625"),
            ("OPTION", date(2024, 10, 1), "0.001"),
            ("OPTION", date(2026, 4, 1), "0.0015"),
            ("DELIVERY", date(2026, 4, 1), "0.001"),
            ("INTRADAY", date(2026, 4, 1), "0.00025"),
        ],
    )
    def test_has_the_rates_of_its_time(self, product, day, tax):
        assert rates_on(product, day).tax_selling == Decimal(tax)

    @pytest.mark.parametrize(
        ("day", "paid"),
        [
            (date(2023, 4, 1), {"DELIVERY": "3.25", "INTRADAY": "3.25", "FUTURE": "1.90", "OPTION": "50.00"} | OLD),
            (date(2024, 9, 30), {"DELIVERY": "3.25", "INTRADAY": "3.25", "FUTURE": "1.90", "OPTION": "50.00"} | OLD),
            (date(2024, 10, 1), {"DELIVERY": "2.97", "INTRADAY": "2.97", "FUTURE": "1.73", "OPTION": "35.03"} | NEW),
            (date(2026, 10, 6), {"DELIVERY": "2.97", "INTRADAY": "2.97", "FUTURE": "1.73", "OPTION": "35.03"} | NEW),
        ],
    )
    def test_has_what_the_exchange_takes_of_a_lakh_on_either_side(self, day, paid):
        for side in ("BUY", "SELL"):
            found = {product: str(charges(product, side, 1_000, 100.0, day).exchange) for product in RATES}

            assert found == paid

    @pytest.mark.parametrize("product", sorted(RATES))
    def test_before_the_first_known_one_has_the_rates_of_that(self, product):
        first = known_since(product)
        costs = {
            charges(product, "SELL", 10, 100.0, day) for day in (date(2008, 1, 1), first - timedelta(days=1), first)
        }

        assert len(costs) == 1
        assert rates_on(product, date(2008, 1, 1)).since == first


class TestASaleOfDeliveredShares:
    def test_pays_what_the_broker_recorded(self):
        # 3 INFY at 1507.40, as Dhan's trade history has it: tax 4.52, exchange 0.13, no stamp duty, no brokerage, and
        # 0.03 of GST: 18 % of the exchange's 0.1343, of SEBI's 0.0045 and of as much for the investors' fund.
        assert amounts("DELIVERY", "SELL", 3, 1507.4, DAY, takes_shares_out=False) == {
            "transaction_tax": Decimal("4.52"),
            "exchange": Decimal("0.13"),
            "gst": Decimal("0.03"),
        }

    def test_is_charged_by_the_depository_once_a_day(self):
        first = charges("DELIVERY", "SELL", 3, 1507.4, DAY)
        second = charges("DELIVERY", "SELL", 3, 1507.4, DAY, takes_shares_out=False)

        assert first.total - second.total == Decimal("14.75")


class TestACommodity:
    def test_sold_by_future_pays_its_own_tax_and_the_fees_of_mcx(self):
        # 100 barrels at 6,000.00: turnover 6,00,000. Tax 0.01 %, exchange 2.10 a lakh, SEBI and the fund 0.60 each;
        # GST 18 % of 20 + 12.60 + 0.60 + 0.60.
        assert amounts("COMMODITY_FUTURE", "SELL", 100, 6_000.0, DAY) == {
            "brokerage": Decimal("20.00"),
            "transaction_tax": Decimal("60.00"),
            "exchange": Decimal("12.60"),
            "sebi_fee": Decimal("0.60"),
            "investor_fund": Decimal("0.60"),
            "gst": Decimal("6.08"),
        }

    def test_bought_by_future_pays_stamp_duty(self):
        found = amounts("COMMODITY_FUTURE", "BUY", 100, 6_000.0, DAY)

        assert (found["stamp_duty"], "transaction_tax" in found) == (Decimal("12.00"), False)

    def test_sold_by_option_pays_of_its_premium(self):
        # 100 at 150.00: premium 15,000. Tax 0.05 %, exchange 41.80 a lakh, SEBI 0.015, the fund 0.075; GST of 26.36.
        assert amounts("COMMODITY_OPTION", "SELL", 100, 150.0, DAY) == {
            "brokerage": Decimal("20.00"),
            "transaction_tax": Decimal("7.50"),
            "exchange": Decimal("6.27"),
            "sebi_fee": Decimal("0.02"),
            "investor_fund": Decimal("0.08"),
            "gst": Decimal("4.74"),
        }

    @pytest.mark.parametrize(
        ("underlying", "product"),
        [("GOLD", "COMMODITY_FUTURE"), ("cardamom", "UNTAXED_FUTURE"), ("MENTHAOIL", "COMMODITY_FUTURE")],
    )
    def test_is_without_tax_where_it_is_a_farm_product_that_is_left_out(self, underlying, product):
        assert commodity_product(underlying, is_option=False) == product
        assert commodity_product(underlying, is_option=True) == "COMMODITY_OPTION"
        assert bool(charges(product, "SELL", 100, 1_000.0, DAY).transaction_tax) is (product == "COMMODITY_FUTURE")


class TestAFuture:
    def test_pays_stamp_duty_when_bought_and_tax_when_sold(self):
        # 75 at 26,000.00: turnover 19,50,000.
        assert amounts("FUTURE", "BUY", 75, 26_000.0, DAY) == {
            "brokerage": Decimal("20.00"),
            "exchange": Decimal("33.74"),  # 33.735: halves go up
            "sebi_fee": Decimal("1.95"),
            "stamp_duty": Decimal("39.00"),
            "gst": Decimal("10.37"),
            "investor_fund": Decimal("1.95"),
        }
        assert charges("FUTURE", "SELL", 75, 26_000.0, DAY).transaction_tax == Decimal("975.00")

    def test_is_rounded_up_at_half_a_paisa_on_either_side_of_it(self):
        # 0.00173 % of 2,50,000 is 4.325, and of 19,50,000 it is 33.735.
        assert charges("FUTURE", "BUY", 10, 25_000.0, DAY).exchange == Decimal("4.33")
        assert charges("FUTURE", "BUY", 75, 26_000.0, DAY).exchange == Decimal("33.74")


@pytest.mark.parametrize(
    ("of", "paid"),
    [
        # tax, exchange, SEBI, fund, stamp, brokerage, GST; worked out by hand from the rates of the day.
        (("DELIVERY", "BUY", 10, 1_000.0), "10.00 0.30 0.01 0.01 1.50 0.00 0.06"),
        (("INTRADAY", "BUY", 100, 1_500.0), "0.00 4.46 0.15 0.15 4.50 20.00 4.46"),
        (("INTRADAY", "SELL", 100, 1_500.0), "37.50 4.46 0.15 0.15 0.00 20.00 4.46"),
        (("INTRADAY", "BUY", 10, 100.0), "0.00 0.03 0.00 0.00 0.03 0.30 0.06"),
        (("OPTION", "BUY", 75, 200.0), "0.00 5.25 0.02 0.08 0.45 20.00 4.56"),
        (("OPTION", "SELL", 75, 200.0), "22.50 5.25 0.02 0.08 0.00 20.00 4.56"),
        (("OPTION", "BUY", 75, 0.05), "0.00 0.00 0.00 0.00 0.00 3.75 0.68"),
        (("FUTURE", "BUY", 75, 100.0), "0.00 0.13 0.01 0.01 0.15 2.25 0.43"),
        (("INTRADAY", "BUY", 1, 83.45), "0.00 0.00 0.00 0.00 0.00 0.03 0.00"),  # GST of 0.025035, not of 0.03
    ],
    ids=str,
)
def test_every_product_pays_what_is_its_own(of, paid):
    found = charges(*of, DAY)

    names = ("transaction_tax", "exchange", "sebi_fee", "investor_fund", "stamp_duty", "brokerage", "gst")
    assert " ".join(str(getattr(found, name)) for name in names) == paid
    assert found.depository == 0


class TestAnOrderThatTradesInParts:
    @given(product=PRODUCTS, side=SIDES, parts=st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=5))
    def test_pays_the_brokerage_of_one_order(self, product, side, parts):
        traded = paid = Decimal(0)
        for quantity, price in parts:
            paid += charges(product, side, quantity, price, DAY, traded_rupees=traded).brokerage
            traded += quantity * Decimal(str(price))

        rates = rates_on(product, DAY)
        assert paid == min(traded * rates.brokerage, rates.brokerage_max).quantize(Decimal("0.01"), "ROUND_HALF_UP")


class TestATrade:
    @given(product=PRODUCTS, side=SIDES, quantity=QUANTITIES, price=PRICES, days=st.integers(0, 1_500))
    def test_costs_what_fractions_say(self, product, side, quantity, price, days):
        day = date(2023, 4, 1) + timedelta(days=days)
        found = charges(product, side, quantity, price, day)
        rates = rates_on(product, day)
        turnover = Fraction(str(price)) * quantity
        taxed = rates.tax_buying if side == "BUY" else rates.tax_selling
        services = (
            min(turnover * Fraction(rates.brokerage), Fraction(rates.brokerage_max))
            + turnover * (Fraction(rates.exchange) + Fraction(6 if product.endswith("OPTION") else 2, 10**6))
            + (Fraction(rates.depository) if side == "SELL" else 0)
        )

        assert abs(Fraction(found.transaction_tax) - turnover * Fraction(taxed)) <= Fraction(1, 200)
        assert abs(Fraction(found.gst) - services * Fraction(18, 100)) <= Fraction(1, 200)
        assert abs(Fraction(found.total) - sum(Fraction(each) for each in _all(found))) == 0
        assert found.brokerage <= 20

    @given(product=PRODUCTS, side=SIDES, quantity=QUANTITIES, price=PRICES)
    def test_costs_no_less_when_there_is_more_of_it(self, product, side, quantity, price):
        less, more = (charges(product, side, shares, price, DAY).total for shares in (quantity, quantity + 1))

        assert more >= less

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_of_a_contract_that_has_expired_worthless_costs_nothing(self, side):
        assert charges("OPTION", side, 75, 0.0, DAY).total == 0

    @pytest.mark.parametrize(
        ("quantity", "price"), [(0, 1.0), (-1, 1.0), (1, -0.01), (1, float("nan")), (1, float("inf"))]
    )
    def test_that_is_none_is_refused(self, quantity, price):
        with pytest.raises(ValueError, match="at least 1 share at a price from 0 wanted"):
            charges("INTRADAY", "BUY", quantity, price, DAY)


def _all(found):
    return [getattr(found, name) for name in found.__struct_fields__]


def test_rates_are_known_since_april_2023():
    assert {product: known_since(product) for product in RATES} == dict.fromkeys(RATES, date(2023, 4, 1))
