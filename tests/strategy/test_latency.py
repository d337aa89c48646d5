"""A sample of durations: all of them while there is room, then each with the same chance."""

from random import Random
from types import SimpleNamespace

import pytest

from natya.actors.strategy.latency import LatencySample


def a_sample(*durations_ns, size=1024, random=None):
    found = LatencySample(random or Random(1), size=size)
    for duration_ns in durations_ns:
        found.add(duration_ns)
    return found


@pytest.mark.parametrize(
    ("durations_ns", "half_us", "most_us", "all_us"),
    [
        ((), 0.0, 0.0, 0.0),
        ((5_000,), 5.0, 5.0, 5.0),
        ((-7, 4_000), 4.0, 4.0, 4.0),
        ((3_000, 1_000, 2_000, 4_500), 3.0, 4.5, 4.5),
        (tuple(range(100_000, 0, -1_000)), 51.0, 100.0, 100.0),
    ],
    ids=["none", "one", "of a clock that stepped back", "four", "a hundred"],
)
def test_so_much_is_not_exceeded_by_that_part(durations_ns, half_us, most_us, all_us):
    found = a_sample(*durations_ns)

    assert [found.percentile_us(part) for part in (0.5, 0.99, 1.0)] == [half_us, most_us, all_us]


def test_one_that_stepped_back_counts_as_nothing():
    assert a_sample(-7).percentile_us(0.5) == 0.0


def test_behind_the_size_each_takes_the_place_that_is_drawn_or_none():
    drawn = iter([0.0, 0.5, 0.99])
    found = a_sample(1_000, 2_000, size=2, random=SimpleNamespace(random=lambda: next(drawn)))
    kept = []
    for duration_ns in (3_000, 4_000, 5_000):  # of three, four and five: places 0, 2 and 4
        found.add(duration_ns)
        kept.append((found.percentile_us(0.0), found.percentile_us(1.0)))

    assert kept == [(2.0, 3.0), (2.0, 3.0), (2.0, 3.0)]


def test_each_of_many_is_as_likely_to_be_kept():
    counts = [0] * 20
    for seed in range(2_000):
        found = a_sample(*range(1_000, 21_000, 1_000), size=5, random=Random(seed))
        for kept_ns in found._kept_ns:
            counts[kept_ns // 1_000 - 1] += 1

    assert sum(counts) == 5 * 2_000
    assert all(400 < count < 600 for count in counts)
