"""The telemetry actor: posts what is recorded of conversations to a collector of OpenTelemetry.

Owns    the connection to the collector; the hops that were recorded since it posted last, `HOPS_MAX` at most.
Hears   nothing but its own timer.
Sends   nothing.
Fails   for good where the library is not installed. Not by a collector that does not take spans: they are dropped,
        which is logged, and the next are posted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ...config.sections.telemetry import TelemetrySettings
from ..runtime import RuntimeActor, handles
from .spans import Spans

if TYPE_CHECKING:
    from ..runtime import ActorAddress

TIMEOUT_S: Final = 5.0


class PostDue(msgspec.Struct, frozen=True):
    """To itself: post what was recorded."""


class TelemetryActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    telemetry: TelemetrySettings
    instance: str
    """Profile and data directory, which tell systems apart."""


class TelemetryActor(RuntimeActor):
    """Posts spans."""

    blocking: ClassVar[bool] = True  # HTTP
    background: ClassVar[bool] = True  # a simulated market does not wait for a collector
    system_time: ClassVar[bool] = True

    settings: TelemetryActorSettings

    def on_start(self) -> None:
        """Begin to listen."""
        wanted = self.settings.telemetry
        self._spans = Spans(wanted.endpoint, timeout_s=TIMEOUT_S, instance=self.settings.instance)
        self.new_hops()
        self.after_on_machine(wanted.interval_s, PostDue())

    def on_stop(self) -> None:
        """Post the last, and let go."""
        self._post()
        self._spans.close()

    @handles(PostDue)
    def post(self, _message: PostDue, _sender: ActorAddress) -> None:
        """Post what was recorded since."""
        self._post()
        self.after_on_machine(self.settings.telemetry.interval_s, PostDue())

    def _post(self) -> None:
        hops = self.new_hops()
        taken = not hops or self._spans.post(hops)
        self.trouble = "" if taken else f"{self.settings.telemetry.endpoint} takes no spans"
        if not taken:
            self.log_bounded("telemetry.dropped", level="warning", spans=len(hops), reason=self.trouble)
