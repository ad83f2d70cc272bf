"""What the sides of the comparison run is dlzoo's own training, and a turn is one epoch."""

from typing import Any

import pytest

from benchmarks.peers import CASES, spread
from benchmarks.sides import Case, Turns, dlzoo, plain_keras, recipe_of

IMAGES = [case for case in CASES if isinstance(case, Case)]


class Pipe:
    """The parent's end, which always says go."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def recv(self) -> str:
        return "go"

    def send(self, value: Any) -> None:
        self.sent.append(value)


@pytest.mark.parametrize("make", [dlzoo, plain_keras])
def test_a_side_takes_one_turn_for_each_epoch(make: Any) -> None:
    side = make(Case("lenet5", (32, 32, 1), batch_size=4, examples=8))
    assert side.parameters == 61_706
    for phase in (side.training, side.inference):
        pipe: Any = Pipe()
        phase(Turns(pipe, 3))
        assert len(pipe.sent) == 3
        assert all(seconds > 0 and processor > 0 for seconds, processor in pipe.sent)


@pytest.mark.parametrize("case", IMAGES, ids=lambda case: case.model)
def test_the_recipe_has_nothing_that_the_other_sides_lack(case: Case) -> None:
    recipe = recipe_of(case)
    assert recipe.batch_size == case.batch_size
    assert case.examples % case.batch_size == 0
    assert recipe.precision == "float32"
    lacking = ("arguments", "augmentation", "callbacks", "metrics", "regularization", "schedule")
    kept = [key for key in (*lacking, "warmup") if getattr(recipe, key)]
    # The paper's diffusion is not told classes; dlzoo's is unless it drops all labels.
    assert kept == (["arguments"] if case.model == "ddpm" else [])


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (1, "3.00 (1.50 to 502.00)"),
        (100, "300 (150 to 50,200)"),
        (0.1, "0.300 (0.150 to 50.200)"),
    ],
)
def test_a_spread_is_the_median_and_the_quartiles(scale: float, text: str) -> None:
    assert spread([scale * value for value in (1.0, 2.0, 3.0, 4.0, 1000.0)]) == text
