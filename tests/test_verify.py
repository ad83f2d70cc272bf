"""Every recipe at full length against its target: `make verify`, not `make test`.

The papers' own recipes are left out unless their data are there: nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zoo
from recipes import library
from zoo.datasets.sources import open_source
from zoo.datasets.sources.tfds import TensorFlowDataset
from zoo.run import Run
from zoo.training.progress import Silent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verify") / "runs"


def trained(name: str, runs: Path) -> Run:
    """Return a full run of a recipe, trained once."""
    if (runs / f"{name}-1").is_dir():
        return zoo.load(f"{name}-1", runs)
    return zoo.train(recipe=name, run_dir=runs, reporter=Silent())


@pytest.mark.parametrize("name", library.names())
def test_the_recipe_reaches_its_target(name: str, runs: Path) -> None:
    source = open_source(library.load(name).data.name)
    if isinstance(source, TensorFlowDataset) and not source.is_prepared():
        pytest.skip(f"{source.slug} is not there, and nothing is downloaded for this")
    run = trained(name, runs)
    score = run.metrics["score"]
    print(f"{name}: test {score['metric']} {score['value']:.4f}, {run.metrics['seconds']:.0f} s")
    assert score["reached"], score


@pytest.mark.parametrize("name", ["vae-digits", "gan-digits"])
def test_lenet5_recognises_generated_digits(name: str, runs: Path) -> None:
    samples = trained(name, runs).generate(1000, seed=0)
    probabilities = trained("lenet5-digits", runs).predict(samples)
    sure = probabilities.max(axis=-1) > 0.9
    counts = np.bincount(probabilities.argmax(axis=-1)[sure], minlength=10)
    print(f"{name}: {sure.mean():.3f} recognised with over 0.9, by digit {counts.tolist()}")
    assert sure.mean() >= 0.8
    assert counts.min() > 0
