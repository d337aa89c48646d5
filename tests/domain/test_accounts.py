"""Which account a run trades on."""

import pytest

from natya.domain.accounts import Accounts, AccountUnfinishedError
from natya.messages.accounts import AccountEntered, RecordingPlayed

PLAYED = RecordingPlayed(source="r", ticks=1, candles=0, occurred_ns=1)


def after(*choices):
    """Accounts behind runs of these kinds; "played" ends the one before."""
    accounts = Accounts()
    for choice in choices:
        fact = PLAYED if choice == "played" else accounts.choose(choice, 1)
        if fact is not None:
            accounts.apply(fact)
    return accounts


@pytest.mark.parametrize(
    "choices", [(), ("new",), ("new", "played", "new"), ("new", "new", "played", "session", "newest")], ids=str
)
def test_what_was_kept_goes_on_as_what_was_not(choices):
    accounts = after(*choices)
    again = Accounts.from_kept(accounts.kept())
    assert (again.current, again.newest, again.kept()) == (accounts.current, accounts.newest, accounts.kept())
    again.apply(PLAYED)
    accounts.apply(PLAYED)

    assert again.kept() == accounts.kept()
    assert again.choose("new", 5) == accounts.choose("new", 5)


class TestASession:
    def test_goes_on_with_its_account_and_writes_nothing(self):
        assert after().choose("session", 5) is None
        assert after("session", "session").choose("session", 5) is None
        assert after("newest").choose("session", 5) is None  # of which a replay in it was stopped in the middle

    def test_comes_back_to_it_behind_a_replay(self):
        assert after("new").choose("session", 5) == AccountEntered(account=0, choice="session", occurred_ns=5)


class TestAReplay:
    def test_has_an_account_that_never_was(self):
        assert after().choose("new", 5) == AccountEntered(account=1, choice="new", occurred_ns=5)
        assert after("new", "new", "session", "new").choose("new", 5).account == 4

    def test_goes_on_with_the_newest_account_when_it_is_told_to(self):
        assert after("new", "played", "new", "played", "session").choose("newest", 5).account == 2
        assert after("new", "played", "newest", "played").choose("newest", 5).account == 1
        assert after().choose("newest", 5).account == 0

    @pytest.mark.parametrize("before", [("new",), ("new", "session"), ("new", "played", "newest")])
    def test_does_not_go_on_where_another_was_stopped_in_the_middle(self, before):
        with pytest.raises(AccountUnfinishedError, match="account 1") as refusal:
            after(*before).choose("newest", 5)

        assert not refusal.value.restart_helps

    def test_may_begin_anew_where_another_was_stopped(self):
        assert after("new").choose("new", 5).account == 2
