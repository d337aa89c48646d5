"""The wire form of domain events: written as `EventPublished`, and read by the classes that a process has. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...messages.codec import UndecodableMessageError, as_received, decode, encode
from ...messages.delivery import EventPublished
from ...messages.domain_events import DomainEvent, IntegrationEvent, UnknownEvent
from ...messages.journal import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...messages.journal import JournalRecord

ENVELOPE: Final = DomainEvent.__struct_fields__
"""Fields that `EventPublished` has itself."""

NOT_YET: Final = "not yet"
"""Stands for the id of an event that has none while it is looked at."""

_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_decoder = msgspec.msgpack.Decoder(dict[str, Any])


class EventInvalidError(ValueError):
    """An event that nobody could read: a field has another type than its class declares, or is out of range."""


class EventUndecodableError(ValueError):
    """The bytes of an event are not such as its class, or any class, reads."""


class EventNameTakenError(ValueError):
    """Two classes of one name: which one reads an event of that name is not to be guessed."""


def write(event: DomainEvent) -> EventPublished:
    """Write an event as the journal keeps it, checked as its readers check it; it may lack an id yet.

    Raises:
        EventInvalidError: a field is not as declared, or of a type that has no wire form, or all are too large.
    """
    if isinstance(event, UnknownEvent):
        name, version, fields = event.event_type, event.written_version, event.fields
    else:
        name, version = type(event).__name__, event.version
        fields = msgspec.structs.asdict(event)
        for each in ENVELOPE:
            del fields[each]
    try:
        published = EventPublished(
            event_id=event.event_id,
            event_type=name,
            version=version,
            aggregate_id=event.aggregate_id,
            occurred_ns=event.occurred_ns,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            topic=event.topic,
            kind=event.kind,
            payload=_encoder.encode(fields),
        )
        read = _fields_of(published)
        if not isinstance(event, UnknownEvent):
            _as_class(type(event), published, read)
        as_received(published if published.event_id else msgspec.structs.replace(published, event_id=NOT_YET))
    except UndecodableMessageError as fault:
        raise EventInvalidError(f"{name} with fields as declared wanted: {_named(str(fault))}") from fault
    except (EventUndecodableError, TypeError, ValueError, OverflowError, RecursionError) as fault:
        raise EventInvalidError(f"{name} with fields as declared wanted: {fault}") from fault
    return published


def event_of(record: JournalRecord) -> EventPublished:
    """Return what a journaled record is to a durable subscription: the event, or the fact as if it were one."""
    fact = record.fact
    if isinstance(fact, EventPublished):
        return fact
    name = type(fact).__name__
    key = key_of(fact) or getattr(fact, "symbol", "")
    return EventPublished(
        event_id=f"journal-{record.sequence}",
        event_type=name,
        version=1,
        aggregate_id=key,
        occurred_ns=getattr(fact, "occurred_ns", record.recorded_ns),
        correlation_id=record.correlation_id,
        topic=f"facts.{name}.{key}",
        kind="fact",
        payload=encode(fact),
    )


class EventCatalog:
    """Reads events: each by the class of its name, those of classes it does not have as `UnknownEvent`.

    Args:
        classes: that it reads; None: every subclass of `DomainEvent` that is defined when one is first looked for.

    Raises:
        EventNameTakenError: two of the classes have one name.
    """

    def __init__(self, classes: Iterable[type[DomainEvent]] | None = None) -> None:
        self._all: Final = classes is None
        self._classes: dict[str, type[DomainEvent]] = {}
        for each in classes or ():
            if self._classes.setdefault(each.__name__, each) is not each:
                raise EventNameTakenError(_taken(each.__name__))

    def read(self, published: EventPublished) -> DomainEvent:
        """Read an event; older versions by the class's upcasters, fields that it does not have are left out.

        Raises:
            EventUndecodableError: the bytes are no map of msgpack, or not such as the class reads.
            EventNameTakenError: this process has two classes of this name.
        """
        fields = _fields_of(published)
        event_class = self._class_of(published.event_type)
        if event_class is None:
            return UnknownEvent(
                event_type=published.event_type,
                written_version=published.version,
                written_topic=published.topic,
                fields=fields,
                **_envelope_of(published),
            )
        version = published.version
        while version < event_class.version:
            upcast = event_class.upcasters.get(version)
            if upcast is not None:
                try:
                    fields = upcast(fields)
                except Exception as fault:
                    raise EventUndecodableError(
                        f"{event_class.__name__} of version {version} does not become one of the next: "
                        f"{type(fault).__name__}: {fault}"
                    ) from fault
            version += 1
        return _as_class(event_class, published, fields)

    def read_any(self, published: EventPublished) -> Any:
        """Read an event, or a fact of natya's own: that is the message itself.

        Raises:
            EventUndecodableError: it cannot be read.
            EventNameTakenError: this process has two classes of this name.
        """
        if published.kind != "fact":
            return self.read(published)
        try:
            return decode(published.payload)
        except UndecodableMessageError as fault:
            raise EventUndecodableError(f"{published.event_type}: {fault}") from fault

    def _class_of(self, name: str) -> type[DomainEvent] | None:
        found = self._classes.get(name)
        if found is None and self._all:
            named = {each for each in _below(DomainEvent) if each.__name__ == name}
            if len(named) > 1:
                raise EventNameTakenError(_taken(name))
            if named:
                found = self._classes[name] = named.pop()
        return found


def _named(fault: str) -> str:
    """Return a fault of an `EventPublished`, which travels as a list, with the name of the field."""
    names = EventPublished.__struct_fields__
    return re.sub(r"\$\[(\d+)\]", lambda place: f"$.{names[int(place[1]) - 1]}", fault)


def _fields_of(published: EventPublished) -> dict[str, Any]:
    try:
        return _decoder.decode(published.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise EventUndecodableError(f"{published.event_type}: {fault or type(fault).__name__}") from fault


def _as_class(event_class: type[DomainEvent], published: EventPublished, fields: dict[str, Any]) -> DomainEvent:
    try:
        return msgspec.convert({**fields, **_envelope_of(published)}, event_class)
    except (msgspec.ValidationError, RecursionError) as fault:
        raise EventUndecodableError(f"{published.event_type} of version {published.version}: {fault}") from fault


def _envelope_of(published: EventPublished) -> dict[str, Any]:
    return {  # written out: a third of the time of a loop over `ENVELOPE`
        "aggregate_id": published.aggregate_id,
        "event_id": published.event_id,
        "occurred_ns": published.occurred_ns,
        "correlation_id": published.correlation_id,
        "causation_id": published.causation_id,
    }


def _below(event_class: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    for each in event_class.__subclasses__():
        if each not in {IntegrationEvent, UnknownEvent}:
            yield each
        yield from _below(each)


def _taken(name: str) -> str:
    return f"one class of events named {name!r} wanted, found several"
