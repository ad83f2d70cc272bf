"""`dlzoo generate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from tests.cli.conftest import Dlzoo, Keep
from zoo.run import Run

CELL = 8 * 8 + 2
"""A digit's pixels, eight on the screen for each, and a border."""


@pytest.fixture(params=["vae", "gan"])
def generator(request: pytest.FixtureRequest, keep: Keep) -> Run:
    return keep(request.param)


def pictures_in(path: str | Path) -> list[np.ndarray]:
    """The pictures of an animation, in grey."""
    with Image.open(path) as moving:
        assert moving.format == "GIF"
        return [np.asarray(one.convert("L")) for one in ImageSequence.Iterator(moving)]


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


@pytest.fixture
def diffusion(keep: Keep) -> Run:
    return keep("ddpm")


def test_a_diffusion_takes_as_many_steps_as_are_asked_for(diffusion: Run, dlzoo: Dlzoo) -> None:
    words = ("--count", 4, "--steps", 2, "--class", "3", "--output", "two.png", "--json")
    told = dlzoo("generate", "latest", *words).json
    assert (told["steps"], told["class"]) == (2, 3)
    assert pixels("two.png").shape == (2 * CELL, 2 * CELL)
    refused = dlzoo("generate", "latest", "--steps", 13).refusal
    assert refused == "steps must be 1 to 12, got 13"


def test_an_animation_goes_from_noise_to_the_samples(diffusion: Run, dlzoo: Dlzoo) -> None:
    words = ("--count", 4, "--output", "end.png", "--animate", "way.gif")
    result = dlzoo("generate", "latest", *words)
    assert result.out.splitlines()[1] == "how they came about: way.gif"
    first, *_, last = shown = pictures_in("way.gif")
    assert len(shown) <= 4  # noise and three steps; pictures that are alike are one in a GIF
    np.testing.assert_array_equal(last, pixels("end.png"))
    assert np.any(first != last)
    assert dlzoo("generate", "latest", "--animate", "way.gif").refusal == (
        "way.gif exists; --overwrite replaces it"
    )
    assert "must end in .gif, got 'way.png'" in (
        dlzoo("generate", "latest", "--animate", "way.png").refusal
    )


def test_another_generators_animation_is_of_its_training(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("vae")
    assert dlzoo("generate", "latest", "--animate", "training.gif").code == 0
    pictures = sorted((run.path / "figures" / "progress").glob("*.png"))
    assert 1 <= len(pictures_in("training.gif")) <= len(pictures)
    for picture in pictures:
        picture.unlink()
    refused = dlzoo("generate", "latest", "--animate", "again.gif", "--overwrite").refusal
    assert "makes its samples in one step, and drew none while it trained" in refused


def test_a_generator_of_one_step_has_no_steps(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    refused = dlzoo("generate", "latest", "--steps", 5).refusal
    assert refused == "this model has no sampler that goes step by step; leave --steps out"


def test_images_are_denoised(diffusion: Run, dlzoo: Dlzoo, keep: Keep) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 7), np.uint8)
    Path("noisy").mkdir()
    for number in range(3):
        Image.fromarray(noise + number).save(f"noisy/{number}.png")
    Path("noisy/torn.png").write_bytes(b"no picture")
    result = dlzoo("generate", "latest", "--denoise", "noisy", "--output", "clean.png")
    assert result.out == "3 images without noise: clean.png\n", result.err
    assert "not read: noisy/torn.png is not a readable image" in result.err
    assert result.err.endswith("dlzoo: 1 of 4 images could not be read\n")
    assert result.code == 1
    assert pixels("clean.png").shape == (2 * CELL, 2 * CELL)
    assert "no-such.png" in dlzoo("generate", "latest", "--denoise", "no-such.png").refusal


def test_what_takes_no_noise_away_says_so(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("gan")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("image.png")
    refused = dlzoo("generate", "latest", "--denoise", "image.png").refusal
    assert "takes no noise away; --denoise is for diffusion models" in refused


# One class.


def test_a_class_is_asked_for_by_name(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("conditional-vae")
    for name, more in (("three", ["--class", "3"]), ("again", ["--class", "3"]), ("all", [])):
        result = dlzoo("generate", "latest", "--count", 10, *more, "--output", f"{name}.png")
        assert result.code == 0, result.err
    assert Path("three.png").read_bytes() == Path("again.png").read_bytes()
    assert not np.array_equal(pixels("three.png"), pixels("all.png"))
    told = dlzoo("generate", "latest", "--class", "7", "--output", "7.png", "--json").json
    assert told["class"] == 7


@pytest.mark.parametrize("text", ["10", "-1", "seven", ""])
def test_a_class_that_is_not_there_is_refused(text: str, keep: Keep, dlzoo: Dlzoo) -> None:
    keep("conditional-vae")
    assert f"unknown class '{text}'." in dlzoo("generate", "latest", "--class", text).refusal


def test_a_model_without_labels_refuses_a_class(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("vae")
    refusal = dlzoo("generate", "latest", "--class", "3").refusal
    assert refusal.endswith("no class that is asked for; --class is for conditional models")


def test_rows_lead_from_one_latent_to_another(keep: Keep, dlzoo: Dlzoo) -> None:
    for kind in ("vae", "gan", "conditional-vae"):
        run = keep(kind)
        path = f"{kind}.png"
        args = ("generate", run.name, "--interpolate", "--count", 16, "--output", path)
        assert dlzoo(*args).code == 0
        assert pixels(path).shape == (4 * CELL, 4 * CELL)
