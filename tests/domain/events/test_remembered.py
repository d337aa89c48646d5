import zlib

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.events.remembered import PART_MAX, PARTS, RememberedIds, SharedParts


@given(
    window=st.integers(0, 200),
    numbers=st.lists(st.integers(0, 400), max_size=600),
    prefix=st.sampled_from(["e-", "01a22c39-d39f-79f0-a83a-", "\ud800"]),
)
def test_the_newest_are_remembered_and_few_more(window, numbers, prefix):
    remembered = RememberedIds(window, SharedParts())
    ids = [f"{prefix}{number}" for number in numbers]
    for each in ids:
        remembered.add(each)

    assert all(each in remembered for each in ids[len(ids) - min(window, len(ids)) :])
    assert f"{prefix}never" not in remembered
    assert len(remembered) <= window + 2 * PART_MAX * max(1, window // PARTS)


def test_few_more_are_remembered_also_of_ids_that_all_choose_not_to_end_a_part():
    window = 160
    ids = [each for each in map(str, range(3_000)) if zlib.crc32(each.encode()) % (window // PARTS)]
    remembered = RememberedIds(window, SharedParts())
    for each in ids:
        remembered.add(each)

    assert len(remembered) <= window + 2 * PART_MAX * (window // PARTS)
    assert all(each in remembered for each in ids[-window:])


def test_the_newest_are_remembered_at_each_moment_wherever_parts_end():
    window = 160
    ids = [f"e-{number}" for number in range(3_000)]
    remembered, forgotten = RememberedIds(window, SharedParts()), []
    for number, each in enumerate(ids):
        remembered.add(each)
        if ids[max(0, number + 1 - window)] not in remembered:
            forgotten.append(number)

    assert forgotten == []


def test_those_of_many_that_want_the_same_are_kept_once_wherever_each_began():
    shared, window, count = SharedParts(), 1_600, 50
    ids = [f"01a22c39-d39f-79f0-a83a-{number:012}" for number in range(5_000)]
    all_of_them = [RememberedIds(window, shared) for _ in range(count)]
    for number, each in enumerate(all_of_them):
        for event_id in ids[number * 17 :]:
            each.add(event_id)

    assert all(ids[-1] in each and ids[-window] in each and ids[0] not in each for each in all_of_them)
    assert len(shared) <= 2 * PARTS


def test_what_nobody_remembers_any_more_is_not_kept():
    shared = SharedParts()
    remembered = RememberedIds(100, shared)
    for number in range(10_000):
        remembered.add(f"e-{number}")
    before = len(shared)
    del remembered

    assert 0 < before <= 4 * PARTS
    assert len(shared) == 0


def test_equal_parts_are_one():
    shared = SharedParts()
    first, second = frozenset(["e-1"]), frozenset(("e-1", "e-1"))

    assert first is not second
    assert shared.of(first) is shared.of(second) is first
    assert shared.of(frozenset(["e-2"])) == {"e-2"}
