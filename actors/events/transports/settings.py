"""Settings of the bridge."""

from __future__ import annotations

import msgspec

from ....config.sections.redis import RedisSettings
from ....messages.delivery import DeliveryTerms


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section `[redis]`, and how patient the bridge is."""

    server: RedisSettings

    confirm_s: float = 5.0
    """Seconds that a batch is watched until the others have confirmed it; then delivery hands it over anew."""

    retry_s: float = 0.25
    """Seconds until delivery is asked again where it did not answer, and the first wait for the server."""

    retry_s_max: float = 5.0
    """The longest such wait."""

    reset_s: float = 0.5
    """Seconds that the way out rests after `DeliveryTerms.fail_max` failures in a row."""

    @property
    def terms(self) -> DeliveryTerms:
        """Terms of the bridge's durable subscription: a batch of each stream under way, no event ever given up."""
        return DeliveryTerms(
            partitions=self.server.partitions,
            batch_max=256,
            retry_first_s=0.1,
            retry_max_s=5.0,
            handling_s=self.confirm_s * 4 + 10.0,
            reset_s=self.reset_s,
        )
