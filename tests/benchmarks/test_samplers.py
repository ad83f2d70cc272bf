"""The benchmark of a diffusion model's samplers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.samplers import draw, row
from tests import tiny


def test_samples_of_a_seed_are_drawn_and_scored(shared_run_dir: Path) -> None:
    run = tiny.run("ddpm", shared_run_dir)
    sampling = draw(run.model, steps=3, seeds=2, count=20)
    assert [group.shape for group in sampling.groups] == [(20, 8, 8, 1)] * 2
    assert not np.array_equal(sampling.groups[0], sampling.groups[1])
    np.testing.assert_allclose(sampling.groups[1], run.generate(20, seed=1), atol=1e-5)
    assert sampling.seconds > 0.0
    cells = row(run, 3, sampling).strip("| ").split(" | ")
    assert cells[0] == "3"
    assert float(cells[1]) > 1.0, "an untrained model is far from the data"
    assert 0.0 <= float(cells[3]) <= 1.0
