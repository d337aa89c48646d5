"""The folder of secrets: private, whole, and never quoted."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from natya.config.errors import SettingsError
from natya.config.files import new_file
from natya.config.secret_files import SIZE_MAX_BYTES, SecretUnfitError, secret_text
from natya.config.secret_folder import OBTAINED_TOKEN, SecretFolder
from natya.config.secrets import Secret

CANARY = "canary-7f3a91"
TOKEN = "broker.access_token"  # noqa: S105  its key


@pytest.fixture
def folder(tmp_path):
    return SecretFolder(tmp_path / "data")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestAStoredSecret:
    def test_is_read_back_by_its_key(self, folder):
        folder.write(TOKEN, Secret(CANARY))

        assert folder.read(TOKEN) == Secret(CANARY)
        assert folder.keys() == (TOKEN,)

    def test_is_a_file_that_only_its_user_can_open_whatever_the_umask(self, folder):
        before = os.umask(0)
        try:
            folder.write(TOKEN, Secret(CANARY))
        finally:
            os.umask(before)

        assert mode_of(folder.path_of(TOKEN)) == 0o600
        assert mode_of(folder.path) == 0o700
        assert mode_of(folder.path.parent) == 0o700

    def test_is_replaced_whole_and_its_version_changes(self, folder):
        folder.write(TOKEN, Secret("first"))
        before = folder.version(TOKEN)
        folder.write(TOKEN, Secret("second"))

        assert folder.read(TOKEN) == Secret("second")
        assert folder.version(TOKEN) != before
        assert list(folder.path.iterdir()) == [folder.path / TOKEN]

    def test_stays_as_it_was_where_a_new_one_cannot_be_written(self, folder, monkeypatch):
        folder.write(TOKEN, Secret("first"))

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("natya.config.secret_folder.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            folder.write(TOKEN, Secret("second"))
        monkeypatch.undo()
        assert folder.read(TOKEN) == Secret("first")
        assert list(folder.path.iterdir()) == [folder.path / TOKEN]

    def test_that_is_removed_is_gone_once(self, folder):
        folder.write(TOKEN, Secret(CANARY))

        assert (folder.remove(TOKEN), folder.remove(TOKEN)) == (True, False)
        assert folder.read(TOKEN) is None

    def test_is_durable_before_it_is_said_to_be_there_or_gone(self, folder, monkeypatch):
        synced = []
        monkeypatch.setattr("natya.config.secret_folder.sync_folder", synced.append)
        counts = []
        for happens in (lambda: folder.write(TOKEN, Secret(CANARY)), lambda: folder.remove(TOKEN)):
            happens()
            counts.append(synced.count(folder.path))

        assert counts == [1, 2]

    def test_is_the_newest_of_several_by_when_it_was_written(self, folder):
        keys = ("broker.access_token", "broker.pin", "database.encryption_key")
        assert folder.newest_of(*keys) is None
        for at_s, key in zip((20, 30, 10), keys, strict=True):
            folder.write(key, Secret(f"of {key}"))
            os.utime(folder.path_of(key), (at_s, at_s))

        assert folder.newest_of(*keys).reveal() == "of broker.pin"
        assert folder.newest_of(*reversed(keys)).reveal() == "of broker.pin"
        assert folder.newest_of(keys[0], keys[2]).reveal() == "of broker.access_token"
        assert folder.newest_of("broker.totp_secret", keys[2]).reveal() == "of database.encryption_key"

    def test_leaves_no_file_open_whether_it_can_be_read_or_not(self, folder):
        folder.write(TOKEN, Secret(CANARY))
        before = len(list(Path("/proc/self/fd").iterdir()))
        folder.read(TOKEN)
        folder.path_of(TOKEN).chmod(0o644)
        with pytest.raises(SecretUnfitError):
            folder.read(TOKEN)

        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_that_never_was_is_none(self, folder):
        assert (folder.read(TOKEN), folder.version(TOKEN), folder.keys()) == (None, None, ())

    def test_of_our_own_is_kept_beside_those_that_are_settings_and_is_none(self, folder, load, tmp_path):
        for key in (OBTAINED_TOKEN, "notifications.webhook", TOKEN):
            folder = SecretFolder(tmp_path / "data")
            folder.write(key, Secret(f"https://x/{key}"))
        loaded = load().settings

        assert folder.read(OBTAINED_TOKEN) == Secret(f"https://x/{OBTAINED_TOKEN}")
        assert loaded.broker.access_token == Secret(f"https://x/{TOKEN}")
        assert loaded.notifications.webhook == Secret("https://x/notifications.webhook")

    def test_that_goes_while_it_is_looked_at_is_kept_in_no_way(self, folder, monkeypatch):
        folder.write(TOKEN, Secret(CANARY))
        assert list(folder.kinds()) == [TOKEN]
        monkeypatch.setattr(SecretFolder, "keys", lambda _: ("notifications.webhook", TOKEN))

        assert list(folder.kinds()) == [TOKEN]

    @pytest.mark.parametrize("key", ["broker.access_tokn", "feed.seed", "../natya.lock", ""])
    def test_has_the_key_of_a_secret(self, folder, key):
        with pytest.raises(SecretUnfitError, match="wanted the key of a secret"):
            folder.write(key, Secret(CANARY))


class TestASecretThatOthersMightUse:
    @pytest.fixture(autouse=True)
    def stored(self, folder):
        folder.write(TOKEN, Secret(CANARY))

    def refusal(self, folder):
        with pytest.raises(SecretUnfitError) as refusal:
            folder.read(TOKEN)
        assert CANARY not in str(refusal.value)
        return str(refusal.value)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
    def test_is_refused_in_an_open_file(self, folder, mode):
        folder.path_of(TOKEN).chmod(mode)

        assert f"wanted mode 600 for a file with a secret, found {mode:o}" in self.refusal(folder)

    @pytest.mark.parametrize("mode", [0o750, 0o701])
    def test_is_refused_in_an_open_folder(self, folder, mode):
        folder.path.chmod(mode)

        assert f"wanted mode 700 for a folder of secrets, found {mode:o}" in self.refusal(folder)
        with pytest.raises(SecretUnfitError):
            folder.write(TOKEN, Secret("second"))

    def test_is_refused_in_a_folder_that_others_write(self, folder):
        folder.path.chmod(0o777)

        assert "may be written by others" in self.refusal(folder)

    def test_is_refused_behind_a_link(self, folder, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        with new_file(elsewhere) as descriptor:
            os.write(descriptor, CANARY.encode())
        folder.path_of(TOKEN).unlink()
        folder.path_of(TOKEN).symlink_to(elsewhere)

        assert "is a link" in self.refusal(folder)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_is_refused_in_another_users_file(self, folder):
        os.chown(folder.path_of(TOKEN), 65534, 65534)

        assert "is no file of user 0" in self.refusal(folder)

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
    def test_is_refused_in_what_is_no_file(self, folder, make):
        folder.path_of(TOKEN).unlink()
        make(folder.path_of(TOKEN), 0o600)

        assert f"is no file of user {os.geteuid()}" in self.refusal(folder)

    def test_is_refused_in_a_folder_that_is_a_link(self, folder):
        folder.path.rename(folder.path.with_name("moved"))
        folder.path.symlink_to(folder.path.with_name("moved"))

        assert "is a link" in self.refusal(folder)

    def test_is_refused_where_a_file_is_in_the_folder_s_place(self, folder):
        shutil.rmtree(folder.path)
        folder.path.touch(0o600)

        assert self.refusal(folder) == f"{folder.path} is a file: a folder wanted"

    @pytest.mark.parametrize(
        ("content", "problem"),
        [(b"\n", "wanted a secret, found none"), (b"a\xff", "other bytes"), (b"x" * 70_000, "at most 65536")],
    )
    def test_is_refused_where_it_is_none(self, folder, content, problem):
        folder.path_of(TOKEN).write_bytes(content)

        assert problem in self.refusal(folder)


class TestTheSettings:
    def test_have_a_stored_secret_with_its_origin(self, load, tmp_path):
        folder = SecretFolder(tmp_path / "data")
        folder.write(TOKEN, Secret(CANARY))
        loaded = load()

        assert loaded.settings.broker.access_token == Secret(CANARY)
        assert loaded.origins[TOKEN] == f"secret {folder.path_of(TOKEN)}"

    def test_rank_it_above_file_and_credential_and_below_the_environment(self, load, tmp_path, config_file):
        credentials = tmp_path / "credentials"
        credentials.mkdir()
        (credentials / TOKEN).write_text("of-systemd")
        (credentials / TOKEN).chmod(0o400)
        SecretFolder(tmp_path / "data").write(TOKEN, Secret("stored"))
        config = config_file('[broker]\naccess_token = "of-the-file"')
        environment = {"CREDENTIALS_DIRECTORY": str(credentials)}

        assert load(config=config, environment=environment).settings.broker.access_token == Secret("stored")
        environment["BROKER_ACCESS_TOKEN"] = "of-the-moment"  # noqa: S105  of a test
        assert load(config=config, environment=environment).settings.broker.access_token == Secret("of-the-moment")

    def test_are_refused_with_one_that_others_can_read(self, load, tmp_path):
        folder = SecretFolder(tmp_path / "data")
        folder.write(TOKEN, Secret(CANARY))
        folder.path_of(TOKEN).chmod(0o644)

        with pytest.raises(SettingsError, match="wanted mode 600") as refusal:
            load()
        assert CANARY not in str(refusal.value)

    def test_are_refused_with_a_file_that_is_no_secret(self, load, tmp_path):
        folder = SecretFolder(tmp_path / "data")
        folder.write(TOKEN, Secret(CANARY))
        (folder.path / "broker.acces_token").touch(mode=0o600)

        with pytest.raises(SettingsError, match=r"did you mean broker\.access_token"):
            load()


def test_a_secret_is_as_long_as_it_may_be_and_not_a_byte_longer():
    assert secret_text(b"s" * SIZE_MAX_BYTES) == "s" * SIZE_MAX_BYTES
    with pytest.raises(SecretUnfitError, match=f"wanted at most {SIZE_MAX_BYTES} bytes"):
        secret_text(b"s" * (SIZE_MAX_BYTES + 1))
