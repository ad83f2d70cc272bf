"""`dlzoo datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import Dlzoo
from tests.mocked import downloads
from zoo.datasets import catalog, loading

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


def test_every_data_set_is_listed(dlzoo: Dlzoo) -> None:
    result = dlzoo("datasets")
    assert result.code == 0
    lines = result.out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == catalog.list_datasets()
    for name, line in zip(catalog.list_datasets(), lines, strict=True):
        entry = catalog.entry(name)
        counts = [str(entry.rows), str(entry.class_count or "number")]
        assert line.split()[2:5] == [*counts, entry.origin]
        assert line.endswith(entry.description)
    assert dlzoo("datasets", "list").out == result.out


@pytest.mark.parametrize("name", catalog.list_datasets())
def test_each_data_set_says_its_splits_source_and_licence(name: str, dlzoo: Dlzoo) -> None:
    result = dlzoo("datasets", "show", name)
    entry = catalog.entry(name)
    assert result.code == 0
    assert entry.source in result.out
    assert entry.licence in result.out
    told = dlzoo("datasets", "show", name, "--json").json
    assert told["licence"] == entry.licence
    assert told["splits"].keys() == {"train", "validation", "test"}
    for split, size in told["splits"].items():
        assert f"{split} {size:,}" in result.out
    assert "path" not in told  # where this machine keeps it is nobody's business


def test_classes_columns_and_examples_are_shown(dlzoo: Dlzoo) -> None:
    assert "3: setosa, versicolor, virginica" in dlzoo("datasets", "show", "iris").out
    assert "petal_width_cm" in dlzoo("datasets", "show", "iris").out
    assert "8 × 8 × 1" in dlzoo("datasets", "show", "digits").out
    examples = dlzoo("datasets", "show", "languages").out
    assert any(f": {name}" in examples for name in catalog.entry("languages").classes)


def test_json_lists_them_all(dlzoo: Dlzoo) -> None:
    assert [one["name"] for one in dlzoo("datasets", "--json").json] == catalog.list_datasets()


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

    monkeypatch.setattr(loading, "load", load)
    entry = catalog.entry(name)
    assert entry.tfds is not None
    said = dlzoo("datasets", "show", name).out
    assert entry.tfds.first_use in said
    assert f"classes    {entry.class_count}" in said
    told = dlzoo("datasets", "show", name, "--json").json
    assert told["splits"] == dict(entry.splits)
    assert told["tfds"]["name"] == entry.tfds.name


@pytest.mark.parametrize("name", ["cifar10", "imagenet"])
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
        (["iris", "--preview", "x.png"], "iris is table data; --preview draws images"),
    ],
)
def test_what_is_not_there_is_refused(typed: list[str], message: str, dlzoo: Dlzoo) -> None:
    assert dlzoo("datasets", "show", *typed).refusal == message
    assert not list(Path().iterdir())


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
            "iris is table data; augmentation is for images",
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
        (('model = "lenet5"', ""), "mine.toml names no model, as a recipe does that stands alone"),
    ],
)
def test_a_recipe_with_a_mistake_is_not_drawn(
    changed: tuple[str, str], message: str, dlzoo: Dlzoo
) -> None:
    Path("mine.toml").write_text(RECIPE.replace(*changed), encoding="utf-8")
    asked = ("--augment", "mine.toml", "--preview", "x.png")
    assert dlzoo("datasets", "show", "digits", *asked).refusal.endswith(message)
    assert not Path("x.png").exists()
