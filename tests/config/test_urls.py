"""Addresses of services: which are taken, and what is shown of one that is not."""

import pytest

from natya.config.urls import is_loopback_url, url_problem

WANTED = "wanted a URL such as https://host/v2"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        *((url, "") for url in ("", "https://host", "https://host:8443/v2", "http://localhost:8080/v2")),
        *((url, "") for url in ("http://127.0.0.1/v2", "http://[::1]:80/v2", "HTTPS://host/v2")),
        *((url, f"{WANTED}, found {url!r}") for url in ("host/v2", "ftp://host/v2", "https:///v2", "https://host#a")),
        *((url, f"{WANTED}, found {url!r}") for url in ("https://host:port", "http://[/")),
        *(
            (f"https://{rest}", f"{WANTED}, found another text")
            for rest in ("user:word@host", "host?token=1", "host?a@b")
        ),
        ("https://host/v2/", f"{WANTED}, found one with a slash at its end"),
        ("http://host/v2", "wanted https for another machine than this one, found http://host"),
        ("http://10.0.0.1", "wanted https for another machine than this one, found http://10.0.0.1"),
    ],
)
def test_an_address_is_https_or_of_this_machine_and_none_that_may_hold_a_secret_is_shown(url, problem):
    assert url_problem(url) == problem


@pytest.mark.parametrize(
    ("url", "is_so"),
    [
        *((url, True) for url in ("http://localhost", "http://127.0.0.1:1/v2", "http://127.9.9.9", "http://[::1]/")),
        *(
            (url, False)
            for url in ("", "localhost", "http://host", "http://localhost.host", "http://1.2.3.4", "http://[/")
        ),
    ],
)
def test_this_machine_is_what_its_loopback_leads_to(url, is_so):
    assert is_loopback_url(url) == is_so
