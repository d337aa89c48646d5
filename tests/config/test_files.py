"""Files that are made, moved and removed so that nothing is lost which was not made in the same step."""

import contextlib
import errno
import os
import re
import stat
from pathlib import Path

import pytest

from natya.config import files
from natya.config.files import (
    MARK,
    NotOursError,
    copy_new,
    empty_private_folder,
    expect_new,
    expect_own_folder,
    free_bytes,
    is_private_folder,
    make_own_folder,
    make_private_folder,
    move_new,
    new_file,
    open_from_private_folder,
    open_kept,
    private_folders,
    remove_private_folder,
    sync_folder,
)

NOBODY = 65534
ANY = re.compile(r"own-\d+(\.\w+)*")


@pytest.fixture
def folder(tmp_path):
    make_private_folder(tmp_path / "folder", "us")
    return tmp_path / "folder"


@pytest.fixture(params=["renameat2", "a name taken first"])
def way(request, monkeypatch):
    """Each way to move without replacing; not every file system knows the first."""
    if request.param != "renameat2":
        monkeypatch.setattr(files, "_renameat2", lambda: None)


@pytest.mark.usefixtures("way")
class TestAMove:
    def test_takes_the_file_along(self, tmp_path):
        (tmp_path / "source").write_text("ours")
        move_new(tmp_path / "source", tmp_path / "target")

        assert (tmp_path / "target").read_text() == "ours"
        assert not (tmp_path / "source").exists()

    @pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
    def test_replaces_nothing(self, tmp_path, kind):
        (tmp_path / "source").write_text("ours")
        (tmp_path / "other").write_text("theirs")
        target = tmp_path / "target"
        match kind:
            case "file":
                target.write_text("theirs")
            case "folder":
                target.mkdir()
            case "link":
                target.symlink_to(tmp_path / "other")
            case "dangling link":
                target.symlink_to(tmp_path / "nowhere")
        before = target.lstat()

        with pytest.raises(FileExistsError):
            move_new(tmp_path / "source", target)

        assert target.lstat() == before
        assert (tmp_path / "source").read_text() == "ours"
        assert (tmp_path / "other").read_text() == "theirs"
        assert not (tmp_path / "nowhere").exists()

    def test_of_nothing_makes_nothing(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            move_new(tmp_path / "source", tmp_path / "target")
        assert not (tmp_path / "target").exists()

    def test_that_fails_takes_no_name(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "_renameat2", lambda: None)
        (tmp_path / "source").mkdir()

        with pytest.raises(OSError, match="target"):
            move_new(tmp_path / "source", tmp_path / "target")
        assert not (tmp_path / "target").exists()
        assert (tmp_path / "source").is_dir()

    def test_to_another_file_system_is_a_copy_and_the_source_goes(self, tmp_path, monkeypatch):
        def refuse(*_):
            raise OSError(errno.EXDEV, "another file system")

        monkeypatch.setattr(files, "_rename_new", refuse)
        (tmp_path / "source").write_text("ours")
        move_new(tmp_path / "source", tmp_path / "target")

        assert (tmp_path / "target").read_text() == "ours"
        assert not (tmp_path / "source").exists()


class TestACopy:
    def test_replaces_nothing(self, tmp_path):
        (tmp_path / "source").write_text("ours")
        (tmp_path / "target").write_text("theirs")

        with pytest.raises(FileExistsError):
            copy_new(tmp_path / "source", tmp_path / "target")
        assert (tmp_path / "target").read_text() == "theirs"


class TestANewFile:
    def test_that_fails_is_gone(self, tmp_path):
        with pytest.raises(OSError, match="full"), new_file(tmp_path / "new"):
            raise OSError(errno.ENOSPC, "full")
        assert not (tmp_path / "new").exists()

    def test_that_fails_takes_nothing_along_that_came_in_its_place(self, tmp_path):
        path = tmp_path / "new"

        def fail():
            path.unlink()
            path.write_text("theirs")
            raise OSError(errno.ENOSPC, "full")

        with pytest.raises(OSError, match="full"), new_file(path):
            fail()
        assert path.read_text() == "theirs"


def descriptors():
    return len([*Path("/proc/self/fd").iterdir()])


class TestADescriptor:
    """Of a process that runs for months."""

    @pytest.mark.parametrize("fails", [False, True])
    def test_is_left_open_by_nothing(self, tmp_path, fails):
        (tmp_path / "source").write_text("ours")
        (tmp_path / "taken").write_text("theirs")
        before = descriptors()
        for number in range(3):
            target = tmp_path / ("taken" if fails else f"target-{number}")
            with contextlib.suppress(OSError):
                copy_new(tmp_path / "source", target)
            with contextlib.suppress(OSError):
                move_new(tmp_path / ("none" if fails else f"target-{number}"), tmp_path / f"moved-{number}")
            with contextlib.suppress(OSError), new_file(tmp_path / f"new-{number}"):
                if fails:
                    raise OSError(errno.ENOSPC, "full")
            with contextlib.suppress(OSError):
                sync_folder(tmp_path / ("taken" if fails else ""))
            with contextlib.suppress(NotOursError):
                os.close(open_kept(tmp_path / f"lock-{number}", is_ours=lambda _held: not fails))
            with contextlib.suppress(OSError):
                make_private_folder(tmp_path / f"folder-{number}", "us")
            remove_private_folder(tmp_path / f"folder-{number}", "them" if fails else "us", names=ANY)

        assert descriptors() == before


class TestAKeptFile:
    def test_is_made_for_its_user_alone(self, tmp_path):
        os.close(open_kept(tmp_path / "lock", is_ours=lambda held: not held))

        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600

    @pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "folder", "pipe", "socket", "content"])
    def test_is_refused_where_something_else_is(self, tmp_path, kind):
        victim, path = tmp_path / "victim", tmp_path / "lock"
        victim.write_text("a user's own text")
        match kind:
            case "link":
                path.symlink_to(victim)
            case "dangling link":
                path.symlink_to(tmp_path / "nowhere")
            case "hard link":
                path.hardlink_to(victim)
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case "socket":
                os.mknod(path, stat.S_IFSOCK | 0o600)
            case "content":
                path.write_text("a user's own text")

        with pytest.raises(NotOursError, match=r"lock (is|holds)"):
            open_kept(path, is_ours=lambda held: held.isdigit())
        assert victim.read_text() == "a user's own text"
        assert not (tmp_path / "nowhere").exists()

    def test_that_cannot_be_made_says_why(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="no-folder/lock"):
            open_kept(tmp_path / "no-folder" / "lock", is_ours=lambda _: True)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_is_refused_where_another_users_is(self, tmp_path):
        (tmp_path / "lock").touch()
        os.chown(tmp_path / "lock", NOBODY, NOBODY)

        with pytest.raises(NotOursError, match="no file of user 0"):
            open_kept(tmp_path / "lock", is_ours=lambda _: True)


class TestAFolderOfOnesOwn:
    @pytest.fixture
    def any_umask(self):
        before = os.umask(0)
        yield
        os.umask(before)

    @pytest.mark.usefixtures("any_umask")
    def test_is_made_with_those_above_it_for_its_user_alone(self, tmp_path):
        made = tmp_path / "state/natya/paper"
        make_own_folder(made)
        make_own_folder(made)

        assert [stat.S_IMODE(each.stat().st_mode) for each in (made, *made.parents[:2])] == [0o700] * 3

    def test_is_not_made_below_a_file_nor_in_its_place(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(NotADirectoryError):
            make_own_folder(tmp_path / "file/below")
        with pytest.raises(FileExistsError):
            make_own_folder(tmp_path / "file")

    @pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o702, 0o720])
    def test_is_refused_while_others_may_write_there(self, tmp_path, mode):
        tmp_path.chmod(mode)
        with pytest.raises(NotOursError, match=rf"mode {mode:04o}\): chmod go-w '?{re.escape(str(tmp_path))}"):
            expect_own_folder(tmp_path)
        tmp_path.chmod(mode & ~0o022)
        expect_own_folder(tmp_path)

    def test_may_be_a_sticky_one_where_that_is_asked_for(self, tmp_path):
        tmp_path.chmod(0o1777)
        expect_own_folder(tmp_path, shared=True)
        tmp_path.chmod(0o777)
        with pytest.raises(NotOursError):
            expect_own_folder(tmp_path, shared=True)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_is_refused_if_it_is_another_users(self, tmp_path):
        os.chown(tmp_path, NOBODY, NOBODY)
        with pytest.raises(NotOursError, match=rf"belongs to user {NOBODY}, and this is user 0"):
            expect_own_folder(tmp_path)
        with pytest.raises(NotOursError):
            expect_own_folder(tmp_path, shared=True)
        tmp_path.chmod(0o1777)
        expect_own_folder(tmp_path, shared=True)


class TestAPrivateFolder:
    def test_is_removed_with_what_is_ours_in_it(self, folder):
        (folder / "own-1").touch()
        make_private_folder(folder / "own-2", "us")
        (folder / "own-2" / "own-3.wal").touch()

        assert remove_private_folder(folder, "us", names=ANY)
        assert not folder.exists()

    def test_is_removed_whatever_is_found_first_in_it(self, folder, monkeypatch):
        listed = os.listdir
        monkeypatch.setattr(
            files.os, "listdir", lambda folder: sorted(listed(folder), key=lambda name: (name != files.MARK, name))
        )
        for number in range(3):
            (folder / f"own-{number}").touch()

        assert remove_private_folder(folder, "us", names=ANY)
        assert not folder.exists()

    @pytest.mark.parametrize("theirs", ["notes.txt", "own-1/notes.txt", "sub/own-1"])
    def test_stays_with_what_is_not(self, folder, theirs):
        file = folder / theirs
        file.parent.mkdir(exist_ok=True)
        file.write_text("theirs")
        (folder / "own-9").touch()

        assert not remove_private_folder(folder, "us", names=ANY)
        assert file.read_text() == "theirs"
        assert not (folder / "own-9").exists()
        assert is_private_folder(folder, "us")

    def test_stays_with_a_folder_of_ours_that_has_another_name(self, folder):
        make_private_folder(folder / "kept", "us")
        (folder / "kept" / "own-1").write_text("theirs")

        assert not remove_private_folder(folder, "us", names=ANY)
        assert (folder / "kept" / "own-1").read_text() == "theirs"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_is_none_whose_mark_is_another_users(self, folder):
        (folder / "own-1").write_text("theirs")
        os.chown(folder / MARK, NOBODY, NOBODY)

        assert not is_private_folder(folder, "us")
        assert not remove_private_folder(folder, "us", names=ANY)
        assert (folder / "own-1").read_text() == "theirs"

    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
    def test_is_none_whose_mark_is_no_file(self, folder, make):
        (folder / MARK).unlink()
        make(folder / MARK)
        (folder / "own-1").write_bytes(b"rows")

        assert not is_private_folder(folder, "us")
        with pytest.raises(NotOursError, match="lies in no folder of ours"):
            open_from_private_folder(folder / "own-1")

    def test_stays_with_a_folder_in_it_that_is_not_marked(self, folder):
        for name in ("own-1", "own-2"):
            make_private_folder(folder / name, "us")
            (folder / name / "own-3").write_text("whose")
        (folder / "own-1" / MARK).unlink()

        assert not remove_private_folder(folder, "us", names=ANY)
        assert (folder / "own-1" / "own-3").read_text() == "whose"
        assert not (folder / "own-2").exists()

    @pytest.mark.parametrize("kept", ["own-1", "own-2"])
    def test_stays_with_what_is_neither_file_nor_folder_and_loses_the_rest(self, folder, kept):
        for name in ("own-1", "own-2"):
            (folder / name).touch()
        (folder / kept).unlink()
        os.mkfifo(folder / kept)

        assert not remove_private_folder(folder, "us", names=ANY)
        assert {each.name for each in folder.iterdir()} == {MARK, kept}

    @pytest.mark.parametrize("kept", ["own-1", "own-2"])
    def test_stays_whichever_of_two_in_it_stays(self, folder, kept, monkeypatch):
        listed = os.listdir
        monkeypatch.setattr(files.os, "listdir", lambda folder: sorted(listed(folder)))
        for name in ("own-1", "own-2"):
            make_private_folder(folder / name, "us")
        (folder / kept / "theirs").touch()

        assert not remove_private_folder(folder, "us", names=ANY)
        assert {each.name for each in folder.iterdir()} == {MARK, kept}

    def test_may_be_one_whose_name_fits(self, tmp_path, folder):
        make_private_folder(tmp_path / "own-1", "us")

        assert private_folders(tmp_path, ANY) == (tmp_path / "own-1",)
        assert private_folders(tmp_path / "nowhere", ANY) == ()

    @pytest.mark.parametrize("owner", ["us", "them"])
    def test_is_emptied_of_what_is_ours_in_it_and_stays(self, folder, owner):
        (folder / "own-1").write_text("ours")
        (folder / "theirs").write_text("theirs")
        empty_private_folder(folder, owner, names=ANY)

        kept = {"theirs"} | ({"own-1"} if owner == "them" else set())
        assert {each.name for each in folder.iterdir()} - {MARK} == kept
        assert is_private_folder(folder, "us")

    def test_is_left_alone_without_our_mark(self, tmp_path, folder):
        for other in (tmp_path / "plain", tmp_path / "of others"):
            other.mkdir()
            (other / "own-1").write_text("theirs")
        (tmp_path / "of others" / MARK).write_text("somebody")
        (tmp_path / "plain" / MARK).symlink_to(folder / MARK)

        for other in (tmp_path / "plain", tmp_path / "of others"):
            assert not remove_private_folder(other, "us", names=ANY)
            empty_private_folder(other, "us", names=ANY)
            assert (other / "own-1").read_text() == "theirs"

    def test_is_never_the_target_of_a_link(self, tmp_path, folder):
        (folder / "own-1").write_text("ours")
        (tmp_path / "link").symlink_to(folder)

        assert not remove_private_folder(tmp_path / "link", "us", names=ANY)
        assert private_folders(tmp_path, re.compile("link|folder")) == (folder,)
        assert (folder / "own-1").read_text() == "ours"

    def test_loses_no_target_of_a_link_in_it(self, tmp_path, folder):
        (tmp_path / "theirs").mkdir()
        (tmp_path / "theirs" / "own-1").write_text("theirs")
        (folder / "own-1").symlink_to(tmp_path / "theirs")
        (folder / "own-2").symlink_to(tmp_path / "theirs" / "own-1")

        assert not remove_private_folder(folder, "us", names=ANY)
        assert (tmp_path / "theirs" / "own-1").read_text() == "theirs"

    def test_takes_no_place_that_is_taken(self, folder):
        with pytest.raises(FileExistsError):
            make_private_folder(folder, "others")
        assert is_private_folder(folder, "us")

    def test_that_cannot_be_marked_is_not_left_behind(self, tmp_path, monkeypatch):
        def refuse(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(files.os, "write", refuse)
            with pytest.raises(OSError, match="No space left"):
                make_private_folder(tmp_path / "new", "us")
        make_private_folder(tmp_path / "new", "us")

        assert is_private_folder(tmp_path / "new", "us")


class TestAFileThatIsHandedOver:
    def test_can_be_read(self, folder):
        (folder / "own-1").write_bytes(b"rows")
        descriptor = open_from_private_folder(folder / "own-1")

        assert os.pread(descriptor, 10, 0) == b"rows"
        os.close(descriptor)

    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
    def test_is_a_file(self, folder, make):
        make(folder / "own-1")

        with pytest.raises(NotOursError, match=rf"own-1 is no file of user {os.geteuid()}: it was left alone"):
            open_from_private_folder(folder / "own-1")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    @pytest.mark.parametrize("given", ["own-1", ".", MARK])
    def test_is_left_alone_where_any_of_it_is_another_users(self, folder, given):
        (folder / "own-1").write_bytes(b"rows")
        os.chown(folder / given, NOBODY, NOBODY)

        with pytest.raises(NotOursError, match="left alone"):
            open_from_private_folder(folder / "own-1")

    @pytest.mark.parametrize("place", ["elsewhere", "a link in the folder", "a folder that others may enter"])
    def test_is_left_alone_anywhere_else(self, tmp_path, folder, place):
        secret = tmp_path / "secret"
        secret.write_text("a key")
        match place:
            case "elsewhere":
                path = secret
            case "a link in the folder":
                path = folder / "own-1"
                path.symlink_to(secret)
            case _:
                path = folder / "own-1"
                path.write_text("a key")
                folder.chmod(0o755)

        with pytest.raises(OSError, match=r"left alone|symbolic link|ELOOP"):
            open_from_private_folder(path)
        assert secret.read_text() == "a key"


def test_what_is_free_is_that_of_the_fullest_of_several_that_are_there(tmp_path, monkeypatch):
    names = ("roomy", "full", "gone")
    for name in names[:2]:
        (tmp_path / name).mkdir()
    real = os.statvfs(tmp_path)

    def of(folder):
        blocks = {"roomy": 9, "full": 7}.get(folder.name)
        if blocks is None:
            raise FileNotFoundError(errno.ENOENT, "gone")
        return os.statvfs_result((real[0], 1_000, *real[2:4], blocks, *real[5:]))

    monkeypatch.setattr(files.os, "statvfs", of)
    folders = {name: tmp_path / name for name in names}

    assert [free_bytes(each) for each in folders.values()] == [9_000, 7_000, None]
    assert free_bytes(*folders.values()) == 7_000
    assert free_bytes() is None


class TestAFileThatIsToBeMade:
    def test_may_have_a_name_that_is_free(self, tmp_path):
        expect_new(tmp_path / "new")

    @pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")])
    def test_may_not_have_one_that_is_taken(self, tmp_path, make):
        make(tmp_path / "taken")

        with pytest.raises(FileExistsError, match="taken is there already"):
            expect_new(tmp_path / "taken")

    def test_wants_a_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there is no directory .*absent"):
            expect_new(tmp_path / "absent" / "new")
