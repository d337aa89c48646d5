"""Options of a body: plain data in the settings, checked by the body's own Struct."""

import msgspec
import pytest

from natya.config.errors import SettingsError
from natya.config.options import choose_body, decode_options

KEY = "broker.options"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    speed: float
    """It must be given."""

    names: tuple[str, ...] = ()


@pytest.fixture(params=[{}, {KEY: "mine.toml"}], ids=["of a program", "of a file"])
def place(request):
    """Where the options came from, and how their key is told."""
    return request.param, f"{request.param[KEY]}: {KEY}" if request.param else KEY


class TestOptions:
    def test_become_what_the_body_declares(self):
        found = decode_options(Options, {"speed": 2, "names": ["a", "b"]}, key=KEY, origins={})

        assert found == Options(speed=2.0, names=("a", "b"))
        assert type(found.speed) is float

    @pytest.mark.parametrize(
        ("options", "problems"),
        [
            ({}, [".speed: wanted a value, found none"]),
            ({"speed": 1.0, "nams": []}, [".nams: unknown key; did you mean names?"]),
            ({"speed": "fast"}, [".speed: wanted a number, found 'fast'"]),
            (
                {"speed": "fast", "nowhere": 1, "names": 5},
                [
                    ".speed: wanted a number, found 'fast'",
                    ".nowhere: unknown key",
                    ".names: wanted a list of texts, found 5",
                ],
            ),
        ],
    )
    def test_are_refused_with_all_that_is_wrong(self, place, options, problems):
        origins, name = place
        with pytest.raises(SettingsError) as refused:
            decode_options(Options, options, key=KEY, origins=origins)

        assert list(refused.value.problems) == [f"{name}{problem}" for problem in problems]


class TestABody:
    def test_is_the_one_that_is_named(self):
        assert choose_body({"paper": 1, "dhan": 2}, "dhan", key="broker.name", origins={}) == 2

    def test_that_there_is_not_is_told_with_those_there_are(self, place):
        origins, name = place
        with pytest.raises(SettingsError) as refused:
            choose_body({"paper": 1, "dhan": 2}, "papr", key=KEY, origins=origins)

        assert refused.value.problems == (f"{name}: wanted one of paper, dhan, found 'papr'; did you mean paper?",)
