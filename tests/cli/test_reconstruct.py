"""`dlzoo generate RUN --reconstruct FILE`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo, Keep
from zoo.run import Run

CELL = 8 * 8


@pytest.fixture
def pictures(keep: Keep) -> Path:
    """Three pictures of 8×8, 20×10 and 8×8 pixels."""
    folder = Path("pictures")
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name, shape in (("a", (8, 8)), ("b", (20, 10)), ("c", (8, 8))):
        Image.fromarray(draw.integers(0, 256, shape, np.uint8)).save(folder / f"{name}.png")
    return folder


def test_each_picture_stands_beside_its_reconstruction(
    keep: Keep, pictures: Path, dlzoo: Dlzoo
) -> None:
    keep("vae")
    result = dlzoo("generate", "latest", "--reconstruct", "pictures")
    assert result.code == 0
    assert result.out.startswith("3 images and what vae-digits-1 makes of them, mean squared error")
    with Image.open("vae-digits-1-reconstructions.png") as made:
        assert made.width > made.height  # two pairs in a row, two rows
    told = dlzoo(
        "generate", "latest", "--reconstruct", "pictures/a.png", "--output", "a.png", "--json"
    ).json
    assert told["count"] == 1
    assert 0.0 < told["mean_squared_error"] < 1.0
    assert told["output"] == "a.png"


def test_a_damaged_picture_is_named_and_the_others_are_drawn(
    keep: Keep, pictures: Path, dlzoo: Dlzoo
) -> None:
    keep("vae")
    (pictures / "b.png").write_text("no picture")
    result = dlzoo("generate", "latest", "--reconstruct", "pictures")
    assert result.code == 1
    assert result.out.startswith("2 images")
    assert "not read: pictures/b.png is not a readable image" in result.err


def test_models_that_do_not_reconstruct_say_so(
    table_run: Run, pictures: Path, dlzoo: Dlzoo
) -> None:
    refusal = dlzoo("generate", "latest", "--reconstruct", "pictures").refusal
    assert "has no reconstructions" in refusal


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("nothing.png", "nothing.png"),
        ("empty", "there are no images in the folder empty"),
        ("pictures --output grid.txt", "a picture's name must end in .png, .jpg or .jpeg"),
        ("pictures --count 3", "--count"),
    ],
)
def test_wrong_input_is_refused(
    typed: str, message: str, keep: Keep, pictures: Path, dlzoo: Dlzoo
) -> None:
    keep("vae")
    Path("empty").mkdir()
    assert message in dlzoo("generate", "latest", "--reconstruct", *typed.split()).refusal
    assert not list(Path().glob("*.png"))
