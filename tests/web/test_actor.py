import http.client

import msgspec
import pytest
from natya_web import get

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.web import Mount, Mounted, Unmount, WebActor, answer
from natya.actors.web.mounting import MountRefused
from natya.config.sections.web import WebSettings
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping


class Double(msgspec.Struct, frozen=True):
    """A number."""

    number: int


class Doubler(RuntimeActor):
    """Serves `/double/N` by asking itself."""

    def on_start(self):
        request = self.requester()

        async def double(scope, _receive, send):
            number = int(scope["path"].rpartition("/")[2])
            doubled = await request(self.name, Double(number), timeout_s=5)
            failed = isinstance(doubled, Failed | Unavailable)
            await answer(send, 503 if failed else 200, str(doubled).encode())

        self.send("web", Mount(path="/double", application=double, owner=self.name))

    @handles(Mounted)
    def mounted(self, message, _):
        self.url = message.url

    @handles(Ping)
    def where(self, _, sender):
        self.send(sender, self.url)

    @handles(Double)
    def double(self, message, sender):
        if message.number < 0:
            raise ValueError("below 0")
        self.send(sender, message.number * 2)


@pytest.fixture
def system():
    with InProcessSystem() as system:
        system.start("web", WebActor, WebSettings.default())
        yield system


async def hello(_scope, _receive, send):
    await answer(send, 200, b"hello")


class TestAnApplicationOfAnActor:
    def test_asks_its_actor(self, system):
        system.start("doubler", Doubler)
        url = system.request("doubler", Ping())

        assert get(f"{url}/21") == (200, b"42")

    def test_hears_of_a_request_that_failed_there(self, system):
        system.start("doubler", Doubler)
        url = system.request("doubler", Ping())
        status, body = get(f"{url}/-1")

        assert status == 503
        assert b"Failed" in body
        assert get(f"{url}/2") == (200, b"4")

    def test_that_fails_itself_is_logged_and_answered_for(self, system, caplog):
        system.start("doubler", Doubler)
        url = system.request("doubler", Ping())
        status, body = get(f"{url}/what")

        assert status == 500
        assert b"what" not in body
        system.stop("web")
        assert [each.message for each in caplog.records if each.levelname == "ERROR"] == ["web.application_failed"]


class TestMounting:
    def test_tells_where_it_is(self, system, caplog):
        with caplog.at_level("INFO", logger="natya"):
            system.start("another", WebActor, WebSettings.default())
        mounted = system.request("another", Mount(path="/a", application=hello, owner="one"))

        opened = [each.fields["url"] for each in caplog.records if each.message == "web.opened"]
        assert mounted.url == f"{opened[-1]}/a"
        assert get(f"{mounted.url}/b") == (200, b"hello")

    def test_gives_a_request_to_the_longest_prefix(self, system):
        async def other(_scope, _receive, send):
            await answer(send, 200, b"other")

        url = system.request("web", Mount(path="", application=hello, owner="one")).url
        system.request("web", Mount(path="/a/b", application=other, owner="one"))

        assert [get(url + path)[1] for path in ("/", "/a", "/a/bc", "/a/b", "/a/b/c?d")] == [
            b"hello",
            b"hello",
            b"hello",
            b"other",
            b"other",
        ]

    @pytest.mark.parametrize("path", ["a", "/", "/a/", "/a?b", "/é", "/" + "a" * 300], ids=ascii)
    def test_refuses_what_is_no_path(self, system, path):
        assert isinstance(system.request("web", Mount(path=path, application=hello, owner="one")), MountRefused)

    def test_refuses_the_path_of_another_and_takes_a_newer_one_of_the_same(self, system):
        first = system.request("web", Mount(path="/a", application=hello, owner="one"))

        assert isinstance(system.request("web", Mount(path="/a", application=hello, owner="two")), MountRefused)
        assert system.request("web", Mount(path="/a", application=hello, owner="one")) == first

    def test_ends_when_the_owner_says_so(self, system):
        url = system.request("web", Mount(path="/a", application=hello, owner="one")).url
        system.tell("web", Unmount(owner="one"))
        system.request("web", Ping())

        assert get(url)[0] == 404


class TestAFailure:
    def test_leaves_port_and_applications_as_they_were(self, system):
        class Broken:
            """Fails where it is looked at."""

            def __len__(self):
                raise ValueError("as asked")

        url = system.request("web", Mount(path="/a", application=hello, owner="one")).url
        failed = system.request("web", Mount(path=Broken(), application=hello, owner="one"))

        assert isinstance(failed, Failed)
        assert _asked_again(url) == (200, b"hello")

    def test_to_listen_keeps_it_from_starting(self, system):
        url = system.request("web", Mount(path="", application=hello, owner="one")).url

        with pytest.raises(Exception, match=r"an address to listen on is wanted"):
            system.start("second", WebActor, WebSettings.default(port=int(url.rpartition(":")[2])))


def test_a_stop_ends_the_thread_that_serves(system):
    url = system.request("web", Mount(path="", application=hello, owner="one")).url
    get(url)
    counts = system.stop("web")

    assert (counts.requests, counts.failures) == (1, 0)
    with pytest.raises(ConnectionRefusedError):
        get(url)


def _asked_again(url):
    """What a client is answered that asks again when its connection is lost with the server that failed."""
    for _ in range(100):
        try:
            return get(url)
        except (ConnectionResetError, http.client.RemoteDisconnected):
            continue
    return None
