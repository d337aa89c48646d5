import os

import pytest

from natya.config import sightings
from natya.config.sightings import Sighting, sighted


@pytest.fixture(params=["statx", "lstat"])
def look(request, monkeypatch):
    if request.param == "lstat":
        monkeypatch.setattr(sightings, "_statx", lambda: None)
    elif sightings._statx() is None:
        pytest.skip("this system has no statx")
    return sighted


def test_a_file_is_seen_as_the_system_tells_it(look, tmp_path):
    path = tmp_path / "प्रवेश"
    path.write_bytes(b"x" * 4_097)

    assert look(path) == Sighting.of(os.lstat(path))
    assert look(path).size == 4_097
    assert look("/dev/null") == Sighting.of(os.lstat("/dev/null"))


def test_a_file_that_has_taken_the_place_of_another_is_another(look, tmp_path):
    path, new = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"one")
    new.write_bytes(b"one")
    before = look(path)
    path.write_bytes(b"more")

    assert look(path).is_same_file(before)
    new.replace(path)
    assert not look(path).is_same_file(before)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [(Sighting(1, 2, 9), True), (Sighting(1, 3, 5), False), (Sighting(2, 2, 5), False), (Sighting(2, 3, 5), False)],
)
def test_a_file_is_known_by_its_number_on_its_own_disk(other, is_same):
    assert Sighting(1, 2, 5).is_same_file(other) is is_same


def test_a_link_is_not_followed(look, tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "link").symlink_to("a")

    assert not look(tmp_path / "link").is_same_file(look(tmp_path / "a"))


def test_nothing_there_is_told_as_lstat_tells_it(look, tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    with pytest.raises(FileNotFoundError, match="missing"):
        look(tmp_path / "missing")
    with pytest.raises(NotADirectoryError):
        look(tmp_path / "a" / "b")


def test_where_statx_is_forbidden_lstat_looks(monkeypatch, tmp_path):
    monkeypatch.setattr(sightings.ctypes, "PyDLL", lambda *_, **__: type("Library", (), {"statx": lambda *_: -1}))
    sightings._statx.cache_clear()
    try:
        assert sighted(tmp_path) == Sighting.of(os.lstat(tmp_path))
        assert sightings._statx() is None
    finally:
        sightings._statx.cache_clear()
