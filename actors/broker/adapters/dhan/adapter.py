"""`DhanBrokerAdapter`: Dhan's REST API for asyncio and for threads.

    credentials = BrokerCredentials(client_id="1100012345", access_token=token)
    async with DhanBrokerAdapter("1100012345", token) as broker:
        if await broker.authenticate(credentials):
            order = OrderRequest(symbol="RELIANCE", side="BUY", quantity=10, order_type="MARKET")
            result = await broker.place_order(order)
            if isinstance(result, WriteUnknown):
                result = await broker.resolve(order)

    with DhanBrokerAdapter("1100012345", token) as broker:
        broker.get_positions().result().data

It keeps to Dhan's limits, repeats what only reads, and sends what does something once. It is for programs that talk to
a broker by themselves: its orders are not in a journal, and no risk rule looks at them.
"""

from __future__ import annotations

from concurrent.futures import Future

from .....domain.dhan.account.profile import Profile
from .....domain.dhan.decoding import row_reader
from ....external import Conversation, ExternalServiceResult, Pending
from ...bodies.dhan import endpoints
from ..interface import BrokerAdapter
from ..orders import BrokerCredentials
from .charts import Charts
from .client import Client
from .legs import Legs
from .market import Market
from .portfolio import Portfolio


class DhanBrokerAdapter(Legs, Portfolio, Market, Charts, Client, BrokerAdapter):
    """A client of Dhan's REST API; for its arguments see `DhanCalls`."""

    authentication: ExternalServiceResult | None = None
    """The result of the last `authenticate`; None: there was none."""

    def authenticate(self, credentials: BrokerCredentials) -> Pending[bool]:
        """Use these credentials from now on, and ask Dhan whether they are valid; see `authentication` for why not.

        False also where Dhan cannot be reached; only a token that Dhan rejects is no longer used.
        """
        self._client_id = credentials.client_id
        self._token.replace(credentials.secret)
        future: Future[ExternalServiceResult] = Future()
        return self.converse(self._authenticating(credentials.client_id), future).then(_is_success)

    def _authenticating(self, client_id: str) -> Conversation:
        result = self._told((yield self._call(endpoints.PROFILE, row_reader(Profile))))
        if result.success and result.data.dhan_client_id != client_id:
            error = "a token of this client wanted, found that of another"
            result = ExternalServiceResult(success=False, error=error, status_code=result.status_code, sent="yes")
        self.authentication = result
        return result


def _is_success(result: ExternalServiceResult) -> bool:
    return result.success
