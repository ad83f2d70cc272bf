"""Schedules of learning rates."""

from __future__ import annotations

import pytest

from zoo.layers.schedules import InverseSquareRoot


def test_the_papers_rate_climbs_and_then_falls_with_the_root_of_the_step() -> None:
    width, warmup = 512, 4000
    rate = InverseSquareRoot((width * warmup) ** -0.5, warmup)
    for step in (1, 100, 4000, 16_000, 100_000):  # the paper counts from 1
        expected = width**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert float(rate(step - 1)) == pytest.approx(expected, rel=1e-5)


def test_a_climb_of_no_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="warmup_steps must be at least 1, got 0"):
        InverseSquareRoot(0.1, 0)
