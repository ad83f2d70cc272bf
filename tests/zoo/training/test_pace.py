"""When checkpoints are due: as asked, or so rarely that they cost next to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from recipes.recipe import Checkpointing
from zoo.training import pace as module
from zoo.training.pace import SHARE, Pace


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.mark.parametrize("cost", [0.01, 1.0, 60.0])
@pytest.mark.parametrize("step", [0.001, 0.3])
def test_by_default_checkpoints_take_less_than_their_share(
    cost: float, step: float, clock: Clock
) -> None:
    pace = Pace(Checkpointing(), size=0)
    began = clock.now
    for _ in range(20_000):
        clock.now += step
        if pace.due(steps=1):
            with pace.timed():
                clock.now += cost
    training = clock.now - began - pace.seconds
    assert pace.written >= 1
    assert (pace.written - 1) * cost <= SHARE * training  # the first one's cost is a guess


def test_while_a_checkpoint_is_written_the_next_one_waits(clock: Clock) -> None:
    pace = Pace(Checkpointing(), size=0)
    clock.now += 1000.0
    assert not pace.due(steps=1, busy=True)
    assert pace.due(steps=1)


@pytest.mark.parametrize(
    ("settings", "due_after"),
    [
        ({"steps": 4}, [4, 8, 12]),
        ({"minutes": 0.1}, [6, 12]),
        ({"minutes": 0.1, "steps": 5}, [5, 10]),
    ],
)
def test_what_the_recipe_says_is_done(
    settings: dict[str, Any], due_after: list[int], clock: Clock
) -> None:
    pace = Pace(Checkpointing(**settings), size=10**12)
    found = []
    for step in range(1, 13):
        clock.now += 1.0
        if pace.due(steps=1):
            found.append(step)
            with pace.timed():
                pass
    assert found == due_after


def test_after_every_so_many_epochs(clock: Clock) -> None:
    pace = Pace(Checkpointing(epochs=2), size=0)
    clock.now += 1e6
    assert not pace.due(steps=1000)
    assert not pace.due(epochs=1)
    assert pace.due(epochs=1)
