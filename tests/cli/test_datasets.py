"""`dlzoo datasets`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo
from tests.mocked import downloads
from zoo.datasets.features.label import Label
from zoo.datasets.sources import list_sources, open_source
from zoo.datasets.sources.tfds import TensorFlowDataset

RECIPE = """
model = "lenet5"
epochs = 1
optimizer = "Adam"
loss = "CategoricalCrossentropy"
[data]
name = "digits"
[[augmentation]]
name = "padded_crop"
padding = 1
[[augmentation]]
name = "cutmix"
"""


DESCRIBED = {name: open_source(name).describe() for name in list_sources()}


def test_every_data_set_is_listed(dlzoo: Dlzoo) -> None:
    result = dlzoo("datasets")
    assert result.code == 0
    lines = result.out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(DESCRIBED)
    for one, line in zip(DESCRIBED.values(), lines, strict=True):
        targets = [one.features[name] for name in one.targets]
        expected = [f"{each.classes} classes" if each.classes else each.type for each in targets]
        cells = re.split(r"  +", line)
        assert cells[1] == one.features[one.inputs[0]].type
        assert cells[2:-1] == [str(one.rows), *expected, one.origin]
        assert line.endswith(one.question)
    assert dlzoo("datasets", "list").out == result.out


@pytest.mark.parametrize("name", DESCRIBED)
def test_each_data_set_says_its_splits_source_and_licence(name: str, dlzoo: Dlzoo) -> None:
    result = dlzoo("datasets", "show", name)
    described = DESCRIBED[name]
    assert result.code == 0
    assert described.source in result.out
    assert described.licence in result.out
    told = dlzoo("datasets", "show", name, "--json").json
    assert told["licence"] == described.licence
    assert told["sizes"].keys() == {"train", "validation", "test"}
    for split, size in told["sizes"].items():
        assert f"{split} {size:,}" in result.out
    assert "path" not in told  # where this machine keeps it is nobody's business


def test_classes_columns_and_examples_are_shown(dlzoo: Dlzoo) -> None:
    assert "label: 3: setosa, versicolor, virginica" in dlzoo("datasets", "show", "iris").out
    assert "petal_width_cm" in dlzoo("datasets", "show", "iris").out
    assert "image: 8 × 8 × 1" in dlzoo("datasets", "show", "digits").out
    languages = DESCRIBED["languages"].features["label"]
    assert isinstance(languages, Label)
    examples = dlzoo("datasets", "show", "languages").out
    assert any(f": {name}" in examples for name in languages.names)


def test_the_keys_by_which_a_recipe_sets_a_column_s_form_are_shown(dlzoo: Dlzoo) -> None:
    forms = {
        "digits": "[data.image] takes size, channels, resize, crop, scaling",
        "languages": "[data.text] takes unit, length, vocabulary_size, lowercase",
    }
    for name, told in forms.items():
        assert told in dlzoo("datasets", "show", name).out
    assert "takes" not in dlzoo("datasets", "show", "iris").out


def test_json_lists_them_all(dlzoo: Dlzoo) -> None:
    assert [one["name"] for one in dlzoo("datasets", "--json").json] == list(DESCRIBED)


def test_a_page_of_examples_is_drawn_and_not_over_another(dlzoo: Dlzoo) -> None:
    result = dlzoo("datasets", "show", "digits", "--preview", "new/page.png")
    assert result.code == 0
    assert "new/page.png" in result.out
    page = Path("new/page.png")
    with Image.open(page) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
    page.write_text("mine")
    again = dlzoo("datasets", "show", "digits", "--preview", page)
    assert again.refusal == "new/page.png exists; --overwrite replaces it"
    assert page.read_text() == "mine"
    told = dlzoo("datasets", "show", "digits", "--preview", page, "--overwrite", "--json").json
    assert told["preview"] == "new/page.png"
    with Image.open(page) as picture:
        picture.verify()


@pytest.mark.parametrize("name", ["mnist", "cifar10", "imagenet"])
def test_what_is_downloaded_is_described_without_downloading_it(
    name: str, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: Any, **__: Any) -> None:
        raise AssertionError("nobody asked for the data themselves")

    monkeypatch.setattr(TensorFlowDataset, "load", load)
    described = DESCRIBED[name]
    said = dlzoo("datasets", "show", name).out
    assert described.first_use in said
    assert f"label: {described.features['label'].classes}" in said
    told = dlzoo("datasets", "show", name, "--json").json
    assert told["sizes"] == dict(described.sizes)
    assert told["origin"] == "tensorflow-datasets"


@pytest.mark.parametrize("name", ["cifar10"])  # test_preview.py draws imagenet
def test_a_page_of_what_is_downloaded_is_drawn(name: str, dlzoo: Dlzoo, tmp_path: Path) -> None:
    with downloads(tmp_path / "data", 3):
        told = dlzoo("datasets", "show", name, "--preview", "page.png", "--json").json
    assert told["preview"] == "page.png"
    with Image.open("page.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 150


def test_the_preview_is_offered_where_there_is_one_to_draw(dlzoo: Dlzoo) -> None:
    assert "dlzoo datasets show digits --preview" in dlzoo("datasets", "show", "digits").err
    assert dlzoo("datasets", "show", "iris").err == ""


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["irs"], "unknown data set 'irs'. Did you mean 'iris'?"),
        (["qqq"], "unknown data set 'qqq'. See them with: dlzoo datasets"),
        (
            ["digits", "--preview", "x.txt"],
            "a picture's name must end in .png, .jpg or .jpeg, got 'x.txt'",
        ),
        (["digits", "--preview", ""], "Invalid value for '--preview': the path is empty"),
        (["iris", "--preview", "x.png"], "iris gives a table; --preview draws images"),
    ],
)
def test_what_is_not_there_is_refused(typed: list[str], message: str, dlzoo: Dlzoo) -> None:
    assert dlzoo("datasets", "show", *typed).refusal == message
    assert not list(Path().iterdir())


def test_a_misspelt_command_is_no_data_set(dlzoo: Dlzoo) -> None:
    assert dlzoo("datasets", "shw").refusal == (
        "datasets has no command 'shw'. Did you mean 'show'?"
    )


def test_a_folder_that_cannot_be_written_is_told(dlzoo: Dlzoo) -> None:
    Path("taken").touch()
    result = dlzoo("datasets", "show", "digits", "--preview", "taken/page.png")
    assert result.refusal.startswith("cannot make the folder taken: ")


def test_a_recipes_augmentation_is_drawn(dlzoo: Dlzoo) -> None:
    result = dlzoo("datasets", "show", "digits", "--augment", "lenet5-digits", "--preview", "a.png")
    assert result.code == 0
    assert result.out.splitlines()[-1].split() == ["preview", "a.png"]
    with Image.open("a.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 800
        drawn = picture.tobytes()
    Path("mine.toml").write_text(RECIPE, encoding="utf-8")
    arguments = ("--augment", "mine.toml", "--preview", "a.png")
    assert dlzoo("datasets", "show", "digits", *arguments).refusal.startswith("a.png exists")
    told = dlzoo("datasets", "show", "digits", *arguments, "--overwrite", "--json").json
    assert told["preview"] == "a.png"
    with Image.open("a.png") as picture:
        assert picture.tobytes() != drawn


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            ["digits", "--augment", "lenet5-digits"],
            "--augment says what to draw; say where to: --preview digits-augmented.png",
        ),
        (
            ["digits", "--augment", "mlp-iris", "--preview", "x.png"],
            "recipe mlp-iris has no [[augmentation]]: there is nothing to draw",
        ),
        (
            ["iris", "--augment", "lenet5-digits", "--preview", "x.png"],
            "iris gives a table; augmentation changes images",
        ),
        (
            ["digits", "--augment", "lenet5-digit", "--preview", "x.png"],
            "unknown recipe 'lenet5-digit'. Did you mean 'lenet5-digits'?",
        ),
        (
            ["digits", "--augment", "none.toml", "--preview", "x.png"],
            "cannot read none.toml: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_augmented_is_said_in_one_line(
    typed: list[str], message: str, dlzoo: Dlzoo
) -> None:
    assert dlzoo("datasets", "show", *typed).refusal == message
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("padding = 1", "pading = 1"), "takes no argument 'pading'. Did you mean 'padding'?"),
        (('"cutmix"', '"cutmx"'), "unknown augmentation 'cutmx'. Did you mean 'cutmix'?"),
        (('model = "lenet5"', ""), "mine.toml names no model: a recipe that stands alone does"),
    ],
)
def test_a_recipe_with_a_mistake_is_not_drawn(
    changed: tuple[str, str], message: str, dlzoo: Dlzoo
) -> None:
    Path("mine.toml").write_text(RECIPE.replace(*changed), encoding="utf-8")
    asked = ("--augment", "mine.toml", "--preview", "x.png")
    assert dlzoo("datasets", "show", "digits", *asked).refusal.endswith(message)
    assert not Path("x.png").exists()
