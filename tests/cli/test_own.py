"""From a source of one's own to a run, its scores, its answers and its export."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tests import own
from tests.cli.conftest import Dlzoo
from zoo.run import Run, load
from zoo.training.own import suited_model
from zoo.training.range_test import chosen_rate
from zoo.training.resolve import resolve

BUILDERS = """
import numpy as np
import tensorflow_datasets as tfds

FEATURES = {
    "image": {"image": tfds.features.Image(shape=(None, None, 3)),
              "label": tfds.features.ClassLabel(names=["dark", "light"])},
    "pairs": {"en": tfds.features.Text(), "de": tfds.features.Text()},
    "table": {"x": tfds.features.Tensor(shape=(3,), dtype=np.float32), "price": np.float32},
}


class Mine(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        names = tuple(FEATURES["KIND"])
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(FEATURES["KIND"]), supervised_keys=names)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(range(40)),
                "test": self._generate_examples(range(40, 52))}

    def _generate_examples(self, numbers):
        for n in numbers:
            yield n, {
                "image": {"image": np.full((9 + n % 3, 9, 3), 4 * n, np.uint8), "label": n % 2},
                "pairs": {"en": f"number {n}", "de": f"Nummer {n}"},
                "table": {"x": np.array([n, -n, 1], np.float32), "price": np.float32(1000 * n)},
            }["KIND"]
"""


@pytest.fixture
def table(dlzoo: Dlzoo) -> Run:
    """A run of two epochs on a table; the first is done by one command, the second by another."""
    own.people(Path("people.csv"))
    words = ("--dataset", "csv:people.csv", "--target", "plan", "--batch-size", 16)
    done = dlzoo("train", *words, "--epochs", 1)
    assert done.code == 0, done.err
    assert "model mlp: 48 rows of a table, and one of 2 classes is asked for" in done.err
    assert "data: column id numbers the rows and is left out" in done.err
    return load()


def test_a_table_is_trained_on_resumed_scored_asked_and_exported(table: Run, dlzoo: Dlzoo) -> None:
    assert table.name == "mlp-csv-people.csv-1"
    splits = table.splits
    assert splits is not None
    assert {name: len(keys) for name, keys in splits.items()} == dict(table.spec.sizes)
    assert dlzoo("train", "--resume", "latest", "--epochs", 2).code == 0
    assert load().splits == splits
    scored = dlzoo("evaluate", "latest", "--dataset", "csv:people.csv", "--json").json
    assert scored["examples"] == 60
    assert sum(one["examples"] for one in scored["classes"]) == 60
    assert dlzoo("predict", "latest", "people.csv", "--output", "answers.parquet").code == 0
    import pyarrow.parquet

    answers = pyarrow.parquet.read_table("answers.parquet").to_pylist()
    assert [one["input"] for one in answers] == [f"people.csv:{line}" for line in range(2, 62)]
    right = [one["class"] for one in answers]
    with Path("people.csv").open(newline="") as file:
        truth = [row["plan"] for row in csv.DictReader(file)]
    share = float(np.mean([a == b for a, b in zip(right, truth, strict=True)]))
    assert share == pytest.approx(scored["metrics"]["accuracy"], abs=1e-6)
    assert dlzoo("export", "latest").code == 0


def test_a_bad_row_is_listed_and_the_others_are_answered(table: Run, dlzoo: Dlzoo) -> None:
    Path("new.csv").write_text(
        "age,city,joined\n30,Rome,2024-01-02\nold,Rome,2024-01-02\n,Lima,2024-01-03\n"
    )
    result = dlzoo("predict", "latest", "new.csv", "--output", "answers.jsonl")
    assert result.code == 1
    assert "not read: new.csv:3: age must be a number, got 'old'" in result.err
    assert "warning: new.csv:4: city 'Lima' was never or hardly seen in training" in result.err
    lines = Path("answers.jsonl").read_text().splitlines()
    assert [line.split('"')[3] for line in lines] == ["new.csv:2", "new.csv:4"]


def test_changed_data_are_not_resumed_from(table: Run, dlzoo: Dlzoo) -> None:
    path = Path("people.csv")
    path.write_text(path.read_text().replace("Rome", "Roma", 1))
    refusal = dlzoo("train", "--resume", "latest", "--epochs", 2)
    assert refusal.code == 2
    assert "have changed since run mlp-csv-people.csv-1 began" in refusal.err


def test_other_data_with_an_unknown_class_or_column_are_refused(table: Run, dlzoo: Dlzoo) -> None:
    text = Path("people.csv").read_text()
    Path("classes.csv").write_text(text.replace("gold", "platinum", 1))
    refusal = dlzoo("evaluate", "latest", "--dataset", "csv:classes.csv").err
    assert "csv:classes.csv has the class 'platinum', and the model knows basic, gold" in refusal
    Path("columns.csv").write_text(text.replace("city", "town", 1))
    refusal = dlzoo("evaluate", "latest", "--dataset", "csv:columns.csv").err
    assert "unknown column of columns.csv 'city'" in refusal


def test_a_folder_with_bad_files_is_trained_on_without_them(dlzoo: Dlzoo) -> None:
    names = own.spoil(own.photos(Path("photos"), splits=True))
    words = ("train", "lenet5", "--dataset", "folder:photos", "--epochs", 1)
    assert dlzoo(*words).code == 1
    done = dlzoo(*words, "--skip-bad-files")
    assert done.code == 0, done.err
    with (load().path / "skipped.csv").open(newline="") as file:
        listed = {row["example"] for row in csv.DictReader(file)}
    assert listed == {names["corrupt"], names["empty"]}
    checked = dlzoo("datasets", "check", "folder:photos")
    assert checked.code == 1
    assert all(name in checked.out for name in names.values())
    told = dlzoo("predict", "latest", "photos/test/*/0.png", "--json").json["predictions"]
    assert [one["input"] for one in told] == [
        f"photos/test/{name}/0.png" for name in ("circle", "cross", "square")
    ]


@pytest.mark.parametrize(
    ("kind", "model", "said"),
    [
        ("image", "lenet5", ()),
        ("pairs", "transformer", ("--set", "arguments.width=8", "--set", "arguments.num_layers=1")),
        ("table", "mlp", ()),
    ],
)
def test_a_builder_of_one_s_own_is_built_and_trained_on(
    kind: str, model: str, said: tuple[str, ...], dlzoo: Dlzoo
) -> None:
    Path("mine.py").write_text(BUILDERS.replace("KIND", kind))
    words = ("--dataset", "tfds:./mine.py", "--data-dir", "data", "--epochs", 1)
    done = dlzoo("train", model, *words, *said)
    assert done.code == 0, done.err
    assert list(Path("data").glob("mine/1.0.0/*.tfrecord*"))
    sizes = load().spec.sizes
    assert sizes["test"] == 12
    assert sizes["train"] + sizes["validation"] == 40


def test_unequal_classes_are_weighed(dlzoo: Dlzoo) -> None:
    rows = [f"{n},{n % 5},{'rare' if n % 6 == 0 else 'often'}" for n in range(90)]
    Path("t.csv").write_text("a,b,plan\n" + "\n".join(rows) + "\n")
    recipe = resolve("mlp", dataset="csv:t.csv", target="plan")
    assert recipe.class_weights == "balanced"
    assert (
        dlzoo("train", "mlp", "--dataset", "csv:t.csv", "--target", "plan", "--epochs", 1).code == 0
    )
    weights = load().task.class_weights(load().dataset)
    label = load().spec.features["plan"]
    names = label.titles(range(label.classes))
    assert weights[names.index("rare")] == pytest.approx(5 * weights[names.index("often")], rel=0.1)


def test_the_rate_is_a_tenth_of_the_best() -> None:
    rates = [10.0 ** (-6 + at / 20) for at in range(120)]
    losses = [1.0 - 0.008 * at if at < 100 else 0.2 + (at - 99) for at in range(120)]
    assert chosen_rate(rates, losses) == pytest.approx(rates[100] / 10, rel=0.2)


def test_a_model_is_picked_by_kind_and_size(dlzoo: Dlzoo) -> None:
    from recipes.recipe import Data
    from zoo.datasets.sources import open_source

    own.photos(Path("small"), 4)
    for number in range(4):
        for name in ("a", "b"):
            Path(f"large/{name}").mkdir(parents=True, exist_ok=True)
            own.shape("circle" if name == "a" else "cross", number, 100).save(
                f"large/{name}/{number}.png"
            )
    Path("plain.txt").write_text("\n\n".join(f"Paragraph {n} " + "word " * 99 for n in range(40)))
    picked = {
        name: suited_model(open_source(Data(name=name)).describe())[0]
        for name in ("folder:small", "folder:large", "text:plain.txt")
    }
    assert picked == {
        "folder:small": "lenet5",
        "folder:large": "resnet18",
        "text:plain.txt": "gpt",
    }
