"""Sources of one's own: what is found in them, how they are divided, and what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from recipes.recipe import Data
from tests import own
from zoo.base.errors import DlzooError, UsageError
from zoo.datasets import split as splits
from zoo.datasets.checking import check
from zoo.datasets.features.decoding import decoded
from zoo.datasets.features.pictures import image, plain_format
from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.datasets.sources.own import OwnSource


def source(name: str, **said: str | int | bool) -> OwnSource:
    found = open_source(Data.model_validate({"name": name, **said}))
    assert isinstance(found, OwnSource)
    return found


def test_a_folder_of_classes_is_divided_and_described(tmp_path: Path) -> None:
    own.photos(tmp_path)
    described = source(f"folder:{tmp_path}").describe()
    assert dict(described.sizes) == {"train": 30, "validation": 3, "test": 3}
    assert described.features["label"].titles(range(3)) == list(own.SHAPES)
    assert any("sizes" in line for line in described.told)


def test_nested_folders_belong_to_the_class_above(tmp_path: Path) -> None:
    own.photos(tmp_path / "photos")
    (tmp_path / "photos" / "circle" / "summer").mkdir()
    own.shape("circle", 99).save(tmp_path / "photos" / "circle" / "summer" / "x.png")
    scan = source(f"folder:{tmp_path / 'photos'}").scanned()
    assert scan.labels is not None
    assert scan.labels[list(scan.keys).index("circle/summer/x.png")] == "circle"


def test_folders_of_splits_are_kept_and_a_double_is_left_out_of_training(tmp_path: Path) -> None:
    names = own.spoil(own.photos(tmp_path, splits=True))
    loaded = source(f"folder:{tmp_path}", skip_bad_files=True).load()
    assert loaded.keys is not None
    assert all(key.startswith("test/") for key in loaded.keys["test"])
    everything = [key for keys in loaded.keys.values() for key in keys]
    assert len(everything) == len(set(everything)) == 36
    assert names["twin"] not in everything
    assert set(loaded.skipped) == {names["corrupt"], names["empty"]}


@pytest.mark.parametrize("suffix", own.FORMATS)
def test_the_pipeline_decodes_as_prediction_does(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"one.{suffix}"
    own.shape("circle", 1).save(path)
    content = path.read_bytes()
    height, width, grey, form = plain_format(content, "one")
    seen = decoded(tf.constant(str(path)), tf.constant(form), channels=3).numpy()
    assert seen.shape == (height, width, 3)
    assert not grey
    wanted = np.round(255 * image(content, "one", grey=False)[0])
    assert np.abs(seen - wanted).max() <= 1


def test_a_turned_photograph_is_seen_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # it lies on its side
    Image.new("RGB", (20, 10)).save(path, exif=exif)
    height, width, _, form = plain_format(path.read_bytes(), "turned")
    assert (height, width) == (20, 10)
    seen = decoded(tf.constant(str(path)), tf.constant(form), channels=3)
    assert seen.shape[:2] == (20, 10)


def test_a_split_read_by_place_gives_what_memory_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.photos(tmp_path)
    pages = []
    for budget in (splits.CACHE, 0):
        monkeypatch.setattr(splits, "CACHE", budget)
        dataset = load(f"folder:{tmp_path}", {"image": {"size": [16, 16]}})
        features = {name: dataset.spec.features[name] for name in ("image", "label")}

        def change(columns: splits.Columns) -> splits.Columns:
            return {name: one.prepare(columns[name]) for name, one in features.items()}  # noqa: B023

        part = dataset.split("train").mapped(change)
        assert len(part) == 30
        batches = part.shuffled(tf.constant([3, 1], tf.int64), batch_size=8, skip=1)
        first = next(iter(batches))
        pages.append({name: np.asarray(values) for name, values in part.columns(first).items()})
    for name, values in pages[0].items():
        np.testing.assert_allclose(values, pages[1][name], atol=1e-6)


def test_a_table_s_columns_are_told_and_its_target_is_a_class_or_a_number(tmp_path: Path) -> None:
    name = f"csv:{own.people(tmp_path / 'people.csv')}"
    described = source(name, target="plan").describe()
    assert described.features["plan"].titles(range(2)) == ["basic", "gold"]
    assert described.inputs == ("row",)
    told = "\n".join(described.told)
    assert "column id numbers the rows and is left out" in told
    assert "column joined is a date, year-month-day" in told
    assert "column age: numbers, 7 of 60 missing" in told
    number = f"csv:{own.people(tmp_path / 'numbers.csv', number=True)}"
    assert source(number, target="plan").describe().features["plan"].serves("value")
    assert source(number, target="plan:class").describe().features["plan"].serves("class")


def test_groups_of_a_table_stay_in_one_split(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    rows = [f"{n // 4},{n % 7},{'ab'[n % 2]}" for n in range(120)]
    path.write_text("who,age,plan\n" + "\n".join(rows) + "\n")
    found = source(f"csv:{path}", target="plan", group="who")
    places = found.splits()
    groups = {name: {int(at) // 4 for at in chosen} for name, chosen in places.items()}
    assert not groups["train"] & groups["test"]
    assert not groups["train"] & groups["validation"]
    assert not groups["validation"] & groups["test"]
    assert "who" not in found.describe().features["row"].summary()


@pytest.mark.parametrize("budget", [0, 10**9])
def test_a_large_table_is_read_by_place(
    budget: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.datasets.sources import tables

    monkeypatch.setattr(tables, "IN_MEMORY", budget)
    path = own.people(tmp_path / f"people{budget}.csv")
    loaded = source(f"csv:{path}", target="plan").load()
    (page,) = loaded.splits["test"].in_order(99).as_numpy_iterator()
    assert loaded.keys is not None
    lines = path.read_text().splitlines()
    for key, row, plan in zip(loaded.keys["test"], page["row"], page["plan"], strict=True):
        cells = lines[int(key.split()[1]) - 1].split(",")
        assert [cell.decode() for cell in row] == cells[1:4]
        assert ("basic", "gold")[plan] == cells[4]


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    path = own.people(tmp_path / "people.csv")
    table = pyarrow.csv.read_csv(path)
    pyarrow.parquet.write_table(table, tmp_path / "people.parquet")
    first, second = (
        source(f"{kind}:{tmp_path / f'people.{kind}'}", target="plan").describe()
        for kind in ("csv", "parquet")
    )
    assert first.features == second.features
    assert first.sizes == second.sizes


@pytest.mark.parametrize(
    ("line", "features"),
    [
        ("good word {n}\tpos", {"text": "text", "label": "label"}),
        ("pos\tgood word {n}", {"text": "text", "label": "label"}),
        ("one {n}\tword two {n}", {"source": "text", "target": "text"}),
    ],
)
def test_lines_are_texts_with_classes_or_pairs(
    line: str, features: dict[str, str], tmp_path: Path
) -> None:
    lines = [line.format(n=n).replace("pos", "neg" if n % 2 else "pos") for n in range(40)]
    (tmp_path / "t.txt").write_text("\n".join(lines))
    described = source(f"text:{tmp_path / 't.txt'}").describe()
    assert {name: one.type for name, one in described.features.items()} == features


def test_plain_text_is_cut_between_paragraphs_and_a_repeated_one_is_kept_once(
    tmp_path: Path,
) -> None:
    paragraphs = [f"Paragraph {n} " + "word " * 120 for n in range(40)]
    (tmp_path / "t.txt").write_text("\n\n".join([*paragraphs, paragraphs[0]]))
    loaded = source(f"text:{tmp_path / 't.txt'}").load()
    texts = [
        text.decode()
        for part in loaded.splits.values()
        for chunk in part.column("text")
        for text in chunk
    ]
    joined = "\n\n".join(texts)
    assert all(joined.count(f"Paragraph {n} ") == 1 for n in range(40))


def test_arrays_keep_the_splits_that_their_names_say(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 255, (60, 8, 8)).astype(np.uint8)
    np.savez(
        tmp_path / "d.npz",
        x_train=pixels[:50],
        y_train=np.arange(50) % 5,
        x_test=pixels[50:],
        y_test=np.arange(10) % 5,
    )
    loaded = source(f"npz:{tmp_path / 'd.npz'}").load()
    assert {name: len(part) for name, part in loaded.splits.items()} == {
        "train": 45,
        "validation": 5,
        "test": 10,
    }
    (page,) = loaded.splits["test"].in_order(10).as_numpy_iterator()
    assert page["x"].shape == (10, 8, 8, 1)


def test_a_changed_source_has_another_fingerprint_and_is_refused(tmp_path: Path) -> None:
    path = own.people(tmp_path / "people.csv")
    data = Data(name=f"csv:{path}", target="plan")
    spec = load(data).spec
    path.write_text(path.read_text().replace("Rome", "Roma", 1))
    with pytest.raises(UsageError, match="have changed since they were trained on"):
        load(data, fitted=spec)


def test_check_finds_what_is_bad_and_odd(tmp_path: Path) -> None:
    names = own.spoil(own.photos(tmp_path, splits=True))
    own.shape("circle", 77).save(tmp_path / "train" / "circle" / "near.png")
    near = own.shape("circle", 77)
    near.putpixel((0, 0), (1, 1, 1))
    near.save(tmp_path / "test" / "circle" / "near.png")
    report = check(Data(name=f"folder:{tmp_path}"))
    errors, warnings = "\n".join(report.errors), "\n".join(report.warnings)
    assert f"{names['corrupt']}: is not a readable image" in errors
    assert f"{names['empty']}: is empty (0 bytes)" in errors
    assert "the same content is in several splits" in errors
    assert names["twin"] in errors
    assert "nearly alike" in warnings
    assert "near.png" in warnings
    assert report.classes["cross"]["test"] == 3
    assert report.examples == 36 + 3  # two near ones and the twin


def test_check_finds_odd_columns_and_misspelt_classes(tmp_path: Path) -> None:
    rows = [f"{n},same,,{n},{'basic' if n % 2 else 'gold'}" for n in range(40)]
    rows += ["40,same,,x9,Gold", "41,same,,8,baasic"]
    path = tmp_path / "t.csv"
    path.write_text("age,fixed,none,mixed,plan\n" + "\n".join(rows) + "\n")
    warnings = "\n".join(check(Data(name=f"csv:{path}", target="plan")).warnings)
    assert "column fixed is 'same' in every row" in warnings
    assert "column none is empty in every row" in warnings
    assert "column mixed holds numbers and 1 other cell(s), such as 'x9' in row 41" in warnings
    assert "classes 'gold' and 'Gold' differ in spelling only" in warnings
    assert "class 'baasic' has 1 example: is 'basic' meant?" in warnings


def test_a_file_that_is_cut_off_stops_a_load_with_its_name(tmp_path: Path) -> None:
    own.photos(tmp_path)
    whole = (tmp_path / "cross" / "0.png").read_bytes()
    (tmp_path / "cross" / "cut.png").write_bytes(whole[: len(whole) // 2])
    from zoo.datasets.faults import readable

    data = Data(name=f"folder:{tmp_path}")

    def read_all() -> None:
        with readable(data):
            dataset = load(data, {"image": {"size": [16, 16]}})
            for part in dataset.splits.values():
                list(part.in_order(1))

    with pytest.raises(DlzooError, match=r"cross/cut\.png of .* is not a readable image"):
        read_all()
