"""Limits of single instruments, instead of those of all."""

import pytest

from natya.config.sections.orders import InstrumentLimits
from natya.messages.orders import OrderIntended, OrderRefused

OPTIONS = InstrumentLimits(quantity_max=75, position_max=150)
ONE = InstrumentLimits(quantity_max=150)
OWN = {"NIFTY-*": OPTIONS, "NIFTY-29Dec2026-*": InstrumentLimits(quantity_max=50), "NIFTY-29Dec2026-26000-CE": ONE}


class TestTheLimitsOfAnInstrument:
    @pytest.mark.parametrize(
        ("symbol", "quantity", "kind"),
        [
            ("NIFTY-27Oct2026-26000-PE", 75, OrderIntended),
            ("NIFTY-27Oct2026-26000-PE", 76, OrderRefused),
            ("INFY", 100, OrderIntended),
            ("INFY", 101, OrderRefused),
        ],
    )
    def test_hold_for_its_orders_alone(self, stage, make, symbol, quantity, kind):
        stage.open(instruments=OWN)
        for name in ("A-1", "A-2"):
            stage.submit(make.order(name, symbol=symbol, quantity=quantity))
        stage.settle()

        assert [stage.disk.kinds(name)[0] for name in ("A-1", "A-2")] == [kind, kind]
