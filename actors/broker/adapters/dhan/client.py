"""The client: profile, addresses that orders may come from, consents to deliver shares, a new token."""

from __future__ import annotations

from collections.abc import Sequence

from .....domain.dhan.account.edis import (
    EdisBulkFormRequest,
    EdisExchange,
    EdisForm,
    EdisFormRequest,
    EdisSegment,
    EdisStatus,
)
from .....domain.dhan.account.profile import IpAck, IpAddresses, IpFlag, IpRequest, Profile
from .....domain.dhan.decoding import row_reader
from ....external import PendingResult
from ...bodies.dhan import endpoints
from ...bodies.dhan.endpoints import Route
from ..results import WriteAccepted, WriteRefused, WriteResult, fields_of
from .calls import DhanCalls
from .reading import RenewedToken, nothing, token


class Client(DhanCalls):
    """The client: profile, IP addresses, consents, and the token."""

    def get_profile(self) -> PendingResult:
        """Read who the client is, and until when the token is valid: `Profile`."""
        return self._read(endpoints.PROFILE, row_reader(Profile))

    def renew_token(self) -> PendingResult:
        """Have a token that was made in the web page replaced by a new one of 24 hours, and use that: `RenewedToken`.

        If the outcome is unknown, the token in use may be dead.
        """
        return self._write(endpoints.RENEW_TOKEN, token, finish=self._use)

    def _use(self, outcome: WriteResult) -> WriteResult:
        if isinstance(outcome.data, RenewedToken):
            self._token.replace(outcome.data.secret)
        return outcome

    # Addresses.

    def get_ip(self) -> PendingResult:
        """Read from which addresses orders may come: `IpAddresses`."""
        return self._read(endpoints.IP_ADDRESSES, row_reader(IpAddresses))

    def set_ip(self, address: str, *, flag: IpFlag = "PRIMARY") -> PendingResult:
        """Say from which address orders will come, for seven days at least: `IpAck`."""
        return self._say_ip(endpoints.SET_IP, address, flag)

    def modify_ip(self, address: str, *, flag: IpFlag = "PRIMARY") -> PendingResult:
        """Set another address that orders will come from: `IpAck`."""
        return self._say_ip(endpoints.MODIFY_IP, address, flag)

    def _say_ip(self, route: Route, address: str, flag: IpFlag) -> PendingResult:
        request = IpRequest(dhan_client_id=self.client_id, ip=address, ip_flag=flag)
        return self._write(route, row_reader(IpAck), request=request, finish=_unless_refused)

    # Consents (eDIS).

    def send_tpin(self) -> PendingResult:
        """Have a PIN for consents sent to the client."""
        return self._write(endpoints.EDIS_PIN, nothing)

    def get_edis_form(
        self, isin: str, quantity: int, *, exchange: EdisExchange = "NSE", segment: EdisSegment = "EQ"
    ) -> PendingResult:
        """Make the page on which the client consents to a delivery: `EdisForm`."""
        request = EdisFormRequest(isin=isin, qty=quantity, exchange=exchange, segment=segment)
        return self._write(endpoints.EDIS_FORM, row_reader(EdisForm), request=request)

    def get_edis_bulk_form(
        self, isins: Sequence[str], *, exchange: EdisExchange = "NSE", segment: EdisSegment = "EQ"
    ) -> PendingResult:
        """Make the page on which the client consents to several: `EdisForm`."""
        request = EdisBulkFormRequest(isin=tuple(isins), exchange=exchange, segment=segment)
        return self._write(endpoints.EDIS_BULK_FORM, row_reader(EdisForm), request=request)

    def get_edis_status(self, isin: str = "ALL") -> PendingResult:
        """Read how much may be delivered: `EdisStatus`."""
        return self._read(endpoints.EDIS_STATUS, row_reader(EdisStatus), {"isin": isin})


def _unless_refused(outcome: WriteResult) -> WriteResult:
    """Find the refusal in an answer with the status of a success."""
    if isinstance(outcome, WriteAccepted) and isinstance(outcome.data, IpAck) and outcome.data.status == "ERROR":
        fields = fields_of(outcome) | {"success": False, "error": outcome.data.message}
        return WriteRefused(**fields, text=outcome.data.message, meaning="address")
    return outcome
