"""Secrets that systemd hands over in a folder."""

import pytest

from natya.config.errors import SettingsError
from natya.config.loader import load_with_origins
from natya.config.secrets import Secret


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def put(folder, name, content=b"4711\n", mode=0o400):
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)


def load(folder, **environment):
    return load_with_origins(environment={"CREDENTIALS_DIRECTORY": str(folder), **environment})


class TestACredential:
    def test_is_the_secret_of_its_name_and_shown_with_its_origin_only(self, folder):
        put(folder, "broker.pin")
        loaded = load(folder)

        assert loaded.settings.broker.pin == Secret("4711")
        assert loaded.origins["broker.pin"] == f"credential {folder / 'broker.pin'}"
        assert "4711" not in repr(loaded)

    def test_gives_way_to_the_environment(self, folder):
        put(folder, "broker.access_token", b"of-the-folder")

        loaded = load(folder, BROKER_ACCESS_TOKEN="of-the-moment")  # noqa: S106  of a test

        assert loaded.settings.broker.access_token == Secret("of-the-moment")

    def test_of_another_program_is_left_alone(self, folder):
        put(folder, "database-password")

        assert load(folder).settings.broker.pin == Secret("")

    @pytest.mark.parametrize(
        ("name", "content", "mode", "problem"),
        [
            ("broker.pinn", b"4711", 0o400, "key of a secret.*broker.pin"),
            ("feed.seed", b"7", 0o400, "wanted the key of a secret"),
            ("broker.pin", b"4711", 0o404, "others cannot open, found mode 404"),
            ("broker.pin", b" \n", 0o400, "wanted a secret, found none"),
            ("broker.pin", b"4711\xff", 0o400, "found other bytes"),
            ("broker.pin", b"4711\n4711", 0o400, "wanted one line"),
            ("broker.pin", b"4711" * 20_000, 0o400, "at most 65536 bytes"),
        ],
    )
    def test_that_cannot_be_right_is_refused_without_being_quoted(self, folder, name, content, mode, problem):
        put(folder, name, content, mode)

        with pytest.raises(SettingsError, match=problem) as refusal:
            load(folder)
        assert "4711" not in str(refusal.value)

    def test_whose_folder_is_not_there_is_told(self, folder):
        with pytest.raises(SettingsError, match="CREDENTIALS_DIRECTORY: cannot be read"):
            load(folder / "none")
