"""How many requests Dhan allows."""

from datetime import date

import pytest

from natya.domain.dhan import limits
from natya.domain.dhan.limits import limits_on
from natya.domain.quotas import Quota
from natya.domain.time import DAY_NS, SECOND_NS

TODAY = date(2026, 11, 28)


class TestOfADay:
    def test_are_those_of_its_kind(self):
        found = limits_on(TODAY)

        assert sorted(found) == ["data", "option_chain", "orders", "others", "quotes", "tokens"]
        assert [str(quota) for quota in found["orders"].quotas] == [
            "10 in 1s",
            "250 in 1m",
            "1000 in 1h",
            "7000 in 1d",
        ]
        assert [quota.reserved for quota in found["orders"].quotas] == [2, 25, 100, 300]
        assert found["orders"].each_key == Quota(25, None)
        assert found["data"].quotas == (Quota(5, SECOND_NS), Quota(100_000, DAY_NS))
        assert found["option_chain"].each_key == Quota(1, 3 * SECOND_NS)
        assert found["quotes"].quotas == (Quota(1, SECOND_NS),)
        assert found["others"].quotas == (Quota(20, SECOND_NS),)
        assert (found["option_chain"].quotas, found["option_chain"].also) == ((), "data")
        assert found["tokens"].quotas == (Quota(1, 120 * SECOND_NS),)
        assert {kind for kind, each in found.items() if each.each_key is not None} == {"orders", "option_chain"}
        assert {kind for kind, each in found.items() if each.also} == {"option_chain"}

    def test_that_nobody_knows_is_refused(self):
        with pytest.raises(ValueError, match="a day from 2025-09-08 on wanted for limits of orders, found 2025-09-07"):
            limits_on(date(2025, 9, 7))

    def test_hold_from_their_first_day_on(self):
        assert limits_on(date(2025, 9, 22)) == limits_on(TODAY)

    def test_are_the_newest_that_hold_already(self, monkeypatch):
        tables = [
            {"since": date(2025, 9, 1 + number), "windows": [{"requests": number, "period": "1s"}]}
            for number in (1, 3, 2)
        ]
        monkeypatch.setattr(limits, "_tables", lambda: {"orders": tables})

        days = (date(2025, 9, day) for day in (2, 3, 4, 30))
        assert [limits_on(day)["orders"].quotas for day in days] == [
            (Quota(number, SECOND_NS),) for number in (1, 2, 3, 3)
        ]
