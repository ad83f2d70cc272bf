"""`dlzoo generate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo, Keep
from zoo.run import Run

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
        ("latest --count 100000000", "'--count': 100000000 is not in the range 1<=x<=100000."),
        ("latest --count 12345678901234567890", "is not in the range 1<=x<=100000."),
        ("latest --seed -1", "'--seed': -1 is not in the range"),
        ("latest --output runs", "runs is a folder; name a file"),
        ("latest --output taken/grid.png", "cannot make the folder taken: "),
        ("latest --output taken/deep/grid.png", "cannot make the folder taken/deep: "),
        ("latest --output grid.txt", "a picture's name must end in .png, .jpg or .jpeg"),
        ("vae-digts-1", "Did you mean 'vae-digits-1'?"),
        ("vae", "there is no run"),
    ],
)
def test_wrong_input_is_refused(typed: str, message: str, keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae", "my-vae-digits" if typed == "vae" else None)
    Path("taken").touch()
    assert message in dlzoo("generate", *typed.split()).refusal
    assert sorted(path.name for path in Path().iterdir()) == ["runs", "taken"]


def test_a_classifier_generates_nothing_and_leaves_nothing(table_run: Run, dlzoo: Dlzoo) -> None:
    refusal = dlzoo("generate", "latest").refusal
    assert refusal.endswith("generates nothing; see: dlzoo list --task generation")
    assert [path.name for path in Path().iterdir()] == ["runs"]


def test_a_run_that_is_not_finished_generates_and_says_so(unfinished: Keep, dlzoo: Dlzoo) -> None:
    unfinished("vae")
    for which, told in (("last", "epoch 1"), ("best", "the best of 1 epochs")):
        path = f"{which}.png"
        result = dlzoo("generate", "vae", "--count", 1, "--weights", which, "--output", path)
        assert result.code == 0, result.err
        assert result.err.splitlines()[0] == (
            f"run vae-digits-1 is not finished: its weights are of {told}"
        )
    assert np.array_equal(pixels("last.png"), pixels("best.png"))


def test_the_next_command_keeps_the_folder_of_runs(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae", folder="my runs")
    result = dlzoo("generate", "latest", "--count", 1, "--run-dir", "my runs")
    assert result.err == "next: dlzoo export vae-digits-1 --run-dir 'my runs'\n"
