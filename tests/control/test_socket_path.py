import contextlib
import os
import socket
import stat
from pathlib import Path

import pytest

from natya.actors.control import socket_path
from natya.actors.control.errors import AskRefusedError, NotRunningError, SocketNotOpenedError
from natya.actors.control.peer import Peer, is_welcome, peer_of


@pytest.fixture(params=["short", "long"])
def data_dir(request, tmp_path):
    """A directory, once with a path longer than the address of a unix socket."""
    path = tmp_path if request.param == "short" else tmp_path / ("d" * 120)
    path.mkdir(exist_ok=True)
    return path


class TestListening:
    def test_lets_one_connect(self, data_dir):
        with socket_path.listen(data_dir) as listener, socket_path.connect(data_dir, timeout_s=1) as near:
            far, _ = listener.accept()
            with far:
                near.sendall(b"hello")

                assert far.recv(5) == b"hello"

    def test_leaves_nothing_open_when_it_is_over(self, data_dir):
        with socket_path.listen(data_dir) as listener, socket_path.connect(data_dir, timeout_s=1):
            listener.accept()[0].close()

        open_paths = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]
        assert str(data_dir) not in open_paths

    def test_makes_a_socket_that_is_its_users_alone(self, data_dir):
        with socket_path.listen(data_dir):
            mode = (data_dir / socket_path.SOCKET_NAME).stat().st_mode

        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600

    def test_replaces_what_a_dead_process_left(self, data_dir):
        socket_path.listen(data_dir).close()

        with socket_path.listen(data_dir), socket_path.connect(data_dir, timeout_s=1):
            pass

    def test_leaves_a_living_process_its_place(self, data_dir):
        with socket_path.listen(data_dir), pytest.raises(SocketNotOpenedError, match="a process listens"):
            socket_path.listen(data_dir)

    def test_leaves_a_file_that_is_no_socket(self, data_dir):
        (data_dir / socket_path.SOCKET_NAME).write_text("mine")

        with pytest.raises(SocketNotOpenedError, match="something else"):
            socket_path.listen(data_dir)
        assert (data_dir / socket_path.SOCKET_NAME).read_text() == "mine"

    def test_in_a_directory_that_is_missing_names_it(self, tmp_path):
        with pytest.raises(SocketNotOpenedError, match="missing"):
            socket_path.listen(tmp_path / "missing")


class TestConnecting:
    def test_where_no_daemon_runs_names_the_directory(self, data_dir):
        with pytest.raises(NotRunningError) as caught:
            socket_path.connect(data_dir, timeout_s=1)

        assert caught.value.data_dir == data_dir
        assert str(data_dir) in str(caught.value)

    def test_where_one_died_is_the_same(self, data_dir):
        socket_path.listen(data_dir).close()

        with pytest.raises(NotRunningError):
            socket_path.connect(data_dir, timeout_s=1)

    def test_after_the_place_was_removed_is_the_same(self, data_dir):
        with socket_path.listen(data_dir):
            socket_path.remove(data_dir)

            with pytest.raises(NotRunningError):
                socket_path.connect(data_dir, timeout_s=1)

    def test_while_many_others_wait_to_be_accepted_waits_and_then_says_busy(self, data_dir, monkeypatch):
        monkeypatch.setattr(socket_path, "BACKLOG", 1)
        with socket_path.listen(data_dir), contextlib.ExitStack() as waiting:
            for _ in range(2):
                waiting.enter_context(socket_path.connect(data_dir, timeout_s=1))

            with pytest.raises(AskRefusedError, match="accepted nobody") as caught:
                socket_path.connect(data_dir, timeout_s=0.02)
            assert caught.value.kind == "busy"

    def test_to_another_users_daemon_is_forbidden(self, tmp_path, monkeypatch):
        def deny(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(socket_path, "_address", deny)

        with pytest.raises(AskRefusedError, match="another user's") as caught:
            socket_path.connect(tmp_path, timeout_s=1)
        assert caught.value.kind == "forbidden"

    def test_where_another_user_listens_is_forbidden_and_the_process_named(self, tmp_path, monkeypatch):
        stranger = Peer(pid=4_711, uid=os.geteuid() + 1, gid=1)
        monkeypatch.setattr(socket_path, "peer_of", lambda _: stranger)

        with socket_path.listen(tmp_path), pytest.raises(AskRefusedError) as caught:
            socket_path.connect(tmp_path, timeout_s=1)

        assert caught.value.kind == "forbidden"
        assert f"process 4711 of user {stranger.uid}" in caught.value.reason


class TestTheOtherEnd:
    def test_is_known_by_the_kernel(self):
        near, far = socket.socketpair()
        with near, far:
            peer = peer_of(near)

        assert peer == Peer(pid=os.getpid(), uid=os.geteuid(), gid=os.getegid())

    @pytest.mark.parametrize(("uid", "welcome"), [(1000, True), (0, True), (1001, False), (65_534, False)])
    def test_is_welcome_as_the_same_user_or_root(self, uid, welcome):
        assert is_welcome(Peer(pid=1, uid=uid, gid=1000), own_uid=1000) is welcome
