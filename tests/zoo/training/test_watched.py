"""Which epoch is the best."""

from __future__ import annotations

import math
from typing import Any

import pytest

from zoo.training.watched import WatchedScore

NAN = math.nan


@pytest.mark.parametrize(
    ("rule", "values", "best"),
    [
        ({"higher_is_better": True}, [0.5, 0.9, 0.7], 1),
        ({"higher_is_better": False}, [0.5, 0.9, 0.4], 2),
        ({"higher_is_better": True}, [0.5, 0.5], 0),
        ({"higher_is_better": True}, [NAN, 0.1, NAN, 0.2, math.inf], 3),
        ({"higher_is_better": True}, [NAN], None),
        ({"higher_is_better": True}, [], None),
        ({"higher_is_better": True, "min_delta": 0.1}, [0.5, 0.55, 0.58, 0.65, 0.7], 3),
        ({"higher_is_better": False, "min_delta": 0.1}, [0.5, 0.45, 0.39, 0.35], 2),
        ({"higher_is_better": True, "first_epoch": 2}, [0.9, 0.8, 0.1, 0.2], 3),
        ({"higher_is_better": True, "first_epoch": 5}, [0.8, 0.9], 1),
    ],
)
def test_the_best_epoch_is_chosen_by_the_rule(
    rule: dict[str, Any], values: list[float], best: int | None
) -> None:
    assert WatchedScore("val_accuracy", **rule).best(values) == best


@pytest.mark.parametrize("mode", ["max", "min"])
@pytest.mark.parametrize("min_delta", [0.0, 0.15])
@pytest.mark.parametrize("first_epoch", [0, 2])
def test_it_is_early_stoppings_rule(mode: str, min_delta: float, first_epoch: int) -> None:
    import keras
    import numpy as np

    values = [round(float(v), 2) for v in np.random.default_rng(7).uniform(size=12)]
    stopping = keras.callbacks.EarlyStopping(
        "x", mode=mode, min_delta=min_delta, start_from_epoch=first_epoch, patience=99
    )
    stopping.set_model(keras.Sequential())
    stopping.on_train_begin()
    rule = WatchedScore(
        "x", higher_is_better=mode == "max", min_delta=min_delta, first_epoch=first_epoch
    )
    for epoch, value in enumerate(values):
        stopping.on_epoch_end(epoch, {"x": value})
        if epoch >= first_epoch:
            assert rule.best(values[: epoch + 1]) == stopping.best_epoch
