"""A server of streams: whom its connections name, and what becomes of a failure; none is opened here."""

import sys

import msgspec
import pytest

from natya.actors.external.streams import TIMEOUT_S, ServerDownError, StreamServer
from natya.config.secrets import Secret
from natya.config.sections.redis import RedisSettings

SETTINGS = RedisSettings.default(host="streams.example", port=6_380, db=3)


def options(**changes):
    server = StreamServer(msgspec.structs.replace(SETTINGS, **changes), wanted_by="redis.node")
    pool = server.client.connection_pool
    return pool.connection_class.__name__, pool.connection_kwargs


class TestAConnection:
    def test_goes_where_the_settings_say_and_tries_nothing_again(self):
        kind, found = options()

        assert kind == "Connection"
        assert (found["host"], found["port"], found["db"]) == ("streams.example", 6_380, 3)
        assert (found["socket_timeout"], found["socket_connect_timeout"]) == (TIMEOUT_S, TIMEOUT_S)
        assert (found["retry"]._retries, found["protocol"]) == (0, 2)

    @pytest.mark.parametrize(("user", "password"), [("", ""), ("", "pass"), ("natya", ""), ("natya", "pass")])
    def test_names_the_user_and_the_password_that_there_are(self, user, password):
        _, found = options(user=user, password=Secret(password))

        assert (found["username"], found["password"]) == (user or None, password or None)

    @pytest.mark.parametrize(("ca_file", "wanted"), [("", None), ("/own/ca.pem", "/own/ca.pem")])
    def test_is_encrypted_where_that_is_wanted(self, ca_file, wanted):
        kind, found = options(tls=True, ca_file=ca_file)

        assert (kind, found["ssl_ca_certs"]) == ("SSLConnection", wanted)

    def test_is_closed_with_all_others(self, monkeypatch):
        server, closed = StreamServer(SETTINGS, wanted_by="redis.node"), []
        monkeypatch.setattr(server.client.connection_pool, "disconnect", lambda *_, **__: closed.append(True))

        server.close()

        assert closed == [True]


class TestAFailure:
    @pytest.mark.parametrize("name", ["ConnectionError", "TimeoutError", "ResponseError"])
    def test_of_the_library_or_the_system_is_told_as_one_of_ours(self, name):
        server = StreamServer(SETTINGS, wanted_by="redis.node")
        kind = getattr(pytest.importorskip("valkey"), name)

        for fault in (kind("as the test says"), OSError("as the test says")):
            with pytest.raises(ServerDownError, match=f"{type(fault).__name__}: as the test says"), server.telling():
                raise fault

    def test_of_another_kind_is_told_as_it_is(self):
        with pytest.raises(KeyError), StreamServer(SETTINGS, wanted_by="redis.node").telling():
            raise KeyError("own")

    def test_since_the_library_is_missing_names_who_wants_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "valkey", None)

        with pytest.raises(ImportError, match=r"redis\.node is set, which wants: pip install 'natya"):
            StreamServer(SETTINGS, wanted_by="redis.node")
