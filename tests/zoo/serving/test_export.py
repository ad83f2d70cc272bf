"""An export is a whole, verified SavedModel that answers anywhere as the run does, or nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from zoo import runs
from zoo.datasets.loading import load
from zoo.errors import DlzooError, UsageError
from zoo.runs import Run
from zoo.serving import export as exporting

TOLERANCE = 1e-5

# kind -> (signature, its input's name, its output's name)
SERVED = {
    "image": ("serve", "image", "probabilities"),
    "table": ("serve", "features", "probabilities"),
    "two-classes": ("serve", "features", "probabilities"),
    "numbers": ("serve", "features", "value"),
    "text": ("serve", "text", "probabilities"),
    "vae": ("generate", "latent", "image"),
    "gan": ("generate", "latent", "image"),
}

# Loads every export as a stranger would: with TensorFlow and nothing of ours.
STRANGER = """
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
for folder, signature, name, output, asked, answered in (line.split("|") for line in sys.stdin):
    loaded = tf.saved_model.load(folder)
    values = np.load(asked)
    inputs = {name: tf.constant(values.tolist()) if values.dtype.kind == "U" else values}
    answer = loaded.signatures[signature](**inputs)
    default = loaded.signatures["serving_default"](**inputs)
    assert list(answer) == list(default) == [output], list(answer)
    np.testing.assert_array_equal(answer[output], default[output])
    np.save(answered.strip(), answer[output].numpy())
assert not {"zoo", "recipes", "cli"} & set(sys.modules)
"""


def asked(kind: str, run: Run) -> Any:
    """Raw inputs for a kind's signature."""
    draw = np.random.default_rng(0)
    if kind == "image":
        return draw.uniform(size=(5, 32, 32, 1)).astype("float32")
    if kind == "text":
        return np.array(["Deutschland", "français", "日本", "", "a" * 100])
    if SERVED[kind][0] == "generate":
        return draw.normal(size=(5, run.model.latent_dim)).astype("float32")
    return load(run.spec.name).split("test").inputs[:5]


@pytest.fixture(scope="module")
def elsewhere(
    shared_run_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What another process is asked and answers, by kind."""
    folder = tmp_path_factory.mktemp("served")
    lines = []
    for kind, names in SERVED.items():
        run = tiny.run(kind, shared_run_dir)
        np.save(folder / f"{kind}-asked.npy", asked(kind, run))
        # Loaded anew, as `dlzoo export` does: nothing has been computed by it yet.
        path = runs.load(run.path).export(folder / "exports", name=kind)
        files = (str(folder / f"{kind}-{what}.npy") for what in ("asked", "answered"))
        lines.append("|".join((str(path), *names, *files)))
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


@pytest.mark.parametrize("kind", [kind for kind, (name, *_) in SERVED.items() if name == "serve"])
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
    assert (path / "model.keras").read_bytes() == (run.path / "model.keras").read_bytes()
    assert names(path.parent) == ["1"]  # Serving takes every number beside it for a version


def test_export_json_says_what_goes_in_and_what_comes_out(run: Run, tmp_path: Path) -> None:
    path = run.export(tmp_path, name="flowers", version=4)
    told = json.loads((path / "export.json").read_text(encoding="utf-8"))
    assert (told["name"], told["version"], told["run"]) == ("flowers", 4, run.name)
    features = {"features": {"shape": [None, 4], "dtype": "float32"}}
    assert told["signatures"] == {"serve": features}
    assert told["class_names"] == ["setosa", "versicolor", "virginica"]
    assert 0.0 <= told["largest_difference"] <= TOLERANCE


def test_versions_count_up_from_the_highest(run: Run, tmp_path: Path) -> None:
    assert run.export(tmp_path).name == "1"
    assert run.export(tmp_path).name == "2"
    (tmp_path / "mlp-iris" / "41").mkdir()
    (tmp_path / "mlp-iris" / "notes").mkdir()
    assert run.export(tmp_path).name == "42"
    assert run.export(tmp_path, version=7).name == "7"


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


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_is_a_positive_number(version: int, run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"a version is a positive number, got {version}"):
        run.export(tmp_path / "exports", version=version)
    assert names(tmp_path) == []


def test_an_output_that_cannot_be_a_folder_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match="cannot make the folder"):
        run.export(tmp_path / "taken")


class Altered:
    """A SavedModel that answers otherwise than what was written."""

    def __init__(self, loaded: Any, change: Any) -> None:
        def altered(**inputs: Any) -> Any:
            return change(loaded.signatures["serve"](**inputs))

        self.signatures = {"serve": altered}


CHANGES = {
    "a little off": lambda answer: {key: value + 2e-5 for key, value in answer.items()},
    "one of them": lambda answer: {
        key: value + tf.constant(np.eye(8, 3) * 0.5, tf.float32) for key, value in answer.items()
    },
    "not a number": lambda answer: {key: value * np.nan for key, value in answer.items()},
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
    assert list((tmp_path / "exports").rglob("*")) == []


def test_a_failure_leaves_the_version_that_was_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run.export(tmp_path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(DlzooError, match="answers otherwise"):
        run.export(tmp_path, version=1, overwrite=True)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    assert names(path.parent) == ["1"]


def test_an_exported_keras_file_predicts_where_the_model_s_classes_are_known(
    run: Run, tmp_path: Path
) -> None:
    import keras

    path = run.export(tmp_path)
    model = keras.saving.load_model(path / "model.keras", safe_mode=True)
    flowers = load("iris").split("test").inputs
    encoded = run.task.encoder.encode(flowers)
    np.testing.assert_allclose(
        model.predict(encoded, verbose=0), run.predict(flowers), atol=TOLERANCE
    )
