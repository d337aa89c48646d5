"""Typed parameters of a strategy."""

from typing import Annotated, Literal

import msgspec
import pytest

from natya.actors.strategy import StrategyActor, StrategyParametersError, parameters_of


class Typed(StrategyActor):
    class Parameters(msgspec.Struct, frozen=True):
        quantity: Annotated[int, msgspec.Meta(ge=1)]
        fast: int = 5
        slow: int = 20
        side: Literal["long", "short"] = "long"
        peers: tuple[str, ...] = ()

        def __post_init__(self):
            if self.fast >= self.slow:
                raise ValueError(f"fast below slow wanted, found {self.fast} and {self.slow}")

    def on_tick(self, tick):
        self.send("heard", self.parameters)


def refusal(**given):
    with pytest.raises(StrategyParametersError) as refused:
        parameters_of(Typed, given, name="mine")
    return str(refused.value)


class TestParametersOfADeclaredType:
    def test_are_given_as_that_type_with_its_defaults(self, stage):
        heard = stage.system.probe("heard")
        stage.open(Typed, quantity=3, peers=["TCS"])
        stage.tell(stage.tick())

        assert heard.receive() == Typed.Parameters(quantity=3, peers=("TCS",))

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"quantity": 1, "fats": 3}, "parameters of 'mine': unknown fats; did you mean fast?"),
            ({"quantity": 1, "xyz": 3}, "unknown xyz; there are quantity, fast, slow, side, peers"),
            ({"quantity": 1, "fast": "ten"}, "fast: Expected `int`, got `str`, found 'ten'"),
            ({"quantity": 0}, "quantity: Expected `int` >= 1, found 0"),
            ({"quantity": 1, "side": "lnog"}, "side: Invalid enum value 'lnog', found 'lnog'"),
            ({}, "quantity: a value wanted, found none"),
            ({"quantity": 1, "fast": 20}, "fast below slow wanted, found 20 and 20"),
        ],
    )
    def test_are_refused_with_what_was_wanted(self, given, told):
        assert told in refusal(**given)

    def test_are_refused_all_at_once(self):
        assert len(refusal(fats=1, slow="x").splitlines()) == 3


class TestParametersOfNoDeclaredType:
    def test_are_what_was_given_and_cannot_be_changed(self):
        parameters = parameters_of(StrategyActor, {"dip": 0.5}, name="mine")

        assert parameters["dip"] == 0.5
        with pytest.raises(TypeError):
            parameters["dip"] = 1
