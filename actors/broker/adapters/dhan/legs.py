"""Super, forever and conditional orders, and several orders in one request."""

from __future__ import annotations

from collections.abc import Sequence

from .....domain.dhan.decoding import row_reader, rows_reader
from .....domain.dhan.trading.alerts import (
    AlertAck,
    AlertOrder,
    AlertRequest,
    AlertRow,
    Condition,
    MultiOrderAck,
    MultiOrderLeg,
    MultiOrderRequest,
)
from .....domain.dhan.trading.forever_orders import ForeverOrderRow, ModifyForeverOrderRequest
from .....domain.dhan.trading.orders import OrderAck
from .....domain.dhan.trading.super_orders import (
    ModifySuperOrderRequest,
    SuperLeg,
    SuperOrderRow,
    modified_entry,
    modified_stop,
    modified_target,
)
from .....domain.dhan.writing import InvalidRequestError, body_of
from ....external import PendingResult
from ...bodies.dhan import endpoints
from ..orders import ForeverLeg, ForeverOrderRequest, OrderRequest, SuperOrderRequest
from ..results import not_sent
from .orders import Orders
from .reading import one_or_none
from .translating import alert_order, leg_of_several, placing_forever, placing_super


class Legs(Orders):
    """Orders of several parts."""

    def place_orders(self, orders: Sequence[OrderRequest]) -> PendingResult:
        """Place up to 15 orders in one request, once: `MultiOrderAck`.

        Each is accepted or refused by itself. The client order id of the first names the request.
        """
        legs: list[MultiOrderLeg] = []
        for place, order in enumerate(orders, start=1):
            checked = self._checked(order)
            if isinstance(checked, str):
                return self._known(not_sent(f"order {place}: {checked}"))
            legs.append(leg_of_several(place, order, checked))
        try:
            body = body_of(MultiOrderRequest(dhan_client_id=self.client_id, orders=tuple(legs)))
        except InvalidRequestError as fault:
            return self._known(not_sent(str(fault)))
        first = orders[0].client_order_id
        return self._post_once(first, endpoints.PLACE_SEVERAL, body, row_reader(MultiOrderAck))

    # Super orders.

    def place_super_order(self, order: SuperOrderRequest) -> PendingResult:
        """Place an entry with a target, a stop, or both, once: `OrderAck`."""
        return self._place(order, endpoints.PLACE_SUPER_ORDER, placing_super, row_reader(OrderAck))

    def modify_super_order(self, order_id: str, order: SuperOrderRequest) -> PendingResult:
        """Change a super order whose entry is open to all that `order` says: `OrderAck`."""
        checked = self._checked(order)
        if isinstance(checked, str):
            return self._known(not_sent(checked))
        request = placing_super(order, checked, self.client_id)
        entry = modified_entry(
            self.client_id,
            order_id,
            order_type=request.order_type,
            quantity=request.quantity,
            price=request.price,
            target_price=request.target_price,
            stop_loss_price=request.stop_loss_price,
            trailing_jump=request.trailing_jump,
        )
        return self._modify_super(order_id, entry)

    def move_target(self, order_id: str, target_price: float) -> PendingResult:
        """Move the target of a super order: `OrderAck`."""
        return self._modify_super(order_id, modified_target(self.client_id, order_id, target_price=target_price))

    def move_stop(self, order_id: str, stop_loss_price: float, *, trailing_jump: float = 0.0) -> PendingResult:
        """Move the stop of a super order, which then trails by the jump, or no more: `OrderAck`."""
        request = modified_stop(self.client_id, order_id, stop_loss_price=stop_loss_price, trailing_jump=trailing_jump)
        return self._modify_super(order_id, request)

    def cancel_super_order(self, order_id: str, leg: SuperLeg = "ENTRY_LEG") -> PendingResult:
        """Cancel a leg of a super order; with the entry all of them: `OrderAck`."""
        return self._write(endpoints.CANCEL_SUPER_ORDER, row_reader(OrderAck), {"order_id": order_id, "leg": leg})

    def get_super_orders(self) -> PendingResult:
        """Read the super orders of the day: a tuple of `SuperOrderRow`."""
        return self._read(endpoints.SUPER_ORDERS, rows_reader(SuperOrderRow))

    def _modify_super(self, order_id: str, request: ModifySuperOrderRequest) -> PendingResult:
        names = {"order_id": order_id}
        return self._write(endpoints.MODIFY_SUPER_ORDER, row_reader(OrderAck), names, request=request, key=order_id)

    # Forever orders.

    def place_forever_order(self, order: ForeverOrderRequest) -> PendingResult:
        """Place an order that waits for its trigger over days, once: `OrderAck`."""
        return self._place(order, endpoints.PLACE_FOREVER_ORDER, placing_forever, row_reader(OrderAck))

    def modify_forever_order(self, order_id: str, order: ForeverOrderRequest, *, second: bool = False) -> PendingResult:
        """Change the first or the second leg of a forever order to what `order` says: `OrderAck`."""
        checked = self._checked(order)
        if isinstance(checked, str):
            return self._known(not_sent(checked))
        leg: ForeverLeg | None = order.second if second else order.first
        if leg is None:
            return self._known(not_sent("second: a leg wanted, found none"))
        grid = checked.grid
        request = ModifyForeverOrderRequest(
            dhan_client_id=self.client_id,
            order_id=order_id,
            order_flag="SINGLE" if order.second is None else "OCO",
            order_type="MARKET" if leg.limit_price is None else "LIMIT",
            leg_name="STOP_LOSS_LEG" if second else "TARGET_LEG",
            quantity=leg.quantity or order.quantity,
            price=0.0 if leg.limit_price is None else grid.snap(leg.limit_price) or leg.limit_price,
            trigger_price=grid.snap(leg.trigger_price) or leg.trigger_price,
            validity=order.validity,
        )
        names = {"order_id": order_id}
        return self._write(endpoints.MODIFY_FOREVER_ORDER, row_reader(OrderAck), names, request=request, key=order_id)

    def cancel_forever_order(self, order_id: str) -> PendingResult:
        """Cancel a forever order: `OrderAck`."""
        return self._write(endpoints.CANCEL_FOREVER_ORDER, row_reader(OrderAck), {"order_id": order_id})

    def get_forever_orders(self) -> PendingResult:
        """Read the forever orders: a tuple of `ForeverOrderRow`, one for each leg."""
        return self._read(endpoints.FOREVER_ORDERS, rows_reader(ForeverOrderRow))

    # Conditional orders.

    def place_conditional_order(self, condition: Condition, orders: Sequence[OrderRequest]) -> PendingResult:
        """Have up to 15 orders placed when a condition is met: `AlertAck`.

        It has no client order id: each call makes another order. After an unknown outcome look in
        `get_conditional_orders`.
        """
        legs = self._alert_orders(orders)
        if isinstance(legs, str):
            return self._known(not_sent(legs))
        request = AlertRequest(dhan_client_id=self.client_id, condition=condition, orders=legs)
        return self._write(endpoints.PLACE_ALERT, row_reader(AlertAck), request=request)

    def modify_conditional_order(
        self, alert_id: str, condition: Condition, orders: Sequence[OrderRequest]
    ) -> PendingResult:
        """Change a conditional order to what the arguments say: `AlertAck`."""
        legs = self._alert_orders(orders)
        if isinstance(legs, str):
            return self._known(not_sent(legs))
        request = AlertRequest(dhan_client_id=self.client_id, condition=condition, orders=legs, alert_id=alert_id)
        names = {"alert_id": alert_id}
        return self._write(endpoints.MODIFY_ALERT, row_reader(AlertAck), names, request=request, key=alert_id)

    def cancel_conditional_order(self, alert_id: str) -> PendingResult:
        """End a conditional order: `AlertAck`."""
        return self._write(endpoints.CANCEL_ALERT, row_reader(AlertAck), {"alert_id": alert_id})

    def get_conditional_order(self, alert_id: str) -> PendingResult:
        """Read one conditional order: `AlertRow`; success without data: there is none of this id."""
        return self._read(endpoints.ALERT, one_or_none(AlertRow), {"alert_id": alert_id})

    def get_conditional_orders(self) -> PendingResult:
        """Read the conditional orders: a tuple of `AlertRow`."""
        return self._read(endpoints.ALERTS, rows_reader(AlertRow))

    def _alert_orders(self, orders: Sequence[OrderRequest]) -> tuple[AlertOrder, ...] | str:
        legs = []
        for place, order in enumerate(orders, start=1):
            checked = self._checked(order)
            if isinstance(checked, str):
                return f"order {place}: {checked}"
            legs.append(alert_order(order, checked))
        return tuple(legs)
