"""The bodies of the broker session: one file a broker, and one line in this table; loaded when it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....config.errors import SettingsError
from ....config.options import choose_body, decode_options
from ....domain.lazily import LoadedByName

if TYPE_CHECKING:
    from collections.abc import Mapping

    import msgspec

    from ....config.sections.broker import BrokerSettings
    from ..body import BrokerBody

BROKERS: Final[LoadedByName[type[BrokerBody]]] = LoadedByName(
    __name__, {"paper": ".paper:PaperBroker", "dhan": ".dhan:DhanBroker"}
)
"""By the name in the settings (`broker.name`)."""

WIRED: Final[LoadedByName[type[BrokerBody]]] = LoadedByName(__name__, {"paper": ".dhan:WiredPaperBroker"})
"""The bodies where `broker.wire` is set: they speak HTTP instead of messages."""


def broker_of(
    settings: BrokerSettings, origins: Mapping[str, str] | None = None
) -> tuple[type[BrokerBody], msgspec.Struct]:
    """Return the body that the settings name, and its options.

    Args:
        settings: of the broker session.
        origins: where the values came from, by key, for the error.

    Raises:
        SettingsError: there is no such body, or it refuses its options.
    """
    given = origins or {}
    bodies = WIRED if settings.wire else BROKERS
    body: type[BrokerBody] = choose_body(bodies, settings.name, key="broker.name", origins=given)
    options = decode_options(body.OPTIONS, settings.options, key="broker.options", origins=given)
    check = getattr(options, "problem", None)
    if check is not None and (problem := check()):
        raise SettingsError((f"broker.options.{problem}",))
    return body, options
