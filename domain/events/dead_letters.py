"""The book of dead letters: which there are, and their state. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...messages.delivery import DeadLettersChanged, DeadLettersListed, EventDeadLettered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...messages.delivery import ListDeadLetters

PAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of a page, about: as much of it as an answer may have, whose texts may take four bytes a character."""


class DeadLetterBook:
    """Dead letters by id, in the order in which they died; built of facts alone, so that a repeat changes nothing."""

    def __init__(self) -> None:
        self._letters: dict[str, EventDeadLettered] = {}
        self._requeued: set[str] = set()
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._letters)

    def __contains__(self, letter_id: str) -> bool:
        return letter_id in self._letters

    def __getitem__(self, letter_id: str) -> EventDeadLettered:
        return self._letters[letter_id]

    def get(self, letter_id: str) -> EventDeadLettered | None:
        """Return one; None if there is none of this id."""
        return self._letters.get(letter_id)

    def apply(self, fact: Any) -> None:
        """Take note of a fact; those of other kinds are left out."""
        match fact:
            case EventDeadLettered():
                self._remove(fact.letter_id)
                self._letters[fact.letter_id] = fact
                self._counts[fact.subscription] += 1
            case DeadLettersChanged(change="requeued"):
                for letter_id in fact.letter_ids:
                    self._requeue(letter_id, fact.payload)
            case DeadLettersChanged():
                for letter_id in fact.letter_ids:
                    self._remove(letter_id)

    def is_requeued(self, letter_id: str) -> bool:
        """Tell whether one is on its way to its subscriber again."""
        return letter_id in self._requeued

    def requeued_of(self, subscription: str) -> tuple[EventDeadLettered, ...]:
        """Return those on their way to a subscription, in the order of the journal."""
        found = [self._letters[each] for each in self._requeued if self._letters[each].subscription == subscription]
        return tuple(sorted(found, key=lambda letter: letter.sequence))

    def count_of(self, subscription: str) -> int:
        """Count the dead letters of a subscription."""
        return self._counts[subscription]

    def oldest_ns(self) -> int:
        """Return when the oldest failed for the last time; 0 if there is none."""
        return next((letter.last_failed_ns for letter in self._letters.values()), 0)

    def changeable(self, letter_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of these ids that may be changed, in the order of the journal, each once.

        None that is on its way again: it may be handled already.
        """
        found = dict.fromkeys(each for each in letter_ids if each in self._letters and each not in self._requeued)
        return tuple(sorted(found, key=lambda each: self._letters[each].sequence))

    def expired(self, before_ns: int, count_max: int) -> tuple[str, ...]:
        """Return the oldest ones that failed before this time, or are more than so many."""
        surplus = len(self._letters) - count_max
        return tuple(
            letter_id
            for number, (letter_id, letter) in enumerate(self._letters.items())
            if letter_id not in self._requeued and (number < surplus or letter.last_failed_ns < before_ns)
        )

    def find(self, wanted: ListDeadLetters) -> DeadLettersListed:
        """Return a page of those that are wanted, and how many there are in all.

        A page of large ones has fewer than are asked for; the last page of all has none.
        """
        matching = self._matching(wanted)
        start = 0
        if wanted.after:
            start = next((number for number, each in enumerate(matching, 1) if each.letter_id == wanted.after), 0)
        page = tuple(_first(islice(matching, start, start + wanted.rows_max)))
        return DeadLettersListed(
            letters=page,
            requeued=tuple(each.letter_id for each in page if each.letter_id in self._requeued),
            found=len(matching),
        )

    def _matching(self, wanted: ListDeadLetters) -> list[EventDeadLettered]:
        if wanted.letter_id:
            found = self._letters.get(wanted.letter_id)
            matching = [] if found is None else [found]
        else:
            matching = list(self._letters.values())
        # One filter after the other: each is a plain loop, and the first leaves few to the next.
        if wanted.subscription:
            matching = [each for each in matching if each.subscription == wanted.subscription]
        if wanted.error:
            matching = [each for each in matching if each.error == wanted.error]
        if wanted.event_type:
            matching = [each for each in matching if each.event.event_type == wanted.event_type]
        if wanted.key:
            matching = [each for each in matching if each.event.aggregate_id == wanted.key]
        return matching

    def _remove(self, letter_id: str) -> None:
        letter = self._letters.pop(letter_id, None)
        self._requeued.discard(letter_id)
        if letter is not None:
            self._counts[letter.subscription] -= 1

    def _requeue(self, letter_id: str, payload: bytes | None) -> None:
        letter = self._letters.get(letter_id)
        if letter is None:
            return
        self._requeued.add(letter_id)
        if payload is not None:
            event = msgspec.structs.replace(letter.event, payload=payload)
            self._letters[letter_id] = msgspec.structs.replace(letter, event=event)


def _first(letters: Iterable[EventDeadLettered]) -> Iterator[EventDeadLettered]:
    """Return as many as an answer may have, one at least."""
    size = 0
    for number, each in enumerate(letters):
        size += len(each.event.payload) + len(each.traceback) + len(each.reason)
        if number and size > PAGE_BYTES_MAX:
            return
        yield each
