"""`dlzoo generate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo, Keep
from zoo.runs import Run

CELL = 8 * 8 + 2
"""A digit's pixels, eight on the screen for each, and a border."""


@pytest.fixture(params=["vae", "gan"])
def generator(request: pytest.FixtureRequest, keep: Keep) -> Run:
    return keep(request.param)


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture)


def test_a_grid_is_drawn_and_named(generator: Run, dlzoo: Dlzoo) -> None:
    result = dlzoo("generate", "latest")
    assert result.code == 0
    path = f"{generator.name}.png"
    assert result.out == f"64 examples of {generator.name} with seed 0: {path}\n"
    assert pixels(path).shape == (8 * CELL, 8 * CELL)
    assert result.err == f"next: dlzoo export {generator.name}\n"


def test_a_seed_draws_the_same_picture_and_another_seed_another(
    generator: Run, dlzoo: Dlzoo
) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        dlzoo("generate", "latest", "--count", 4, "--seed", seed, "--output", f"{name}.png")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert not np.array_equal(pixels("a.png"), pixels("c.png"))
    assert pixels("a.png").shape == (2 * CELL, 2 * CELL)


def test_json_says_where_it_is(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    told = dlzoo("generate", "latest", "--count", 1, "--output", "new/one.png", "--json").json
    assert told == {"run": "runs/vae-digits-1", "count": 1, "seed": 0, "output": "new/one.png"}
    assert pixels("new/one.png").shape == (CELL, CELL)


def test_nothing_is_overwritten_unasked(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    path = Path("vae-digits-1.png")
    path.write_text("mine")
    assert dlzoo("generate", "latest").refusal == f"{path} exists; --overwrite replaces it"
    assert path.read_text() == "mine"
    assert dlzoo("generate", "latest", "--count", 1, "--overwrite").code == 0
    assert pixels(path).shape == (CELL, CELL)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("latest --count 0", "'--count': 0 is not in the range"),
        ("latest --seed -1", "'--seed': -1 is not in the range"),
        ("latest --output runs", "runs is a folder; name a file"),
        ("latest --output taken/grid.png", "cannot make the folder taken: "),
        ("latest --output taken/deep/grid.png", "cannot make the folder taken/deep: "),
        ("vae-digts-1", "Did you mean 'vae-digits-1'?"),
        ("vae", "there is no run"),
    ],
)
def test_wrong_input_is_refused(typed: str, message: str, keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae", "my-vae-digits" if typed == "vae" else None)
    Path("taken").touch()
    assert message in dlzoo("generate", *typed.split()).refusal
    assert not list(Path().glob("*.png"))


def test_a_classifier_generates_nothing_and_leaves_nothing(table_run: Run, dlzoo: Dlzoo) -> None:
    refusal = dlzoo("generate", "latest").refusal
    assert refusal.endswith("generates nothing; generators are vae and gan")
    assert [path.name for path in Path().iterdir()] == ["runs"]
