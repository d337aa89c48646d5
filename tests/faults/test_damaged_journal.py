"""A daemon on a damaged journal: it names the place, changes nothing and does not trade."""

from __future__ import annotations

import time

import pytest
from natya_starts import run_natya

from natya.actors.journal import Journal
from natya.cli.exit_codes import BAD_DATA
from natya.messages.orders import OrderExpired


@pytest.fixture
def data_dir(tmp_path):
    journal = Journal(tmp_path / "data" / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    journal.open()
    for number in range(1, 1_201):
        fact = OrderExpired(client_order_id=f"A-{number}", reason="never arrived", occurred_ns=number)
        journal.append((fact,), f"A-{number}")
        journal.commit()
    journal.close()
    return tmp_path / "data"


def run(data_dir):
    return run_natya("run", "--data-dir", data_dir, "--duration", "1", "--summary", "json", cwd=data_dir.parent)


class TestADaemonOnADamagedJournal:
    @pytest.mark.parametrize("segment", [0, -1], ids=["closed", "active"])
    def test_exits_with_65_names_file_offset_and_sequence_and_repairs_nothing(self, data_dir, segment):
        files = sorted((data_dir / "journal").iterdir())
        path = [file for file in files if file.suffix == ".journal"][segment]
        sequence = int(path.stem) + 4
        content = bytearray(path.read_bytes())
        place = content.index(f"A-{sequence}".encode())
        content[place + 2] ^= 1
        path.write_bytes(content)
        before = {file: file.read_bytes() for file in files if file.suffix == ".journal"}
        ended = run(data_dir)

        assert ended.returncode == BAD_DATA
        assert f"{path} is damaged at offset " in ended.stderr
        assert f"sequence {sequence}:" in ended.stderr
        assert int(ended.stderr.partition("at offset ")[2].partition(",")[0]) in range(place - 200, place)
        assert not ended.stdout
        assert {file: file.read_bytes() for file in before} == before
