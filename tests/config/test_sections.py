"""The tables of the settings."""

import msgspec
import pytest

from natya.config.keys import SECTIONS
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.config.sections.orders import OrdersSettings
from natya.config.sections.supervision import SupervisionSettings

TABLES = pytest.mark.parametrize("table", sorted(SECTIONS))


PRICED = {
    "price_age_max_s",
    "price_collar_percent",
    "option_collar_percent",
    "open_value_max_rupees",
    "gross_value_max_rupees",
    "day_loss_max_rupees",
    "margin_use_max_percent",
}


class TestLimitsOfOrders:
    @pytest.mark.parametrize("limit", [*sorted(PRICED), "orders_a_day_max", "position_max"])
    def test_need_prices_if_one_alone_goes_by_them(self, limit):
        none = OrdersSettings.default(**dict.fromkeys(PRICED, 0.0))

        assert not none.need_prices
        assert msgspec.structs.replace(none, **{limit: 1}).need_prices == (limit in PRICED)


OTHERWISE = {"system", "journal", "database", "instruments", "log", "orders", "kill_switch"}


class TestATable:
    @TABLES
    def test_has_no_default_but_those_of_the_file(self, table):
        fields = msgspec.structs.fields(SECTIONS[table])

        assert [each.name for each in fields if not each.required] == []

    @TABLES
    def test_is_called_as_the_settings_call_it(self, table):
        assert table == SECTIONS[table].TABLE

    @pytest.mark.parametrize("table", sorted(set(SECTIONS) - OTHERWISE))
    def test_by_default_is_what_the_loader_makes_of_it(self, table):
        """The others have paths of their own, or a line in the file of the profile."""
        assert SECTIONS[table].default() == getattr(load_settings("paper", environment={}), table)

    def test_takes_changes_as_they_are(self):
        changed = BrokerSettings.default(access_token=Secret("t"), orders_max=7)

        assert (changed.access_token.reveal(), changed.orders_max, changed.name) == ("t", 7, "paper")

    def test_has_no_other_field(self):
        with pytest.raises(TypeError, match="speed"):
            SupervisionSettings.default(speed=1)
