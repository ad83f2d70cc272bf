"""Metrics that models update themselves."""

from __future__ import annotations

import pytest

from zoo.layers.metrics import Average


@pytest.mark.parametrize(("higher", "direction"), [(True, "up"), (False, "down"), (None, None)])
def test_an_average_says_which_direction_is_better(
    higher: bool | None, direction: str | None
) -> None:
    metric = Average("score", higher_is_better=higher)
    assert getattr(metric, "_direction", None) == direction
    restored = Average.from_config(metric.get_config())
    assert (restored.name, restored.higher_is_better) == ("score", higher)
    assert getattr(restored, "_direction", None) == direction


def test_an_average_is_weighted() -> None:
    metric = Average("score")
    metric.update_state([1.0, 5.0, 9.0], [1.0, 3.0, 0.0])
    assert float(metric.result()) == 4.0
