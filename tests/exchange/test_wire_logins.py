"""Logins by an API key: begun, agreed to by a person, redeemed by whoever began them; no server."""

import asyncio
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from natya_wire import CLIENT

from natya.actors.exchange.wire.logins import CONSENTS_MAX, KEY_BYTES_MAX, Logins
from natya.domain.time import DAY_NS

KEY = {b"app_id": b"key", b"app_secret": b"secret"}
PARTNER = {b"partner_id": b"key", b"partner_secret": b"secret"}


class Played:
    """The logins of an exchange, asked as a browser and an application do."""

    def __init__(self, redirect=""):
        self.now_ns = 0
        self.made = 0
        self.partners = []
        wire = SimpleNamespace(
            client_id=CLIENT,
            now_ns=lambda: self.now_ns,
            token_answer=self.make,
            let_in=lambda *key: self.partners.append(key),
        )
        self.endpoints = dict(Logins(wire, redirect=redirect).endpoints())

    def make(self):
        self.made += 1
        return {"accessToken": f"token {self.made}"}

    def ask(self, line, headers=KEY, **query):
        """Return the status, and what is said: JSON, a page, or an address."""
        method, _, path = line.partition(" ")
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        scope = {"method": method, "path": path, "headers": [*headers.items()], "query_string": asked.encode()}
        said = []

        async def send(message):
            said.append(message)

        asyncio.run(self.endpoints[path](scope, None, send))
        status, head = said[0]["status"], dict(said[0]["headers"])
        if status == 302:
            return status, head[b"location"].decode()
        body = said[1]["body"]
        return status, body.decode() if b"html" in head[b"content-type"] else msgspec.json.decode(body)

    def begin(self, **how):
        return self.ask("POST /app/generate-consent", client_id=CLIENT, **how)[1]["consentAppId"]

    def agree(self, consent):
        _, address = self.ask("GET /login/consentApp-login", headers={}, consentAppId=consent)
        return parse_qs(urlsplit(address).query)["tokenId"][0]

    def redeem(self, token_id, *, method="GET", headers=KEY):
        return self.ask(f"{method} /app/consumeApp-consent", headers=headers, tokenId=token_id)[1]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_ends_in_a_token(method):
    logins = Played()
    _, begun = logins.ask("POST /app/generate-consent", client_id=CLIENT)

    assert (begun["status"], begun["consentAppStatus"]) == ("success", "GENERATED")
    assert logins.redeem(logins.agree(begun["consentAppId"]), method=method) == {"accessToken": "token 1"}
    assert logins.partners == []


def test_a_partner_has_names_and_paths_of_its_own():
    logins = Played()
    _, begun = logins.ask("POST /partner/generate-consent", PARTNER)
    _, address = logins.ask("GET /consent-login", headers={}, consentId=begun["consentId"])
    token_id = address.partition("tokenId=")[2]

    assert begun["consentStatus"] == "GENERATED"
    assert logins.partners == []
    assert logins.ask("POST /partner/consume-consent", PARTNER, tokenId=token_id)[1] == {"accessToken": "token 1"}
    assert logins.partners == [(b"key", b"secret")]


@pytest.mark.parametrize(
    ("redirect", "address"),
    [
        ("", "/login/consented?tokenId="),
        ("http://127.0.0.1:5000/back", "http://127.0.0.1:5000/back?tokenId="),
        ("https://example.org/back?for=me", "https://example.org/back?for=me&tokenId="),
    ],
)
def test_who_agrees_is_led_to_where_the_application_waits_or_shown_the_id(redirect, address):
    logins = Played(redirect)
    status, led = logins.ask("GET /login/consentApp-login", headers={}, consentAppId=logins.begin())

    assert (status, led.startswith(address)) == (302, True)
    status, page = logins.ask("GET /login/consented", headers={}, tokenId="%3Cscript%3E")
    assert (status, "tokenId &lt;script&gt;" in page) == (200, True)


def test_consent_and_id_are_good_once():
    logins = Played()
    consent = logins.begin()
    token_id = logins.agree(consent)
    logins.redeem(token_id)

    assert logins.ask("GET /login/consentApp-login", headers={}, consentAppId=consent)[1]["status"] == "error"
    assert logins.redeem(token_id) == {"message": "Invalid tokenId", "status": "error"}
    assert logins.made == 1


@pytest.mark.parametrize("other", [{}, KEY | {b"app_secret": b"guess"}, KEY | {b"app_id": b"other"}, PARTNER])
def test_whoever_did_not_begin_it_does_not_end_it(other):
    logins = Played()
    token_id = logins.agree(logins.begin())

    assert logins.redeem(token_id, headers=other)["status"] == "error"
    assert logins.redeem(token_id) == {"accessToken": "token 1"}


@pytest.mark.parametrize(
    ("headers", "client_id", "message"),
    [
        ({}, CLIENT, "app_id and app_secret are required"),
        (KEY | {b"app_id": b"x" * (KEY_BYTES_MAX + 1)}, CLIENT, "app_id and app_secret are required"),
        (KEY, "7", "Invalid client_id"),
    ],
    ids=["no key", "a key too long", "another client"],
)
def test_without_a_key_or_for_another_client_none_is_begun(headers, client_id, message):
    told = Played().ask("POST /app/generate-consent", headers, client_id=client_id)

    assert told == (200, {"message": message, "status": "error"})


def test_there_are_so_many_a_day_and_none_outlives_it():
    logins = Played()
    consents = [logins.begin() for _ in range(CONSENTS_MAX)]
    token_id = logins.agree(consents[0])
    assert logins.ask("POST /app/generate-consent", client_id=CLIENT)[1]["status"] == "error"

    logins.now_ns = DAY_NS

    assert logins.redeem(token_id)["status"] == "error"
    assert logins.ask("GET /login/consentApp-login", headers={}, consentAppId=consents[1])[1]["status"] == "error"
    assert logins.redeem(logins.agree(logins.begin())) == {"accessToken": "token 1"}


@pytest.mark.parametrize("line", ["GET /app/generate-consent", "POST /login/consentApp-login", "PUT /consent-login"])
def test_another_method_is_none(line):
    assert Played().ask(line)[0] == 405
