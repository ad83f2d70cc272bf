"""How a training is spread and how fast it is told to run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import zoo
from recipes.overrides import override
from zoo.training.resolve import resolve
from zoo.training.strategy import MOST_STEPS, steps_per_execution

ONE = SimpleNamespace(num_replicas_in_sync=1)


def steps(wanted: Any, of: int, *, strategy: Any = ONE, model: str = "lenet5") -> int:
    """How many steps are run at a time, of those of an epoch."""
    recipe = override(resolve("lenet5"), {"steps_per_execution": wanted})
    batches = SimpleNamespace(batch_size=64, steps=of)
    return steps_per_execution(recipe, zoo.build(model), batches, strategy)


@pytest.mark.parametrize(
    ("wanted", "of", "found"),
    [(1, 20, 1), (5, 20, 5), (7, 20, 5), (64, 20, 20), (64, 128, 64), (10, 23, 1), (3, 1, 1)],
)
def test_an_execution_ends_with_its_epoch(wanted: int, of: int, found: int) -> None:
    assert steps(wanted, of) == found


def test_by_itself_short_steps_run_together_and_long_ones_alone() -> None:
    assert 1 < steps("auto", 720) <= MOST_STEPS
    assert steps("auto", 720, model="resnet18") == 1


def test_each_replicas_share_of_a_step_counts() -> None:
    four = SimpleNamespace(num_replicas_in_sync=4)
    assert steps(5, 20, strategy=four) == 5
    assert steps("auto", 720) <= steps("auto", 720, strategy=four) <= MOST_STEPS
