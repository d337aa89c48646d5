"""The credentials of the exchange's clients: one token, and the keys of partners."""

from natya.actors.exchange.served_token import ServedToken
from natya.config.secrets import Secret


def test_the_token_is_right_until_another_is_made():
    token = ServedToken(Secret("first"))
    assert [token.is_right(each) for each in (b"first", b"firs", b"")] == [True, False, False]
    made = token.renew()

    assert [token.is_right(each) for each in (b"first", made.encode())] == [False, True]
    assert len(made) > 30
    assert made != token.renew()


def test_each_partner_is_known_by_its_own_key_and_the_token_is_a_key_of_any():
    token = ServedToken(Secret("first"))
    assert not token.is_partner(b"A", b"key of A")
    for partner in (b"A", b"B"):
        token.let_in(partner, b"key of " + partner)

    found = {
        (partner, key): token.is_partner(partner, key)
        for partner in (b"A", b"B", b"C")
        for key in (b"key of A", b"key of B", b"", b"first")
    }
    right = {(b"A", b"key of A"), (b"B", b"key of B"), *((partner, b"first") for partner in (b"A", b"B", b"C"))}
    assert {each for each, is_known in found.items() if is_known} == right
