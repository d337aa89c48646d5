"""The tables of the settings."""

import msgspec
import pytest

from natya.config.keys import SECTIONS
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.config.sections.supervision import SupervisionSettings

TABLES = pytest.mark.parametrize("table", sorted(SECTIONS))


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
