"""Secrets that are kept otherwise than as plain files: encrypted by age, or in the desktop's keyring."""

import contextlib
import os
import stat
import sys
from base64 import b64decode

import keyring.backend
import keyring.errors
import pyrage
import pytest

from natya.config.errors import SettingsError
from natya.config.keepers import Keeper, age, keeper_of, kind_of
from natya.config.loader import load_settings, load_with_origins
from natya.config.secret_files import SecretUnfitError
from natya.config.secret_folder import KEEPER_NAME, SecretFolder
from natya.config.secrets import Secret

CANARY = "canary-7f3a91"
TOKEN, PIN = "broker.access_token", "broker.pin"
PASSPHRASE = Secret("correct horse")
RECIPIENT = "age1qpf4aprhdh4f5kaegv3jw7mehz6z7znvepmekhlmfjwdzymlh35s3dwvjd"
KEY_BEHIND = b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCA4WUFnUnV6WEZoRnpLb2RHa2xraDZBIDIKNTgzUUNPMU5ZY2ZHQ252cllX"
    "am05RnZxQmw4NGhTb3Z3Y2t5ZGw1TUVjcwotLS0gM3JGODRpMFJPZU1COFcyQlM2QVRSd2NrQzJnS3MrNWd4SWZyOHc5ZGdZcwqc"
    "54Vw6ymD4eWdrNunBudFGA6+aFiOhhfRauiYjvNEUpvzx0yT6/5KWN41I1n/EfW8sqfRjQYvoW0pfEPuLlvLNdclmEjhDm9e/Wkh"
    "KbKVr7sTrFGm8Y18MPfc3tDRPBaAeiumDinLS59n"
)
"""The key that reads for `RECIPIENT`, encrypted by `PASSPHRASE` with a work factor of 2 (age: half a second)."""


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory, by the library's own protocol."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def delete_password(self, service, username):
        del self.kept[service, username]


@pytest.fixture
def folder(tmp_path):
    return SecretFolder(tmp_path / "data")


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key.txt"
    age.new_key_file(path)
    return path


@pytest.fixture
def ring():
    before, found = keyring.get_keyring(), Ring()
    keyring.set_keyring(found)
    yield found
    keyring.set_keyring(before)


@pytest.fixture
def ways(key_file, ring):  # noqa: ARG001  the keyring of the test, not that of the machine
    return {
        "files": Keeper(),
        "age": Keeper(kind="age", recipient=age.recipient_of(key_file), key_file=str(key_file)),
        "keyring": Keeper(kind="keyring", service="natya of a test"),
    }


def on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.path.iterdir())


class TestASecret:
    @pytest.mark.parametrize("before", ["files", "age", "keyring"])
    @pytest.mark.parametrize("after", ["files", "age", "keyring"])
    def test_is_the_same_in_each_way_and_in_another_from_the_change_on(self, folder, ways, ring, before, after):
        folder.keep_by(ways[before])
        folder.write(TOKEN, Secret(CANARY))
        version = folder.version(TOKEN)

        assert folder.keep_by(ways[after]) == (TOKEN,)
        assert folder.read(TOKEN) == Secret(CANARY)
        assert folder.kinds() == {TOKEN: after}
        assert folder.version(TOKEN) != version
        assert (CANARY.encode() in on_disk(folder)) == (after == "files")
        assert list(ring.kept) == ([("natya of a test", TOKEN)] if after == "keyring" else [])
        assert folder.layer(locked_left_out=False).values[TOKEN].value == Secret(CANARY)

    @pytest.mark.parametrize("way", ["files", "age", "keyring"])
    def test_is_replaced_removed_and_of_mode_600_in_each(self, folder, ways, ring, way):
        folder.keep_by(ways[way])
        folder.write(TOKEN, Secret("first"))
        folder.write(TOKEN, Secret(CANARY))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()}

        assert folder.read(TOKEN) == Secret(CANARY)
        assert modes == {0o600}
        assert (folder.remove(TOKEN), folder.remove(TOKEN)) == (True, False)
        assert ring.kept == {}

    @pytest.mark.parametrize("before", ["files", "age", "keyring"])
    @pytest.mark.parametrize("after", ["files", "age", "keyring"])
    def test_can_be_read_wherever_a_change_was_cut_off_and_the_change_begun_again(
        self, folder, ways, monkeypatch, before, after
    ):
        folder.keep_by(ways[before])
        folder.write(TOKEN, Secret(CANARY))
        folder.write(PIN, Secret("482913"))
        put = SecretFolder._put
        for cut_after in range(4):
            left = cut_after

            def cut(self, path, content):
                nonlocal left
                if left == 0:
                    raise OSError(28, "no space")
                left -= 1
                put(self, path, content)

            with monkeypatch.context() as patched, contextlib.suppress(OSError):
                patched.setattr(SecretFolder, "_put", cut)
                folder.keep_by(ways[after])

            assert (folder.read(TOKEN), folder.read(PIN)) == (Secret(CANARY), Secret("482913"))
            folder.keep_by(ways[before])

    def test_that_another_program_puts_there_plain_is_read_beside_those_of_age(self, folder, ways):
        folder.keep_by(ways["age"])
        folder.write(TOKEN, Secret(CANARY))
        descriptor = os.open(folder.path / PIN, os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(descriptor, b"482913\n")
        os.close(descriptor)

        assert (folder.read(TOKEN), folder.read(PIN)) == (Secret(CANARY), Secret("482913"))

    @pytest.mark.parametrize("before", ["files", "age"])
    def test_stays_where_it_was_when_the_way_is_not_there(self, folder, ways, before):
        folder.keep_by(ways[before])
        folder.write(TOKEN, Secret(CANARY))
        keyring.set_keyring(keyring.backends.fail.Keyring())

        with pytest.raises(SecretUnfitError, match="no keyring is here"):
            folder.keep_by(ways["keyring"])
        assert folder.read(TOKEN) == Secret(CANARY)


class TestASecretOfAge:
    def test_is_read_by_age_itself_with_the_key_of_the_file(self, folder, ways, key_file):
        folder.keep_by(ways["age"])
        folder.write(TOKEN, Secret(CANARY))
        identity = pyrage.x25519.Identity.from_str(key_file.read_text().splitlines()[1])

        assert pyrage.decrypt((folder.path / TOKEN).read_bytes(), [identity]) == CANARY.encode()

    def test_is_written_without_the_key_and_not_read(self, folder, ways, key_file):
        folder.keep_by(ways["age"])
        key_file.rename(key_file.with_name("elsewhere"))
        folder.write(TOKEN, Secret(CANARY))

        with pytest.raises(SecretUnfitError, match="wanted a key of age, found nothing there"):
            folder.read(TOKEN)

    @pytest.mark.parametrize(
        ("spoil", "problem"),
        [
            (lambda path: path.chmod(0o644), "wanted mode 600"),
            (lambda path: path.write_text("no key\n"), "wanted a key of age"),
            (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), "is a link"),
            (lambda path: (path.unlink(), age.new_key_file(path)), "encrypted for another key, or is damaged"),
        ],
        ids=["open to others", "no key", "a link", "another"],
    )
    def test_is_refused_with_a_key_that_is_unfit(self, folder, ways, key_file, spoil, problem):
        folder.keep_by(ways["age"])
        folder.write(TOKEN, Secret(CANARY))
        spoil(key_file)

        with pytest.raises(SecretUnfitError, match=problem):
            folder.read(TOKEN)
        assert any(problem in each for each in folder.layer(locked_left_out=False).problems)

    def test_that_was_damaged_is_named_and_not_quoted(self, folder, ways):
        folder.keep_by(ways["age"])
        folder.write(TOKEN, Secret(CANARY))
        path = folder.path_of(TOKEN)
        path.write_bytes(path.read_bytes()[:-3])

        with pytest.raises(SecretUnfitError, match="is damaged"):
            folder.read(TOKEN)


class TestASecretBehindAPassphrase:
    @pytest.fixture
    def locked(self, folder, monkeypatch):
        for memory in ("_passphrases", "_keys"):
            monkeypatch.setattr(age, memory, {})
        monkeypatch.setattr(age, "_wanted", set())
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
        folder.keep_by(Keeper(kind="age", recipient=RECIPIENT), KEY_BEHIND)
        folder.write(TOKEN, Secret(CANARY))
        return folder

    def load(self, folder, **options):
        overrides = {"system.data_dir": str(folder.path.parent)}
        return load_settings("paper", environment={}, overrides=overrides, **options)

    def test_is_wanted_by_the_settings_and_left_out_for_who_only_looks(self, locked):
        with pytest.raises(SettingsError, match=r"the passphrase of .* is wanted: at a terminal, or as"):
            self.load(locked)

        assert age.passphrase_wanted() == locked.path / age.KEY_NAME
        assert age.passphrase_wanted() is None
        assert not self.load(locked, locked_left_out=True).broker.access_token

    @pytest.mark.parametrize("read", [load_settings, load_with_origins])
    def test_is_wanted_by_who_does_not_say_that_he_does_without(self, locked, read):
        with pytest.raises(SettingsError, match="the passphrase of"):
            read("paper", environment={}, overrides={"system.data_dir": str(locked.path.parent)})

    def test_is_read_from_then_on_when_a_person_has_given_it(self, locked):
        age.give_passphrase(locked.path / age.KEY_NAME, PASSPHRASE)

        assert self.load(locked).broker.access_token == Secret(CANARY)
        locked.write(TOKEN, Secret("another"))
        assert locked.read(TOKEN) == Secret("another")

    def test_is_read_with_the_credential_of_the_service_and_refused_with_another(self, locked, tmp_path, monkeypatch):
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        (tmp_path / age.CREDENTIAL).write_text("wrong\n")
        with pytest.raises(SecretUnfitError, match="another passphrase wanted"):
            locked.read(TOKEN)
        (problem,) = locked.layer(locked_left_out=False).problems
        assert problem.count(str(locked.path / TOKEN)) == problem.count(str(locked.path / age.KEY_NAME)) == 1
        (tmp_path / age.CREDENTIAL).write_text(f"{PASSPHRASE.reveal()}\n")

        assert locked.read(TOKEN) == Secret(CANARY)


class TestTheFileThatSaysHow:
    @pytest.mark.parametrize("content", [b"{", b'{"kind":"paper"}', b'{"kind":"age","more":1}', b"\xff"])
    def test_is_refused_when_it_is_none_without_quoting_it(self, folder, content):
        folder.write(TOKEN, Secret(CANARY))
        path = folder.path / KEEPER_NAME
        path.write_bytes(content)
        path.chmod(0o600)

        with pytest.raises(SecretUnfitError, match="no description of a keeper") as refused:
            folder.read(TOKEN)
        assert "paper" not in str(refused.value)

    def test_is_plain_files_where_there_is_none(self):
        assert keeper_of(b"") == Keeper()
        assert kind_of(b"482913\n") == "files"


@pytest.mark.parametrize("library", ["pyrage", "keyring"])
def test_without_its_library_a_way_says_what_to_install(folder, ways, monkeypatch, library):
    way = ways["age" if library == "pyrage" else "keyring"]
    folder.keep_by(way)
    monkeypatch.setitem(sys.modules, library, None)

    for keep in (lambda: folder.write(TOKEN, Secret(CANARY)), lambda: folder.keep_by(way)):
        with pytest.raises(SecretUnfitError, match=f"wanted the library {library}, found none: pip install"):
            keep()


def test_a_keyring_that_is_not_there_is_told_before_there_is_a_secret(folder, ways):
    keyring.set_keyring(keyring.backends.fail.Keyring())

    with pytest.raises(SecretUnfitError, match="no keyring is here"):
        folder.keep_by(ways["keyring"])
    assert folder.keeper() == Keeper()
