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


# What samples must reach: the share that the judge accepts.
ACCEPTED = {
    "vae-digits": 0.8,
    "gan-digits": 0.9,
    "dcgan-digits": 0.9,
    "wgan-gp-digits": 0.9,
    "conditional-vae-digits": 0.9,
    "conditional-gan-digits": 0.9,
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_judge_accepts_samples_of_all_ten_digits(name: str, runs: Path) -> None:
    metrics = trained(name, runs).metrics
    scores, noise = metrics["test"], metrics["figures"]["calibration"]
    assert max(noise[kind]["accepted"] for kind in ("uniform", "shuffled")) < 0.02
    assert noise["real"]["frechet_distance"] < 0.1
    assert noise["uniform"]["frechet_distance"] > 1.0
    assert scores["accepted"] >= ACCEPTED[name]
    assert scores["rarest_class"] >= 1 / 3
    if name.startswith("conditional"):
        assert scores["right_class"] >= 0.95


def test_the_vaes_bound_improves_with_codes_and_beats_a_gaussian(runs: Path) -> None:
    run = trained("vae-digits", runs)
    scores = run.evaluate("test")
    assert scores["elbo"] < scores["bound_10"] < scores["bound_100"] < scores["bound_1000"]

    def pixels(split: str) -> np.ndarray:
        (chunk,) = run.dataset.split(split).chunks(2000)
        return chunk["image"].reshape(-1, 64).astype(float)

    # A Gaussian with all covariances, of values spread evenly over the 1/16 around each of the 17;
    # its density there times 1/16 for each pixel is a probability of the value, as the vae's is.
    draw = np.random.default_rng(0)
    train, test = (
        one + (draw.random(one.shape) - 0.5) / 16.0 for one in (pixels("train"), pixels("test"))
    )
    mean, root = train.mean(axis=0), np.linalg.cholesky(np.cov(train, rowvar=False))
    away = np.linalg.solve(root, (test - mean).T)
    density = -0.5 * (away**2).sum(axis=0) - np.log(np.diag(root)).sum() - 32 * np.log(2 * np.pi)
    gaussian = -(density.mean() - 64 * np.log(16.0)) / 64 / np.log(2.0)
    print(f"bits per dimension: {scores['bits_per_dimension']:.3f}, Gaussian {gaussian:.3f}")
    assert scores["bits_per_dimension"] < gaussian - 0.5
