"""The paths of Dhan's REST API, and what may be done with each: the only table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from ....external import Call, Endpoint

LIVE_URL: Final = "https://api.dhan.co/v2"
AUTH_URL: Final = "https://auth.dhan.co"
UPDATES_URL: Final = "wss://api-order-update.dhan.co"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One path and method."""

    endpoint: Endpoint
    method: str

    path: str
    """Behind the base URL; `{order_id}` stands for what a call names."""

    urgent: bool = False
    """The request reduces a position or an exposure: it overtakes others at the rate limit."""

    def call(  # noqa: PLR0913  each is one part of the request
        self,
        base_url: str,
        names: Mapping[str, str] | None = None,
        *,
        deadline_s: float,
        body: bytes | None = None,
        query: tuple[tuple[str, str], ...] = (),
        key: str | None = None,
        urgent: bool = False,
        in_halt: bool = False,
        reads: Callable[[bytes], Any] | None = None,
    ) -> Call:
        """Return the request; `names` fill the path, and `reads` makes its data of the body of a good answer.

        Raises:
            KeyError: the path has a name that is not given.
        """
        path = self.path.format_map({name: quote(text, safe="") for name, text in (names or {}).items()})
        return Call(
            endpoint=self.endpoint if reads is None else msgspec.structs.replace(self.endpoint, reads=reads),
            method=self.method,
            url=f"{base_url}{path}",
            query=query,
            body=body,
            key=key,
            urgent=self.urgent or urgent,
            in_halt=in_halt,
            deadline_s=deadline_s,
        )


def _read(name: str, path: str) -> Route:
    """Return what the account says; that may have changed since an equal question left, so each is asked for itself."""
    endpoint = Endpoint(name=name, kind="others", read=True, attempts_max=3, shared=False)
    return Route(endpoint=endpoint, method="GET", path=path)


def _write(name: str, method: str, path: str, *, kind: str = "orders", urgent: bool = False) -> Route:
    exposes = kind == "orders" and not urgent
    endpoint = Endpoint(name=name, kind=kind, read=False, exposes=exposes)
    return Route(endpoint=endpoint, method=method, path=path, urgent=urgent)


def _question(name: str, path: str) -> Route:
    """Return a read of the account that is a POST, since its arguments are in the body."""
    return msgspec.structs.replace(_read(name, path), method="POST")


def _market(name: str, path: str, *, kind: str = "data", kept_s: float = 0.0) -> Route:
    """Return a read of the market: who asks the same meanwhile, or while it is kept, gets the same answer."""
    endpoint = Endpoint(name=name, kind=kind, read=True, attempts_max=3, kept_s=kept_s)
    return Route(endpoint=endpoint, method="POST", path=path)


PLACE_ORDER: Final = _write("orders.place", "POST", "/orders")
MODIFY_ORDER: Final = _write("orders.modify", "PUT", "/orders/{order_id}")
CANCEL_ORDER: Final = _write("orders.cancel", "DELETE", "/orders/{order_id}", urgent=True)
ORDER_BOOK: Final = _read("orders.book", "/orders")
ORDER: Final = _read("orders.one", "/orders/{order_id}")
ORDER_BY_CORRELATION: Final = _read("orders.by_correlation", "/orders/external/{correlation_id}")
TRADE_BOOK: Final = _read("trades.book", "/trades")
TRADES_OF_ORDER: Final = _read("trades.of_order", "/trades/{order_id}")
TRADE_HISTORY: Final = _read("trades.history", "/trades/{from_date}/{to_date}/{page}")
POSITIONS: Final = _read("positions", "/positions")
HOLDINGS: Final = _read("holdings", "/holdings")
CONVERT_POSITION: Final = _write("positions.convert", "POST", "/positions/convert", kind="others")
EXIT_ALL: Final = _write("positions.exit_all", "DELETE", "/positions", kind="others", urgent=True)

PLACE_SLICES: Final = _write("orders.place_slices", "POST", "/orders/slicing")
PLACE_SEVERAL: Final = _write("orders.place_several", "POST", "/alerts/multi/orders")

PLACE_SUPER_ORDER: Final = _write("super_orders.place", "POST", "/super/orders")
MODIFY_SUPER_ORDER: Final = _write("super_orders.modify", "PUT", "/super/orders/{order_id}")
CANCEL_SUPER_ORDER: Final = _write("super_orders.cancel", "DELETE", "/super/orders/{order_id}/{leg}", urgent=True)
SUPER_ORDERS: Final = _read("super_orders", "/super/orders")

PLACE_FOREVER_ORDER: Final = _write("forever_orders.place", "POST", "/forever/orders")
MODIFY_FOREVER_ORDER: Final = _write("forever_orders.modify", "PUT", "/forever/orders/{order_id}")
CANCEL_FOREVER_ORDER: Final = _write("forever_orders.cancel", "DELETE", "/forever/orders/{order_id}", urgent=True)
FOREVER_ORDERS: Final = _read("forever_orders", "/forever/orders")

PLACE_ALERT: Final = _write("alerts.place", "POST", "/alerts/orders")
MODIFY_ALERT: Final = _write("alerts.modify", "PUT", "/alerts/orders/{alert_id}")
CANCEL_ALERT: Final = _write("alerts.cancel", "DELETE", "/alerts/orders/{alert_id}", urgent=True)
ALERT: Final = _read("alerts.one", "/alerts/orders/{alert_id}")
ALERTS: Final = _read("alerts", "/alerts/orders")

EDIS_PIN: Final = Route(endpoint=Endpoint(name="edis.pin", kind="others", read=False), method="GET", path="/edis/tpin")
"""It sends the client a message, so it is no read."""

EDIS_FORM: Final = _write("edis.form", "POST", "/edis/form", kind="others")
EDIS_BULK_FORM: Final = _write("edis.bulk_form", "POST", "/edis/bulkform", kind="others")
EDIS_STATUS: Final = _read("edis.status", "/edis/inquire/{isin}")

SET_KILL_SWITCH: Final = _write("kill_switch.set", "POST", "/killswitch", kind="others", urgent=True)
KILL_SWITCH: Final = _read("kill_switch", "/killswitch")
SET_PNL_EXIT: Final = _write("pnl_exit.set", "POST", "/pnlExit", kind="others", urgent=True)
STOP_PNL_EXIT: Final = _write("pnl_exit.stop", "DELETE", "/pnlExit", kind="others")
PNL_EXIT: Final = _read("pnl_exit", "/pnlExit")

FUNDS: Final = _read("funds", "/fundlimit")
MARGIN: Final = _question("margin", "/margincalculator")
MULTI_MARGIN: Final = _question("margin.several", "/margincalculator/multi")
LEDGER: Final = _read("ledger", "/ledger")

LAST_PRICES: Final = _market("quotes.last", "/marketfeed/ltp", kind="quotes")
OHLC_QUOTES: Final = _market("quotes.ohlc", "/marketfeed/ohlc", kind="quotes")
QUOTES: Final = _market("quotes.book", "/marketfeed/quote", kind="quotes")
DAILY_CHART: Final = _market("charts.daily", "/charts/historical")
INTRADAY_CHART: Final = _market("charts.intraday", "/charts/intraday")
EXPIRED_CHART: Final = _market("charts.expired", "/charts/rollingoption")
OPTION_CHAIN: Final = _market("options.chain", "/optionchain", kind="option_chain", kept_s=3.0)
EXPIRIES: Final = _market("options.expiries", "/optionchain/expirylist", kept_s=60.0)

PROFILE: Final = _read("profile", "/profile")
SET_IP: Final = _write("ip.set", "POST", "/ip/setIP", kind="others")
MODIFY_IP: Final = _write("ip.modify", "PUT", "/ip/modifyIP", kind="others")
IP_ADDRESSES: Final = _read("ip", "/ip/getIP")

RENEW_TOKEN: Final = Route(
    endpoint=Endpoint(name="tokens.renew", kind="tokens", read=False), method="GET", path="/RenewToken"
)
"""The one before dies, so it is no read."""

GENERATE_TOKEN: Final = _write("tokens.generate", "POST", "/app/generateAccessToken", kind="tokens")
GENERATE_CONSENT: Final = _write("tokens.consent", "POST", "/app/generate-consent", kind="tokens")
CONSUME_CONSENT: Final = _write("tokens.consume", "POST", "/app/consumeApp-consent", kind="tokens")
"""These three are asked of `AUTH_URL`. The last is POST in production, GET in the official client."""


def base_url_of(text: str) -> str:
    """Return where the API is: a host alone means its version 2, since what answers without it is an older one."""
    return text if urlsplit(text).path.strip("/") else f"{text.rstrip('/')}/v2"
