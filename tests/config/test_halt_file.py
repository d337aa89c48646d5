"""The file of the kill switch: whatever is wrong with it or with the disk, nothing makes it look off."""

import contextlib
import errno
import os

import pytest

from natya.composition import halted_by, kill_switch, orders_settings
from natya.config import halt_file
from natya.config.files import new_file
from natya.config.halt_file import NOTE_BYTES_MAX, HaltFile, HaltNote
from natya.config.loader import load_settings


@pytest.fixture
def halt(tmp_path):
    return HaltFile(tmp_path / "HALT")


class TestTheSwitch:
    def test_is_on_while_the_file_is_there(self, halt):
        assert not halt.is_engaged()
        assert halt.signature() is None
        halt.engage(HaltNote(reason="prices look wrong", person="asha"))
        assert halt.is_engaged()
        assert halt.note() == HaltNote(reason="prices look wrong", person="asha")
        assert halt.release()
        assert not halt.is_engaged()
        assert not halt.release()

    def test_is_durably_on_and_off(self, halt, monkeypatch):
        synced = []
        monkeypatch.setattr(halt_file, "sync_folder", synced.append)
        halt.engage(HaltNote())
        halt.release()

        assert synced == [halt.path.parent] * 2

    def test_makes_the_directory_of_a_system_that_never_ran(self, tmp_path):
        halt = HaltFile(tmp_path / "new" / "natya" / "HALT")
        halt.engage(HaltNote())

        assert halt.is_engaged()
        assert halt.path.parent.stat().st_mode & 0o077 == 0

    def test_leaves_nothing_else_behind(self, halt):
        halt.engage(HaltNote(reason="one"))
        halt.engage(HaltNote(reason="two", flatten=True))

        assert [each.name for each in halt.path.parent.iterdir()] == ["HALT"]

    def test_that_is_on_keeps_its_reason_unless_more_is_wanted(self, halt):
        halt.engage(HaltNote(reason="first"))
        before = halt.signature()
        halt.engage(HaltNote(reason="second"))
        assert (halt.note().reason, halt.signature()) == ("first", before)
        halt.engage(HaltNote(reason="third", flatten=True))
        assert (halt.note().reason, halt.note().flatten) == ("third", True)
        assert halt.signature() != before
        halt.engage(HaltNote(reason="fourth", flatten=True))
        assert halt.note().reason == "third"

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
    def test_is_put_on_by_an_empty_file_where_no_byte_can_be_written(self, halt, monkeypatch, code):
        def full(*_):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(halt_file.os, "write", full)
        missing = f"the file {halt.path} is there, and could not be given why"
        assert halt.engage(HaltNote(reason="never read")) == missing

        assert halt.is_engaged()
        assert halt.note().reason == "found the file HALT"

        assert halt.path.stat().st_mode & 0o777 == 0o600
        assert halt.engage(HaltNote(reason="again")) == "", "it is on, which is all that is wanted"
        assert halt.engage(HaltNote(flatten=True)) == f"{missing}, nor that positions are to be closed"
        assert [each.name for each in halt.path.parent.iterdir()] == ["HALT"]

    @pytest.mark.parametrize(("flatten", "reason"), [(False, "the other was faster"), (True, "too late")])
    def test_that_another_puts_on_meanwhile_keeps_that_ones_reason_unless_more_is_wanted(
        self, halt, monkeypatch, flatten, reason
    ):
        @contextlib.contextmanager
        def slow(path):
            with new_file(path) as descriptor:
                yield descriptor
            halt.path.write_text("the other was faster")

        monkeypatch.setattr(halt_file, "new_file", slow)
        monkeypatch.setattr(halt_file, "_is_there", lambda _path: False)  # as it looked
        assert halt.engage(HaltNote(reason="too late", flatten=flatten)) == ""
        monkeypatch.undo()

        assert (halt.note().reason, halt.note().flatten) == (reason, flatten)
        assert [each.name for each in halt.path.parent.iterdir()] == ["HALT"]

    def test_says_that_it_cannot_be_put_on(self, tmp_path):
        (tmp_path / "file").write_text("no directory")

        with pytest.raises(OSError, match="file"):
            HaltFile(tmp_path / "file" / "HALT").engage(HaltNote())

    def test_is_on_where_that_cannot_be_seen(self, halt, monkeypatch):
        def hidden(_):
            raise OSError(errno.EIO, "the disk does not answer")

        monkeypatch.setattr(halt_file.os, "lstat", hidden)

        assert halt.is_engaged()
        assert halt.signature() == (-1, errno.EIO)
        assert halt.where() == str(halt.path)


class TestAFileThatTheSettingsHaveElsewhere:
    @pytest.fixture
    def both(self, tmp_path, halt):
        return HaltFile(tmp_path / "etc" / "stop", halt.path)

    def test_halts_and_so_does_the_one_of_the_directory(self, both, halt):
        """Who knows nothing of the settings knows the directory."""
        for one in (halt, HaltFile(both.path)):
            one.engage(HaltNote(reason="either", flatten=True))
            assert (both.is_engaged(), both.note().reason, both.note().flatten) == (True, "either", True)
            assert both.where() == str(one.path)
            assert both.signature() == one.signature()
            assert one.release()
            assert (both.is_engaged(), both.signature()) == (False, None)

    def test_is_written_and_removed_with_the_other(self, both, halt):
        both.engage(HaltNote(reason="x"))

        assert (halt.is_engaged(), HaltFile(both.path).is_engaged()) == (True, True)
        assert both.release()
        assert (halt.is_engaged(), HaltFile(both.path).is_engaged(), both.release()) == (False, False, False)
        assert both.where() == str(both.path)

    @pytest.mark.parametrize("which", [0, 1])
    def test_was_on_where_either_is_there(self, both, halt, which):
        (HaltFile(both.path), halt)[which].engage(HaltNote())

        assert (both.release(), both.release()) == (True, False)

    def test_says_with_the_other_what_the_first_says_and_closes_positions_where_either_does(self, both, halt):
        HaltFile(both.path).engage(HaltNote(reason="first", person="asha"))
        halt.engage(HaltNote(reason="second", person="ravi", flatten=True))

        assert both.note() == HaltNote(reason="first", person="asha", flatten=True)
        assert both.where() == f"{both.path}, {halt.path}"
        assert both.signature() == (*HaltFile(both.path).signature(), *halt.signature())

    def test_need_not_be_writable_for_the_other_to_be_written(self, both, halt, tmp_path):
        (tmp_path / "etc").write_text("no folder")
        assert both.engage(HaltNote(reason="x", flatten=True)) == ""

        assert (both.is_engaged(), both.where()) == (True, str(halt.path))

    @pytest.mark.parametrize("full", [{"etc"}, {"HALT"}, {"etc", "HALT"}], ids=sorted)
    def test_says_by_whom_and_why_where_either_disk_has_space(self, both, halt, full, monkeypatch):
        @contextlib.contextmanager
        def on_disk(path):
            if ("etc" if path.parent.name == "etc" else "HALT") in full:
                raise OSError(errno.ENOSPC, "no space left")
            with new_file(path) as descriptor:
                yield descriptor

        monkeypatch.setattr(halt_file, "new_file", on_disk)
        told = both.engage(HaltNote(reason="x", flatten=True))

        besides = "could not be given why, nor that positions are to be closed"
        assert told == ("" if len(full) == 1 else f"the file {both.path}, {halt.path} is there, and {besides}")
        assert (both.note().flatten, both.is_engaged(), halt.is_engaged()) == (len(full) == 1, True, True)

    @pytest.mark.parametrize("path", ["", "/etc/natya/stop"])
    def test_is_found_beside_it_by_every_part_of_a_system(self, tmp_path, path):
        overrides = {"system.data_dir": str(tmp_path), "kill_switch.path": path}
        settings = load_settings(environment={}, overrides=overrides)
        paths = tuple(filter(None, (path, str(tmp_path / "HALT"))))

        assert halt_file.halt_paths(settings) == paths
        assert orders_settings(settings, "session").halt_paths == paths
        assert kill_switch(settings).paths == paths
        assert halted_by(HaltFile(*paths)) == ""
        HaltFile(tmp_path / "HALT").engage(HaltNote())
        assert halted_by(HaltFile(*paths)) == f"the kill switch is on: {tmp_path / 'HALT'}"

    @pytest.mark.parametrize(
        ("written", "path"),
        [("/etc/natya/stop", ("/etc/natya/stop",)), ("", ()), ("stop", ()), ("/etc/natya\0/stop", ())],
    )
    def test_is_written_down_by_its_whole_path_or_counts_as_none(self, tmp_path, written, path):
        (tmp_path / halt_file.ELSEWHERE_NAME).write_text(written)

        assert halt_file.elsewhere_of(tmp_path) == path

    def test_is_written_down_once_and_no_more_where_there_is_none(self, tmp_path):
        noted, there = tmp_path / halt_file.ELSEWHERE_NAME, str(tmp_path / "HALT")
        halt_file.write_down_elsewhere((there,))
        assert not noted.exists()
        halt_file.write_down_elsewhere(("/etc/natya/stop", there))
        first = noted.stat()
        assert (noted.read_text(), first.st_mode & 0o777) == ("/etc/natya/stop", 0o600)
        halt_file.write_down_elsewhere(("/etc/natya/stop", there))
        assert noted.stat().st_ino == first.st_ino
        halt_file.write_down_elsewhere(("/run/stop", there))
        assert noted.read_text() == "/run/stop"
        halt_file.write_down_elsewhere((there,))
        assert list(tmp_path.iterdir()) == []

    def test_is_written_down_in_a_plain_file_alone(self, tmp_path):
        """Who may write in the directory leads nobody to another file, and has nobody wait."""
        (tmp_path / "noted").write_text("/etc/natya/stop")
        noted = tmp_path / halt_file.ELSEWHERE_NAME
        noted.symlink_to(tmp_path / "noted")
        assert halt_file.elsewhere_of(tmp_path) == ()
        noted.unlink()
        os.mkfifo(noted)
        assert halt_file.elsewhere_of(tmp_path) == ()
        noted.unlink()
        (tmp_path / "noted").rename(noted)
        assert halt_file.elsewhere_of(tmp_path) == ("/etc/natya/stop",)


class TestWhatTheFileSays:
    @pytest.mark.parametrize(
        ("written", "reason"),
        [
            (b"", "found the file HALT"),
            (b"stop it all\n", "stop it all"),
            (b'{"reason": 5}', '{"reason": 5}'),
            (b"\xff\xfe", "\\ufffd\\ufffd"),
            (b"[" * NOTE_BYTES_MAX, "[" * 200),
            (b'{"reason": "by hand", "more": 1}', "by hand"),
        ],
    )
    def test_is_a_reason_whatever_it_is(self, halt, written, reason):
        halt.path.write_bytes(written)

        assert halt.note().reason == reason
        assert halt.note().cause() == f"kill switch: {reason}"

    def test_is_not_read_through_a_link_or_of_a_pipe_and_halts_all_the_same(self, halt, tmp_path):
        (tmp_path / "secret").write_text("a secret")
        halt.path.symlink_to(tmp_path / "secret")
        assert halt.is_engaged()
        assert "cannot be read" in halt.note().reason
        halt.path.unlink()
        os.mkfifo(halt.path)
        assert halt.is_engaged()
        assert halt.note().reason == "found the file HALT"
        halt.path.unlink()
        halt.path.mkdir()
        assert halt.is_engaged()
        assert "cannot be read" in halt.note().reason
