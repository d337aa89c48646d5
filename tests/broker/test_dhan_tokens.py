"""New tokens over HTTP: what is asked, what is believed, and what is never told."""

import json
import time

import pyotp
import pytest
from natya_publisher import Publisher

from natya.actors.broker import TokenRefusedError
from natya.actors.broker.bodies.dhan.tokens import DhanTokens
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings

PIN, SECRET = "482913", "JBSWY3DPEHPK3PXP"
TOKEN = "eyJ.new.token"  # noqa: S105  an example


class Codes(pyotp.TOTP):
    min_secret_length_bits = 0


@pytest.fixture
def serve(request):
    """Start a server of tokens: `serve(status, body)`."""

    def begin(status, body):
        def answer(asked):
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            asked.send_response(status)
            asked.send_header("Content-Length", str(len(text)))
            asked.end_headers()
            asked.wfile.write(text)

        publisher = Publisher(answer)
        publisher.Handler.do_POST = publisher.Handler.do_GET
        request.addfinalizer(publisher.close)
        return publisher

    return begin


def tokens_of(publisher, **changes):
    origin = publisher.url.rpartition("/")[0]
    given = {"client_id": "1100012345", "pin": Secret(PIN), "totp_secret": Secret(SECRET), "base_url": f"{origin}/v2"}
    return DhanTokens(BrokerSettings.default(**given | changes), time.time_ns)


@pytest.mark.parametrize("pin", [PIN, ""])
@pytest.mark.parametrize("totp_secret", [SECRET, ""])
def test_who_has_pin_and_secret_can_log_in_and_may_be_given_what_is_missing(pin, totp_secret):
    tokens = DhanTokens(
        BrokerSettings.default(client_id="1100012345", pin=Secret(pin), totp_secret=Secret(totp_secret)), time.time_ns
    )
    can = bool(pin and totp_secret)
    assert tokens.can_mint is can
    assert tokens.use(pin=Secret("1"), totp_secret=None) == ("broker.pin",)
    assert tokens.can_mint is bool(totp_secret)
    assert tokens.use(pin=Secret("1"), totp_secret=Secret("X")) == ("broker.totp_secret",)
    assert tokens.can_mint
    assert tokens.use(pin=None, totp_secret=Secret("Y")) == ("broker.totp_secret",)
    assert tokens.use(pin=None, totp_secret=None) == ()
    assert tokens.can_mint
    tokens.close()


class TestALogin:
    def test_asks_with_pin_and_the_code_of_the_moment(self, serve):
        publisher = serve(
            200, {"dhanClientId": "1100012345", "accessToken": TOKEN, "expiryTime": "2026-10-08T09:05:11"}
        )
        codes = {Codes(SECRET).now()}

        token = tokens_of(publisher).mint()
        codes.add(Codes(SECRET).now())
        assert token == Secret(TOKEN)
        ((path, headers),) = publisher.asked
        assert path in {f"/app/generateAccessToken?dhanClientId=1100012345&pin={PIN}&totp={code}" for code in codes}
        assert "access-token" not in {name.lower() for name in headers}

    @pytest.mark.parametrize(
        ("status", "body", "reason"),
        [
            (
                200,
                {"message": "Token can be generated once every 2 minutes.", "status": "error"},
                "once every 2 minutes",
            ),
            (200, {"message": "Invalid TOTP", "status": "error"}, "Invalid TOTP"),
            (200, {"status": "error of no message"}, "error of no message"),
            (400, {"errorCode": "DH-905", "errorMessage": "bad", "errorType": "Input_Exception"}, "400 DH-905 bad"),
            (500, b"<html>", "a token in JSON wanted"),
            (200, {"accessToken": ""}, "a token wanted, found an answer without one"),
            (200, b"", "a token wanted, found an answer without one"),
            (200, b"[" * 100_000, "an answer of at most"),
            (302, b"", "an answer wanted, found a redirection"),
        ],
    )
    def test_that_brings_no_token_says_why(self, serve, status, body, reason):
        with pytest.raises(TokenRefusedError, match=reason):
            tokens_of(serve(status, body)).mint()

    def test_whose_answer_quotes_its_secrets_tells_none_of_them(self, serve):
        codes = [Codes(SECRET).at(int(time.time()) + 30 * step) for step in range(-1, 3)]
        publisher = serve(200, {"message": f"no: pin={PIN} totp={' '.join(codes)} {SECRET}", "status": "error"})

        with pytest.raises(TokenRefusedError) as refused:
            tokens_of(publisher).mint()
        assert PIN not in str(refused.value)
        assert SECRET not in str(refused.value)
        assert refused.value.__cause__ is None

    def test_with_a_secret_that_is_none_is_not_tried(self, serve):
        publisher = serve(200, {})

        with pytest.raises(TokenRefusedError, match="a secret in base32 wanted"):
            tokens_of(publisher, totp_secret=Secret("no base 32!")).mint()
        assert publisher.asked == []

    def test_that_nobody_answers_says_so_without_its_query(self, serve):
        publisher = serve(200, {})
        tokens = tokens_of(publisher, auth_url="http://127.0.0.1:1")

        with pytest.raises(TokenRefusedError, match="ConnectionRefusedError") as refused:
            tokens.mint()
        assert PIN not in str(refused.value)


class TestARenewal:
    def test_asks_by_get_with_the_token_that_is_alive(self, serve):
        publisher = serve(200, {"accessToken": TOKEN})

        assert tokens_of(publisher).renew(Secret("old")) == Secret(TOKEN)
        ((path, headers),) = publisher.asked
        assert (path, headers["access-token"], headers["dhanClientId"]) == ("/v2/RenewToken", "old", "1100012345")

    @pytest.mark.parametrize(
        "told",
        [
            {"createTime": "2026-10-07T09:05:11", "expiryTime": "2026-10-08T09:05:11", "token": TOKEN},
            {"accessToken": TOKEN, "expiryTime": 1790000000000},
            {"accessToken": TOKEN, "expiryTime": "Thu Oct 08 09:05:11 IST 2026", "givenPowerOfAttorney": "Y"},
            [{"token": TOKEN, "dhanClientId": {}}],
        ],
    )
    def test_that_killed_the_token_before_is_not_lost_for_how_it_is_told(self, serve, told):
        assert tokens_of(serve(200, told)).renew(Secret("old")) == Secret(TOKEN)

    def test_that_is_refused_tells_no_token(self, serve):
        publisher = serve(401, {"errorCode": "DH-901", "errorMessage": "token eyJ.old is invalid"})

        with pytest.raises(TokenRefusedError, match=r"401 DH-901 token \*\*\* is invalid"):
            tokens_of(publisher).renew(Secret("eyJ.old"))


class TestTheClock:
    def test_is_compared_with_the_servers_without_any_secret(self, serve):
        publisher = serve(404, {})

        assert tokens_of(publisher).clock_skew_s() == 0.0
        ((path, headers),) = publisher.asked
        assert (path, "access-token" in {name.lower() for name in headers}) == ("/", False)

    def test_is_not_known_where_nobody_answers(self, serve):
        assert tokens_of(serve(200, {}), auth_url="http://127.0.0.1:1").clock_skew_s() is None

    def test_asks_the_server_of_the_base_url_and_dhan_where_there_is_none(self):
        assert DhanTokens(BrokerSettings.default(), time.time_ns)._auth_url == "https://auth.dhan.co"
