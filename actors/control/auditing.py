"""Audited operations (plain): who asked for what, and the outcome, in the log and in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ...messages.addresses import JOURNAL
from ...messages.control import OperationAnswered, OperationAsked
from ...messages.journal import Append, Appended
from ..observability import Redactor
from .operations import arguments_of

if TYPE_CHECKING:
    from ...messages.control import ControlFact
    from ..runtime import Outcome
    from ..runtime.clock import Clock
    from ..runtime.offload import Then
    from .operations import Operation

JOURNAL_S: Final = 10.0
"""Seconds that the journal may take before the log says that an audited operation is missing in it."""


class Host(Protocol):
    """The part of an actor that is needed here."""

    clock: Clock

    def ask(self, target: str, message: Any, *, timeout_s: float, then: Then) -> None:
        """Send a request."""

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event."""

    def log_bounded(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event that may come thousands of times."""


class Audit:
    """Logs and journals operations. Nothing waits for the journal; what it does not take is told by the log."""

    def __init__(self, actor: Host) -> None:
        """Begin with the redactor of the log: secrets are in neither."""
        self._actor: Final = actor
        self._redactor: Final = Redactor()

    def asked(
        self, operation: Operation, message: msgspec.Struct, actor: str, request: str, who: str, **fields: Any
    ) -> None:
        """Log who asks for what, and give it to the journal, before anything is done.

        Args:
            operation: what is asked for; it is audited.
            message: its arguments.
            actor: whom it is asked of.
            request: a name that its answer will have, too.
            who: asks.
            fields: what the log says besides of who asks.
        """
        arguments, role = arguments_of(message), operation.role_of(message)
        self._actor.log(
            "operation.asked",
            operation=operation.name,
            role=role,
            **fields,
            request=request,
            arguments=arguments,
        )
        if not operation.journals_itself:
            shown = {name: self._redactor.field(name, value) for name, value in arguments.items()}
            self._journal(
                OperationAsked(
                    request=request,
                    operation=operation.name,
                    role=role,
                    actor=actor,
                    who=who,
                    arguments=msgspec.json.encode(shown).decode(),
                    occurred_ns=self._actor.clock.now_ns(),
                )
            )

    def answered(self, operation: Operation, request: str, outcome: Outcome) -> None:
        """Log and journal the outcome of an operation, if it is audited."""
        if not operation.audited:
            return
        came_of_it = type(outcome.value).__name__ if outcome.error is None else type(outcome.error).__name__
        self._actor.log("operation.answered", operation=operation.name, request=request, answer=came_of_it)
        if not operation.journals_itself:
            self._journal(
                OperationAnswered(
                    request=request,
                    operation=operation.name,
                    answer=came_of_it,
                    occurred_ns=self._actor.clock.now_ns(),
                )
            )

    def _journal(self, fact: ControlFact) -> None:
        def written(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                reason = str(outcome.error or outcome.value)
                self._actor.log_bounded("audit.not_journaled", level="error", operation=fact.operation, reason=reason)

        self._actor.ask(JOURNAL, Append(facts=(fact,)), timeout_s=JOURNAL_S, then=written)
