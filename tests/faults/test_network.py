"""What listens: nothing of ours on the network; and a base that does is refused before an actor of ours runs on it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from natya_servers import free_port

from natya import TradingSystem, load_settings

LISTENING_TCP = "0A"
ACCEPTS_CONNECTIONS = 0x00010000
"""Flag of a listening socket in /proc/net/unix."""

ON_A_NETWORK_BASE = """
import sys
from thespian.actors import ActorSystem, PoisonMessage
from natya_actor import Counter

if __name__ == "__main__":
    base, port = sys.argv[1], int(sys.argv[2])
    capabilities = {"Admin Port": port, "Convention Address.IPv4": ("127.0.0.1", port)}
    system = ActorSystem(base, capabilities, logDefs={"version": 1}, transientUnique=True)
    try:
        answer = system.ask(system.createActor(Counter), 1, 10)
        print(type(answer).__name__, getattr(answer, "details", answer))
    finally:
        system.shutdown()
"""

ACTOR = """
from natya.actors.runtime import RuntimeActor, handles

class Counter(RuntimeActor):
    @handles(int)
    def count(self, number, sender):
        self.send(sender, number)
"""


@pytest.fixture
def settings(tmp_path):
    return load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})


def own_inodes():
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            targets.append(str(descriptor.readlink()))
        except (FileNotFoundError, ProcessLookupError):  # the one that listed the directory
            continue
    return {target[len("socket:[") : -1] for target in targets if target.startswith("socket:[")}


def listening():
    """Return what this process listens at: (protocol, address) of every TCP, UDP and unix socket."""
    own, found = own_inodes(), []
    for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in own and (not protocol.startswith("tcp") or fields[3] == LISTENING_TCP):
                found.append((protocol, fields[1]))
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[6] in own and int(fields[3], 16) & ACCEPTS_CONNECTIONS:
            found.append(("unix", fields[7]))
    return found


class TestATradingSystem:
    def test_listens_at_its_control_socket_and_nowhere_else(self, settings, tmp_path):
        with TradingSystem(settings):
            ((protocol, address),) = listening()

        assert protocol == "unix"
        assert Path(address).name == "control.sock"
        assert listening() == []

    def test_is_seen_by_this_test_if_it_did_listen(self):
        with socket.create_server(("127.0.0.1", 0)):
            assert [protocol for protocol, _ in listening()] == ["tcp"]


class TestAThespianBaseThatListensOnTheNetwork:
    @pytest.mark.parametrize("base", ["multiprocTCPBase", "multiprocUDPBase"])
    def test_is_refused_by_our_actors_with_the_reason(self, base, tmp_path):
        (tmp_path / "natya_actor.py").write_text(ACTOR)
        (tmp_path / "main.py").write_text(ON_A_NETWORK_BASE)
        port = free_port()

        ended = subprocess.run(
            [sys.executable, "-W", "ignore", "main.py", base, str(port)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "THESPLOG_FILE": str(tmp_path / "thespian.log")},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

        assert ended.stdout.startswith("PoisonMessage"), ended.stderr
        assert "UnsupportedBaseError" in ended.stdout
        assert "unpickle what anyone sends there" in ended.stdout
