"""An export is a whole, verified SavedModel that answers anywhere as the run does, or nothing."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from zoo.base.errors import DlzooError, UsageError
from zoo.base.names import identifiers
from zoo.run import Run
from zoo.run import load as load_run
from zoo.serving import export, verify
from zoo.serving.formats import savedmodel

TOLERANCE = 1e-5

# kind -> (signature, its input's name, its output's name); a table has an input for each column
SERVED = {
    "image": ("serving_default", "image", "probabilities"),
    "table": ("serving_default", "", "probabilities"),
    "two-classes": ("serving_default", "", "probabilities"),
    "numbers": ("serving_default", "", "value"),
    "text": ("serving_default", "text", "probabilities"),
    "series": ("serving_default", "series", "forecast"),
    "tags": ("serving_default", "text", "probabilities"),
    "vae": ("generate", "latent", "image"),
    "gan": ("generate", "latent", "image"),
}

# Loads every export as a stranger would: with TensorFlow and nothing of ours.
STRANGER = """
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
for folder, signature, output, asked, answered in (line.split("|") for line in sys.stdin):
    loaded = tf.saved_model.load(folder)
    inputs = {
        name: tf.constant(one.tolist()) if one.dtype.kind == "U" else tf.constant(one)
        for name, one in np.load(asked).items()
    }
    answer = loaded.signatures[signature](**inputs)
    default = loaded.signatures["serving_default"](**inputs)
    assert output in answer and list(answer) == list(default), list(answer)
    np.testing.assert_array_equal(answer[output], default[output])
    np.save(answered.strip(), answer[output].numpy())
assert not {"zoo", "recipes", "cli"} & set(sys.modules)
"""


def asked(kind: str, run: Run) -> Any:
    """Raw inputs for a kind's signature."""
    draw = np.random.default_rng(0)
    if kind == "image":
        return draw.uniform(size=(5, 32, 32, 1)).astype("float32")  # in [0, 1], as `predict` takes
    if kind == "series":
        return draw.uniform(0.4, 1.3, size=(5, 4, 1)).astype("float32")
    if kind == "tags":
        return np.array(["def f(x):", "# note", "日本", "", "a" * 100])
    if kind == "text":
        return np.array(["Deutschland", "français", "日本", "", "a" * 100])
    if SERVED[kind][0] == "generate":
        return draw.normal(size=(5, run.model.latent_dim)).astype("float32")
    return flowers(run)[:5]


def inputs(kind: str, run: Run, given: np.ndarray) -> dict[str, np.ndarray]:
    """What a client sends for `asked`, by name."""
    if kind == "image":
        return {"image": given * np.float32(255.0)}
    if SERVED[kind][1]:
        return {SERVED[kind][1]: given}
    names = run.spec.features["features"].names  # type: ignore[attr-defined]
    return dict(zip(identifiers(names), given.T, strict=True))


def flowers(run: Run) -> np.ndarray:
    """The raw rows of a run's test split."""
    (chunk,) = run.dataset.split("test").chunks(1000)
    return np.asarray(chunk["features"])


@pytest.fixture(scope="module")
def elsewhere(
    shared_run_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What another process is asked and answers, by kind."""
    folder = tmp_path_factory.mktemp("served")
    lines = []
    for kind, names in SERVED.items():
        run = tiny.run(kind, shared_run_dir)
        given = asked(kind, run)
        np.save(folder / f"{kind}-asked.npy", given)
        np.savez(folder / f"{kind}-inputs.npz", **inputs(kind, run, given))  # type: ignore[arg-type]
        # Loaded anew, as `dlzoo export` does: nothing has been computed by it yet.
        path = load_run(run.path).export(folder / "exports", name=kind, formats=("savedmodel",))
        files = (str(folder / f"{kind}-{what}") for what in ("inputs.npz", "answered.npy"))
        lines.append("|".join((str(path), names[0], names[2], *files)))
    done = subprocess.run(
        [sys.executable, "-c", STRANGER],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        cwd=folder,  # where our packages are not on the path by chance
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        kind: (np.load(folder / f"{kind}-asked.npy"), np.load(folder / f"{kind}-answered.npy"))
        for kind in SERVED
    }


Answers = dict[str, tuple[np.ndarray, np.ndarray]]


ASKED_RAW = [kind for kind, (name, *_) in SERVED.items() if name != "generate"]


@pytest.mark.parametrize("kind", ASKED_RAW)
def test_another_process_gets_the_answers_of_predict_from_raw_inputs(
    kind: str, elsewhere: Answers, shared_run_dir: Path
) -> None:
    given, answered = elsewhere[kind]
    predicted = tiny.run(kind, shared_run_dir).predict(given)
    assert answered.shape == predicted.shape
    np.testing.assert_allclose(answered, predicted, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("kind", ["vae", "gan"])
def test_another_process_makes_the_generator_s_images_from_latents(
    kind: str, elsewhere: Answers, shared_run_dir: Path
) -> None:
    latent, images = elsewhere[kind]
    model = tiny.run(kind, shared_run_dir).model
    np.testing.assert_allclose(images, np.asarray(model.decode(latent)), atol=TOLERANCE)
    assert images.shape == (5, 8, 8, 1)


@pytest.mark.slow
def test_all_steps_of_a_diffusion_are_exported(shared_run_dir: Path, tmp_path: Path) -> None:
    run = tiny.run("ddpm", shared_run_dir)
    loaded = tf.saved_model.load(str(run.export(tmp_path / "exports")))
    latent = tf.random.stateless_normal((5, 8, 8, 1), (0, 1))
    label = tf.constant([3, 1, 4, 1, 5])
    images = loaded.signatures["generate"](latent=latent, label=label)["image"]
    np.testing.assert_allclose(images, run.model.decode(latent, label), atol=TOLERANCE)


@pytest.fixture
def run(shared_run_dir: Path) -> Run:
    return tiny.run("table", shared_run_dir)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_is_what_tensorflow_serving_reads(run: Run, tmp_path: Path) -> None:
    path = run.export(tmp_path / "exports")
    assert path == tmp_path / "exports" / "mlp-iris" / "1"
    assert {"saved_model.pb", "variables", "model.keras", "export.json"} <= set(names(path))
    assert "variables.index" in names(path / "variables")
    assert names(path.parent) == ["1"]  # Serving takes every number beside it for a version
    config = (tmp_path / "exports" / "model.config").read_text()
    assert 'name: "mlp-iris"\n    base_path: "/models/mlp-iris"' in config


def test_export_json_says_what_goes_in_and_what_comes_out(run: Run, tmp_path: Path) -> None:
    path = run.export(tmp_path, name="flowers", version=4)
    told = json.loads((path / "export.json").read_text(encoding="utf-8"))
    assert (told["name"], told["version"], told["run"]) == ("flowers", 4, run.name)
    column = {"shape": [None], "dtype": "float32"}
    width = ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")
    signature = told["signatures"]["serving_default"]
    assert signature["inputs"] == dict.fromkeys(width, column)
    assert signature["outputs"]["probabilities"] == {"shape": [None, 3], "dtype": "float32"}
    assert signature["outputs"]["class_ids"] == {"shape": [None], "dtype": "int64"}
    assert signature["outputs"]["labels"] == {"shape": [None], "dtype": "string"}
    assert told["checked_on"] == "test split"
    assert {one["format"] for one in told["reports"]} == {"savedmodel", "keras"}
    assert told["data"]["features"]["label"]["names"] == ["setosa", "versicolor", "virginica"]
    assert 0.0 <= told["largest_difference"] <= TOLERANCE


def test_versions_count_up_from_the_highest(run: Run, tmp_path: Path) -> None:
    assert run.export(tmp_path).name == "1"
    assert run.export(tmp_path).name == "2"
    (tmp_path / "mlp-iris" / "41").mkdir()
    (tmp_path / "mlp-iris" / "notes").mkdir()
    assert run.export(tmp_path).name == "42"
    assert run.export(tmp_path, version=7).name == "7"


def test_a_version_that_tensorflow_serving_cannot_read_is_not_put_above_one_it_can(
    run: Run, tmp_path: Path
) -> None:
    assert run.export(tmp_path, formats=("keras",)).name == "1"
    assert run.export(tmp_path, formats=("savedmodel",)).name == "2"
    for version in (None, 7):
        with pytest.raises(UsageError, match=r"without a SavedModel: add --format savedmodel"):
            run.export(tmp_path, formats=("keras",), version=version)
    assert names(tmp_path / "mlp-iris") == ["1", "2"]
    assert run.export(tmp_path, formats=("keras",), version=1, overwrite=True).name == "1"
    assert run.export(tmp_path, formats=("keras",), version=2, overwrite=True).name == "2"


def test_an_existing_version_is_replaced_only_when_asked(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "mlp-iris" / "1"
    target.mkdir(parents=True)
    (target / "mine.txt").write_text("mine")
    with pytest.raises(UsageError) as caught:
        run.export(tmp_path, version=1)
    assert str(caught.value) == f"{target} exists; --overwrite replaces it"
    assert names(target) == ["mine.txt"]
    assert names(target.parent) == ["1"]

    assert run.export(tmp_path, version=1, overwrite=True) == target
    assert "saved_model.pb" in names(target)
    assert "mine.txt" not in names(target)
    assert names(target.parent) == ["1"]


@pytest.mark.parametrize(
    "name", ["../flowers", "a/b", "/flowers", "..", ".hidden", "-rf", "a b", "blumen:1", "a\n"]
)
def test_a_name_that_is_a_path_or_worse_is_refused(name: str, run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a model's name may have letters, digits"):
        run.export(tmp_path / "exports", name=name)
    assert names(tmp_path) == []


@pytest.mark.parametrize("version", [0, -1, 2**31, 10**20])
def test_a_version_is_a_number_that_clients_can_hold(
    version: int, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=f"a version is a number from 1 to 2147483647, got {version}"
    ):
        run.export(tmp_path / "exports", version=version)
    assert names(tmp_path) == []


def test_an_output_that_cannot_be_a_folder_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match="cannot make the folder"):
        run.export(tmp_path / "taken")


class Altered:
    """A SavedModel that answers differ than what was written."""

    def __init__(self, loaded: Any, change: Any) -> None:
        asked = loaded.signatures["serving_default"]

        class Signature:
            structured_input_signature = asked.structured_input_signature

            def __call__(self, **inputs: Any) -> Any:
                return change(asked(**inputs))

        self.signatures = {"serving_default": Signature()}


CHANGES = {
    "a little off": lambda answer: {
        **answer,
        "probabilities": answer["probabilities"] + 2e-5,
    },
    "one class": lambda answer: {
        **answer,
        "probabilities": answer["probabilities"] + tf.constant([0.5, 0.0, 0.0]),
    },
    "not a number": lambda answer: {
        **answer,
        "probabilities": answer["probabilities"] * np.nan,
    },
    "another label": lambda answer: {**answer, "labels": answer["labels"] + "!"},
    "other names": lambda answer: {"output_0": answer["probabilities"]},
}


@pytest.fixture(params=CHANGES)
def wrong_answers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    load_truly, change = tf.saved_model.load, CHANGES[request.param]
    monkeypatch.setattr(tf.saved_model, "load", lambda folder: Altered(load_truly(folder), change))


@pytest.mark.usefixtures("wrong_answers")
def test_an_export_that_answers_otherwise_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DlzooError) as caught:
        run.export(tmp_path / "exports")
    assert not isinstance(caught.value, UsageError)  # the user did nothing wrong
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == [], "not even the folder of exports"


def test_a_failure_leaves_the_version_that_was_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run.export(tmp_path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    monkeypatch.setattr(verify, "fault", lambda *_: "its answers differ")
    monkeypatch.setattr(export, "fault", lambda *_: "its answers differ")
    with pytest.raises(DlzooError, match="answers differ"):
        run.export(tmp_path, version=1, overwrite=True)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    assert names(path.parent) == ["1"]


def test_an_exported_keras_file_predicts_where_the_model_s_classes_are_known(
    run: Run, tmp_path: Path
) -> None:
    import keras

    path = run.export(tmp_path)
    model = keras.saving.load_model(path / "model.keras", safe_mode=True)
    encoded = run.spec.features["features"].encode(flowers(run))
    np.testing.assert_allclose(model(encoded), run.predict(flowers(run)), atol=TOLERANCE)


def test_a_run_that_is_not_finished_and_the_best_weights_are_exported(
    shared_run_dir: Path, tmp_path: Path
) -> None:
    run = tiny.copy(tiny.run("gan", shared_run_dir), tmp_path)
    for name in ("metrics.json", "model.keras"):
        (run.path / name).unlink()
    for weights in ("last", "best"):
        path = load_run(run.path, weights=weights).export(tmp_path / "exports")
        loaded = tf.saved_model.load(str(path))
        latent = np.ones((2, run.model.latent_dim), np.float32)
        answer = loaded.signatures["generate"](latent=tf.constant(latent))["image"]
        np.testing.assert_allclose(answer, run.model.decode(latent), atol=TOLERANCE)


# Two at once, crashes, full disks.


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder as another process would that exports into it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def test_the_second_of_two_exports_at_once_is_told(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mlp-iris"
    folder.mkdir()
    with held(folder), pytest.raises(UsageError, match=f"another export writes to {folder} now"):
        run.export(tmp_path)
    assert names(folder) == []
    assert run.export(tmp_path).name == "1"


def test_what_a_killed_export_left_is_removed(run: Run, tmp_path: Path) -> None:
    left = tmp_path / "mlp-iris" / ".1-tmpdeadbeef"
    (left / "variables").mkdir(parents=True)
    run.export(tmp_path)
    assert names(tmp_path / "mlp-iris") == ["1"]


def test_a_full_disk_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(savedmodel, "write", full)
    with pytest.raises(DlzooError, match=r"cannot write .*: No space left on device"):
        run.export(tmp_path / "new" / "exports")
    assert names(tmp_path) == []


@pytest.mark.parametrize("difference", [np.nan, 1.0, -1.0, np.inf])
def test_a_difference_is_never_overlooked(difference: float) -> None:
    wanted = np.zeros((3, 2))
    given = wanted.copy()
    given[1, 1] = difference
    assert not verify._difference(given, wanted) <= TOLERANCE
    assert verify.agreement({"a": np.array(["x", "y"])}, {"a": np.array(["x", "z"])}) == 0.5
    assert verify._difference(np.array([1001.0]), np.array([1000.0])) == pytest.approx(1e-3)
