"""Dhan as the owners of calls and of the socket know it: where its calls go, and under which limits."""

from datetime import date

import pytest

from natya.actors.broker import AccessToken, TokenDeadError
from natya.actors.broker.bodies.dhan.endpoints import LIVE_URL, UPDATES_URL
from natya.actors.broker.bodies.dhan.service import (
    service_of,
    tally_of,
    updates_of,
    updates_url_of,
    updates_url_problem,
)
from natya.actors.broker.bodies.dhan.updates import DhanUpdates
from natya.actors.external import HttpAnswer, TallySettings
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.domain.dhan.limits import limits_on


def settings(**fields):
    return BrokerSettings.default(**({"client_id": "1100", "access_token": Secret("T")} | fields))


class TestTheOwnerOfTheCalls:
    def test_speaks_to_one_host_within_the_newest_limits(self):
        found = service_of(settings(), AccessToken(Secret("T")))

        assert (found.service, found.hosts) == ("dhan", {"api.dhan.co"})
        assert found.allowances == limits_on(date.max)
        assert (found.fail_max, found.reset_timeout_s) == (8, 2.0)
        assert found.tally == TallySettings(whose="1100@api.dhan.co", kinds=("data", "option_chain"))
        assert found.tally_folder is None

    @pytest.mark.parametrize(
        ("of_settings", "given", "host"),
        [
            ("", "", "api.dhan.co"),
            ("http://127.0.0.1:8/v2", "", "127.0.0.1"),
            ("http://127.0.0.1:8/v2", "https://sandbox.dhan.co/v2", "sandbox.dhan.co"),
        ],
    )
    def test_speaks_to_the_host_of_the_url_that_is_given_or_set(self, of_settings, given, host):
        found = service_of(settings(base_url=of_settings), AccessToken(Secret("T")), base_url=given)
        assert found.hosts == {host}
        assert found.tally.whose.startswith(f"1100@{host}")

    def test_sends_the_token_of_the_moment_and_nothing_with_one_that_is_dead(self):
        token = AccessToken(Secret("T"))
        found = service_of(settings(), token)
        assert found.headers() == {
            "access-token": "T",
            "client-id": "1100",
            "dhanClientId": "1100",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        token.replace(Secret("U"))
        assert found.headers()["access-token"] == "U"
        body = b'{"errorType":"Invalid_Authentication","errorCode":"DH-901","errorMessage":"invalid or expired"}'
        found.judge(HttpAnswer(status_code=401, headers={}, body=body, response_time_s=0.0), 0.0)

        assert token.is_dead
        with pytest.raises(TokenDeadError):
            found.headers()

    def test_counts_those_of_each_account_at_each_server_for_itself(self):
        found = {tally_of(*each).whose for each in (("1", LIVE_URL), ("2", LIVE_URL), ("1", "http://127.0.0.1:8/v2"))}
        assert found == {"1@api.dhan.co", "2@api.dhan.co", "1@127.0.0.1:8"}


class TestTheSocketOfOrderUpdates:
    @pytest.mark.parametrize(
        ("chosen", "base_url", "url"),
        [
            ("", "", UPDATES_URL),
            ("", "http://127.0.0.1:8/v2", None),
            ("none", "", None),
            ("ws://127.0.0.1:9", "", "ws://127.0.0.1:9"),
            ("ws://127.0.0.1:9", "http://127.0.0.1:8/v2", "ws://127.0.0.1:9"),
        ],
    )
    def test_is_dhan_s_where_the_calls_are_or_the_one_that_is_chosen(self, chosen, base_url, url):
        assert updates_url_of(settings(base_url=base_url), chosen) == url

    @pytest.mark.parametrize(
        ("chosen", "problem"),
        [
            ("", ""),
            ("none", ""),
            (UPDATES_URL, ""),
            (f"{UPDATES_URL}/more", ""),
            ("ws://127.0.0.1:9", ""),
            ("wss://localhost:9/x", ""),
            ("http://127.0.0.1:9", "'http'"),
            (UPDATES_URL.replace("wss", "ws", 1), "another address"),
            ("wss://example.com", "another address"),
            (f"{UPDATES_URL}.example.com", "another address"),
            ("wss://user@example.com", "more than host, port and path"),
            *(
                (address, "more than host, port and path")
                for address in (
                    "ws://user@127.0.0.1:9", "ws://:word@127.0.0.1:9", "ws://127.0.0.1:9/?q=1", "ws://127.0.0.1:9/#part",
                )
            ),
            ("ws://127.0.0.1:99999", "another text"),
        ],
    )  # fmt: skip
    def test_is_one_of_this_machine_or_dhan_s_own_by_tls(self, chosen, problem):
        """The token is sent there."""
        found = updates_url_problem(chosen)

        assert found.rpartition("found ")[2].removeprefix("one with ") == problem

    def test_is_made_for_the_account(self):
        found = updates_of(settings(), AccessToken(Secret("T")), None)
        assert found.url is None
        assert isinstance(found.new_socket("ws://127.0.0.1:9"), DhanUpdates)
