"""Generators learn from a data set that is read as a stream, with no special case."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
from recipes.overrides import override
from recipes.recipe import Recipe
from tests.mocked import downloads
from tests.tiny import DDPM, GAN
from tests.zoo.training.reporters import interrupted_after
from zoo import run as zoo_run
from zoo.training.resolve import resolve

SMALL = {"arguments.filters": 4}
# Those of tests/zoo/training/test_unsupervised.py are streamed there.
OVERRIDES: dict[str, dict[str, Any]] = {
    "vae": {"arguments.hidden_units": [16]},
    "conditional-vae": {"arguments.hidden_units": [16]},
    "gan": GAN,
    "dcgan": SMALL,
    "wgan-gp": SMALL,
    "conditional-gan": {},
    "ddpm": DDPM,
}
STREAM = {"data.name": "imagenet", "data.image.size": [8, 8], "data.image.channels": 1}


@pytest.fixture(scope="module", autouse=True)
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with downloads(tmp_path_factory.mktemp("streamed") / "data", 2):
        yield


def recipe(model: str) -> Recipe:
    """Epochs of two steps on a stream of 52 images."""
    made = resolve(model, epochs=2, batch_size=26)
    return override(made, {**OVERRIDES[model], **STREAM, "steps_per_execution": 1})


@pytest.mark.parametrize("model", OVERRIDES)
def test_it_trains_on_a_stream(model: str, run_dir: Path) -> None:
    # Stopped before its end: whole trainings on such data are those of the papers' recipes.
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe=recipe(model), run_dir=run_dir, reporter=interrupted_after(1))
    run = zoo_run.load("latest", run_dir)
    assert not run.dataset.split("train").take, "it has no random access: it is a stream"
    assert run.epochs_done == 1
    losses = [value for name, (value,) in run.history.items() if "loss" in name]
    assert losses
    assert all(math.isfinite(value) for value in losses)
    assert list((run.path / "figures").rglob("epoch-*.png")), "samples are drawn"
