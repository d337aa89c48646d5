"""Positions, holdings, funds and statements; and what stops trading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from .....domain.dhan.account.funds import Funds, Margin, MarginRequest, MultiMargin, MultiMarginRequest
from .....domain.dhan.account.portfolio import ConvertPositionRequest, ExitAllAck, HoldingRow, PositionRow
from .....domain.dhan.account.statements import LedgerRow
from .....domain.dhan.decoding import row_reader, rows_reader
from .....domain.dhan.trading.control import ExitProduct, KillSwitchRow, PnlExitAck, PnlExitRequest, PnlExitRow
from .....domain.dhan.words import PositionType
from ....external import ExternalServiceResult, PendingResult
from ...bodies.dhan import endpoints
from ..orders import OrderRequest, Product
from ..results import not_sent
from .orders import Orders
from .reading import nothing, one_or_none
from .symbols import NameUnknownError
from .translating import margin_leg


class Portfolio(Orders):
    """Positions, holdings, money, statements, kill switch, exit at a profit or a loss."""

    def get_positions(self) -> PendingResult:
        """Read the positions of the day, those that were closed among them: a tuple of `PositionRow`."""
        return self._read(endpoints.POSITIONS, rows_reader(PositionRow))

    def get_holdings(self) -> PendingResult:
        """Read what is held in the depository: a tuple of `HoldingRow`."""
        return self._read(endpoints.HOLDINGS, rows_reader(HoldingRow))

    def convert_position(
        self, symbol: str, quantity: int, *, position: PositionType, since: Product, until: Product
    ) -> PendingResult:
        """Convert shares of a position from one product to another."""
        try:
            instrument = self._symbols.find(symbol)
        except NameUnknownError as fault:
            return self._known(not_sent(str(fault)))
        request = ConvertPositionRequest(
            dhan_client_id=self.client_id,
            from_product_type=since,
            to_product_type=until,
            exchange_segment=instrument.segment,  # type: ignore[arg-type]  # another is refused when it is written
            position_type=position,
            security_id=instrument.security_id,
            convert_qty=quantity,
        )
        return self._write(endpoints.CONVERT_POSITION, nothing, request=request)

    def exit_all(self) -> PendingResult:
        """Close every position at market, and cancel every open order: `ExitAllAck`."""
        return self._write(endpoints.EXIT_ALL, one_or_none(ExitAllAck))

    # Money and statements.

    def get_funds(self) -> PendingResult:
        """Read the funds: `Funds`, whose `cash` is without pledged shares."""
        return self._read(endpoints.FUNDS, row_reader(Funds))

    def get_margin(self, order: OrderRequest) -> PendingResult:
        """Ask what an order would need: `Margin`."""
        checked = self._checked(order)
        if isinstance(checked, str):
            return self._known(ExternalServiceResult(success=False, error=checked))
        leg = margin_leg(order, checked)
        fields: dict[str, Any] = {name: getattr(leg, name) for name in leg.__struct_fields__}
        return self._read(
            endpoints.MARGIN, row_reader(Margin), request=MarginRequest(dhan_client_id=self.client_id, **fields)
        )

    def get_margin_of_all(
        self, orders: Sequence[OrderRequest], *, with_positions: bool = False, with_orders: bool = False
    ) -> PendingResult:
        """Ask what several orders together would need: `MultiMargin`.

        Args:
            orders: up to 50.
            with_positions: beside what is held.
            with_orders: beside what is open.
        """
        legs = []
        for order in orders:
            checked = self._checked(order)
            if isinstance(checked, str):
                return self._known(ExternalServiceResult(success=False, error=checked))
            legs.append(margin_leg(order, checked))
        request = MultiMarginRequest(
            dhan_client_id=self.client_id,
            scrip_list=tuple(legs),
            include_position=with_positions,
            include_order=with_orders,
        )
        return self._read(endpoints.MULTI_MARGIN, row_reader(MultiMargin), request=request)

    def get_ledger(self, since: date, until: date) -> PendingResult:
        """Read the ledger: a tuple of `LedgerRow`."""
        query = {"from-date": since.isoformat(), "to-date": until.isoformat()}
        return self._read(endpoints.LEDGER, rows_reader(LedgerRow), query=query)

    # What stops trading.

    def get_kill_switch(self) -> PendingResult:
        """Read whether trading is stopped for the day: `KillSwitchRow`."""
        return self._read(endpoints.KILL_SWITCH, row_reader(KillSwitchRow))

    def set_kill_switch(self, *, is_on: bool) -> PendingResult:
        """Stop trading for the day, which needs a flat account; or allow it again: `KillSwitchRow`."""
        query = {"killSwitchStatus": "ACTIVATE" if is_on else "DEACTIVATE"}
        return self._write(endpoints.SET_KILL_SWITCH, row_reader(KillSwitchRow), query=query)

    def get_pnl_exit(self) -> PendingResult:
        """Read at which profit or loss of the day everything is closed: `PnlExitRow`."""
        return self._read(endpoints.PNL_EXIT, row_reader(PnlExitRow))

    def set_pnl_exit(
        self,
        *,
        profit_rupees: float,
        loss_rupees: float,
        products: Sequence[ExitProduct] = ("INTRADAY",),
        with_kill_switch: bool = False,
    ) -> PendingResult:
        """Have everything closed at a profit or a loss of the day; one that is passed already does so at once."""
        request = PnlExitRequest(
            dhan_client_id=self.client_id,
            profit_value=profit_rupees,
            loss_value=loss_rupees,
            product_type=tuple(products),
            enable_kill_switch=with_kill_switch,
        )
        return self._write(endpoints.SET_PNL_EXIT, row_reader(PnlExitAck), request=request)

    def end_pnl_exit(self) -> PendingResult:
        """End the exit at a profit or a loss: `PnlExitAck`."""
        return self._write(endpoints.STOP_PNL_EXIT, row_reader(PnlExitAck))
