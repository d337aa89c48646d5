"""The same body at the paper exchange of this system: over HTTP, at no other address than where that is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from .....messages.addresses import WIRE
from .....messages.exchange import FindWire, WireFound
from ...body import Due
from .body import DhanBroker
from .service import NO_UPDATES, service_of, updates_of

if TYPE_CHECKING:
    from .....config.sections.broker import BrokerSettings
    from ....external import ExternalSettings
    from ....runtime import Outcome
    from ...access_token import AccessToken
    from ...updates import UpdatesSettings
    from .body import DhanOptions

LOOPBACK: Final = "http://127.0.0.1"
"""Whatever the settings say: an order of paper goes to no other host."""

ANSWER_S: Final = 5.0
AGAIN_S: Final = 0.5


class WiredPaperBroker(DhanBroker):
    """Finds out where the paper exchange is served, and trades there as at Dhan."""

    IS_PAPER: ClassVar[bool] = True
    INSTRUMENTS_OWNER: ClassVar[str] = WIRE

    @classmethod
    def service(cls, settings: BrokerSettings, options: DhanOptions, token: AccessToken) -> ExternalSettings:
        """Return what the owner of the calls is told: this machine alone."""
        del options
        return service_of(settings, token, base_url=LOOPBACK)

    @classmethod
    def updates(cls, settings: BrokerSettings, options: DhanOptions, token: AccessToken) -> UpdatesSettings | None:
        """Return what the owner of the socket is told: to ask where that is."""
        return None if options.order_updates == NO_UPDATES else updates_of(settings, token, None)

    def _base_url(self) -> None:
        return None

    def open(self) -> None:
        """Ask where the exchange is; what is wanted of it until then waits."""
        self._session.ask(WIRE, FindWire(), timeout_s=ANSWER_S, then=self._be_told)

    def _be_told(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, WireFound):
            self._talk.is_at(outcome.value.rest)
        else:
            self._session.after(AGAIN_S, Due(self.open))
