"""A journal that is read page by page."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime import JournalPages, Outcome
from natya.messages.journal import JournalPage, ReadJournal
from natya.messages.supervision import Unavailable

DOWN = Outcome(value=Unavailable(actor="journal", reason="it is down", retry_after_s=1.0))


class Reader:
    """Asks a journal of these sequences, which answers at once or, as often as told, not at all."""

    def __init__(self, sequences, silences, *, page, after=0):
        self.sequences, self.silences = sequences, [*silences]
        self.asked, self.taken, self.ends = [], [], 0
        request = ReadJournal(after_sequence=after, records_max=page, types=("GapFilled",))
        self.pages = JournalPages(
            self, request, timeout_s=2.0, take=self.taken.append, done=self.end, unanswered=self.read_again
        )
        self.pages.read()

    def end(self):
        self.ends += 1

    def read_again(self, outcome):
        assert outcome is DOWN
        self.pages.read()

    def ask(self, target, request, *, timeout_s, then):
        self.asked.append((target, request.types, timeout_s))
        if self.silences and self.silences.pop(0):
            then(DOWN)
            return
        found = [each for each in self.sequences if each > request.after_sequence][: request.records_max]
        records = tuple(SimpleNamespace(sequence=each) for each in found)
        then(Outcome(value=JournalPage(records=records, last_sequence=(self.sequences or [0])[-1] + 1)))


@given(
    sequences=st.lists(st.integers(1, 60), unique=True).map(sorted),
    silences=st.lists(st.booleans(), max_size=6),
    page=st.integers(1, 5),
    after=st.integers(0, 10),
)
def test_has_each_record_once_in_order_however_often_the_journal_was_silent(sequences, silences, page, after):
    reader = Reader(sequences, silences, page=page, after=after)

    assert [each.sequence for each in reader.taken] == [each for each in sequences if each > after]
    assert reader.ends == 1
    assert reader.pages.sequence == max(after, (sequences or [0])[-1] + 1)
    assert set(reader.asked) == {("journal", ("GapFilled",), 2.0)}


def test_knows_how_far_it_is_before_and_after_it_is_read():
    reader = Reader([3, 4], [True], page=2, after=2)
    pages = JournalPages(reader, ReadJournal(after_sequence=2), timeout_s=2.0, take=print, done=print, unanswered=print)

    assert (pages.sequence, pages.newest) == (2, 0)
    assert (reader.pages.sequence, reader.pages.newest) == (5, 5)


def test_read_again_has_what_is_new():
    reader = Reader([1, 2], [], page=2)
    reader.sequences = [1, 2, 5]
    reader.pages.read()

    assert [each.sequence for each in reader.taken] == [1, 2, 5]
    assert reader.ends == 2
