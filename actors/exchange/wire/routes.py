"""Which endpoint a request is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from .groups import alerts, control, legs, market, orders, portfolio

if TYPE_CHECKING:
    from .request import Handler

Kind: TypeAlias = Literal["orders", "data", "option_chain", "quotes", "others", "tokens"]
"""By which limits it is counted."""


class Route(NamedTuple):
    """One endpoint."""

    method: str
    path: str
    kind: Kind
    handler: Handler


BASE: Final = "/v2"

_TABLE: Final[tuple[tuple[str, str, Kind, Handler], ...]] = (
    ("POST", "/orders", "orders", orders.place),
    ("GET", "/orders", "others", orders.book),
    ("POST", "/orders/slicing", "orders", orders.place_sliced),
    ("GET", "/orders/external/{correlation_id}", "others", orders.by_correlation),
    ("PUT", "/orders/{order_id}", "orders", orders.modify),
    ("DELETE", "/orders/{order_id}", "orders", orders.cancel),
    ("GET", "/orders/{order_id}", "others", orders.by_id),
    ("GET", "/trades", "others", orders.trades),
    ("GET", "/trades/{order_id}", "others", orders.trades),
    ("GET", "/trades/{since}/{until}/{page}", "others", portfolio.past_trades),
    ("POST", "/super/orders", "orders", legs.place_super),
    ("GET", "/super/orders", "others", legs.super_orders),
    ("PUT", "/super/orders/{order_id}", "orders", legs.modify_super),
    ("DELETE", "/super/orders/{order_id}/{leg}", "orders", legs.cancel_super),
    ("POST", "/forever/orders", "orders", legs.place_forever),
    ("GET", "/forever/orders", "others", legs.forever_orders),
    ("PUT", "/forever/orders/{order_id}", "orders", legs.modify_forever),
    ("DELETE", "/forever/orders/{order_id}", "orders", legs.cancel_forever),
    ("POST", "/alerts/orders", "orders", alerts.place),
    ("GET", "/alerts/orders", "others", alerts.every),
    ("POST", "/alerts/multi/orders", "orders", alerts.place_several),
    ("PUT", "/alerts/orders/{alert_id}", "orders", alerts.modify),
    ("DELETE", "/alerts/orders/{alert_id}", "orders", alerts.cancel),
    ("GET", "/alerts/orders/{alert_id}", "others", alerts.by_id),
    ("GET", "/holdings", "others", portfolio.holdings),
    ("GET", "/positions", "others", portfolio.positions),
    ("DELETE", "/positions", "others", portfolio.exit_all),
    ("POST", "/positions/convert", "others", portfolio.convert),
    ("GET", "/fundlimit", "others", portfolio.funds),
    ("POST", "/margincalculator", "others", portfolio.margin),
    ("POST", "/margincalculator/multi", "others", portfolio.margins),
    ("GET", "/ledger", "others", portfolio.ledger),
    ("POST", "/killswitch", "others", control.set_kill_switch),
    ("GET", "/killswitch", "others", control.kill_switch),
    ("POST", "/pnlExit", "others", control.set_pnl_exit),
    ("GET", "/pnlExit", "others", control.pnl_exit),
    ("DELETE", "/pnlExit", "others", control.stop_pnl_exit),
    ("GET", "/profile", "others", control.profile),
    ("GET", "/RenewToken", "others", control.renew_token),
    ("POST", "/RenewToken", "others", control.refuse_renewal),
    ("POST", "/ip/setIP", "others", control.set_address),
    ("PUT", "/ip/modifyIP", "others", control.set_address),
    ("GET", "/ip/getIP", "others", control.addresses),
    ("GET", "/edis/tpin", "others", control.edis_pin),
    ("POST", "/edis/form", "others", control.edis_form),
    ("POST", "/edis/bulkform", "others", control.edis_bulk_form),
    ("GET", "/edis/inquire/{isin}", "others", control.edis_status),
    ("POST", "/marketfeed/ltp", "quotes", market.last_prices),
    ("POST", "/marketfeed/ohlc", "quotes", market.ohlc),
    ("POST", "/marketfeed/quote", "quotes", market.quotes),
    ("POST", "/charts/historical", "data", market.daily_chart),
    ("POST", "/charts/intraday", "data", market.intraday_chart),
    ("POST", "/charts/rollingoption", "data", market.expired_options),
    ("POST", "/optionchain", "option_chain", market.option_chain),
    ("POST", "/optionchain/expirylist", "option_chain", market.expiries),
)

ROUTES: Final = tuple(Route(*row) for row in _TABLE)
"""Below `BASE`; the first of two that fit is meant."""

_OLDER_ROOTS: Final = ("/orders", "/trades", "/positions", "/holdings", "/fundlimit", "/edis")

OLDER: Final = (
    *(route for route in ROUTES if route.path.startswith(_OLDER_ROOTS)),
    Route("GET", "/tradeHistory/{since}/{until}/{page}", "others", portfolio.past_trades),
)
"""Without `BASE`: of the generation before, which clients of its time still ask; their errors have their own shape."""

TOKEN: Final = Route("POST", "/app/generateAccessToken", "tokens", control.generate_token)
"""Of Dhan's other host, which needs no token."""
