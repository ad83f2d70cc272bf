"""Every format of every kind of model answers as the model does, by its own runtime."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from zoo.base.errors import DlzooError, UsageError
from zoo.run import Run
from zoo.serving import samples, verify
from zoo.serving.artefact import Artefact
from zoo.serving.formats import FORMATS

ALL = tuple(FORMATS)
KINDS = ("table", "image", "text", "series", "tags", "vae")


@pytest.fixture(scope="module")
def exported(shared_run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artefact]:
    """Each kind in all formats."""
    folder = tmp_path_factory.mktemp("exports")
    return {
        kind: Artefact.open(tiny.run(kind, shared_run_dir).export(folder, formats=ALL, name=kind))
        for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_answers_the_test_split_as_the_model_does(
    kind: str, exported: dict[str, Artefact]
) -> None:
    reports = exported[kind].facts["reports"]
    assert {one["format"] for one in reports} == set(ALL)
    for one in reports:
        assert one["largest_difference"] <= FORMATS[one["format"]].tolerance
        assert one["agreement"] in (None, 1.0)
        assert one["artefact_score"] == pytest.approx(one["model_score"], abs=1e-4)
        assert one["size"] > 0
        assert one["milliseconds"] > 0


@pytest.mark.parametrize("form", ["onnx", "litert", "openvino"])
@pytest.mark.parametrize("kind", ["table", "text", "tags", "vae"])
def test_the_script_beside_asks_a_format_without_dlzoo(
    kind: str, form: str, exported: dict[str, Artefact], shared_run_dir: Path, tmp_path: Path
) -> None:
    run = tiny.run(kind, shared_run_dir)
    script = exported[kind].path / "answer.py"
    texts = ["Deutschland", "français", "日本", "", "a" * 100]
    typed = ["--", *texts] if kind in ("text", "tags") else ["--samples"]
    done = subprocess.run(
        [sys.executable, str(script), "--format", form, *typed],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if kind in ("text", "tags"):
        predicted = run.predict(np.array(texts))
        said = np.array([one["probabilities"] for one in answers])
        np.testing.assert_allclose(said, predicted, atol=1e-4)
    else:
        (case,) = samples.load(exported[kind].path / samples.FILE)["portable"]
        for name, wanted in case.expected.items():
            said = np.array([one[name] for one in answers])
            np.testing.assert_allclose(said, wanted, atol=1e-4)
    if kind == "table":
        assert {one["labels"] for one in answers} <= {"setosa", "versicolor", "virginica"}


def test_the_script_beside_draws_a_chain_as_the_model_does(
    shared_run_dir: Path, tmp_path: Path
) -> None:
    run = tiny.copy(tiny.run("rbm", shared_run_dir), tmp_path)
    kernel = run.model.machine.kernel  # one epoch hardly moves it, and all images are grey
    kernel.assign(np.random.default_rng(0).normal(0.0, 0.7, kernel.shape))
    path = run.export(tmp_path / "exports", formats=("onnx",))
    seeds = [json.dumps({"seed": seed}) for seed in range(400)]
    done = subprocess.run(
        [sys.executable, str(path / "answer.py"), *seeds],
        capture_output=True,
        text=True,
        check=True,
    )
    images = np.array([json.loads(line)["image"] for line in done.stdout.splitlines()])
    assert images.shape == (400, 8, 8, 1)
    wanted = np.asarray(run.model.sample(400, seed=0))
    assert wanted.std(axis=0).mean() > 0.05
    assert np.abs(images.mean(axis=0) - wanted.mean(axis=0)).mean() < 0.02
    assert np.abs(images.std(axis=0) - wanted.std(axis=0)).mean() < 0.02


def test_what_a_format_cannot_carry_is_said(exported: dict[str, Artefact]) -> None:
    told = exported["text"].facts["formats"]
    assert told["onnx"]["left_out"] == "texts become the numbers of their tokens outside of it"
    assert "left_out" not in told["savedmodel"]
    assert exported["text"].facts["portable"]["inputs"] == {
        "text": {"shape": [None, 8], "dtype": "int32"}
    }
    assert told["litert"]["batch"] == 1  # loops of recurrent layers need a fixed number of rows
    page = (exported["text"].path / "README.md").read_text(encoding="utf-8")
    assert "texts become the numbers of their tokens outside of it" in page
    assert "takes 1 example at a time" in page


@pytest.mark.fresh
def test_an_export_is_checked_in_fresh_processes(shared_run_dir: Path, tmp_path: Path) -> None:
    run = tiny.run("table", shared_run_dir)
    artefact = Artefact.open(run.export(tmp_path, formats=("keras", "onnx")))
    assert artefact.faults(artefact.check()) == []
    (tmp_path / "mlp-iris" / "1" / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(DlzooError, match="InvalidProtobuf"):  # of another process, in one line
        artefact.check()


def test_an_export_is_checked_again(exported: dict[str, Artefact]) -> None:
    reports = exported["table"].check()
    assert exported["table"].faults(reports) == []
    assert {one.format for one in reports} == set(ALL)
    assert Artefact.open(exported["table"].path.parent).path == exported["table"].path


def test_an_export_that_was_changed_is_found(
    exported: dict[str, Artefact], shared_run_dir: Path, tmp_path: Path
) -> None:
    path = tiny.run("table", shared_run_dir).export(tmp_path, formats=("onnx",), name="a")
    other = tiny.run("two-classes", shared_run_dir).export(tmp_path, formats=("onnx",), name="b")
    artefact = Artefact.open(path)
    (path / "model.onnx").write_bytes((exported["table"].path / "model.onnx").read_bytes())
    assert artefact.faults(artefact.check()) == []
    (path / "samples.npz").write_bytes((other / "samples.npz").read_bytes())
    with pytest.raises(UsageError, match=r"a/1 is of another model: .* takes sepal_length_cm \[\]"):
        artefact.check()
    (path / "samples.npz").write_bytes(b"damaged")
    with pytest.raises(DlzooError, match=r"samples\.npz is damaged"):
        artefact.check()


@pytest.mark.parametrize(
    ("form", "how"), [("litert", "float16"), ("litert", "dynamic"), ("litert", "int8"),
                      ("onnx", "dynamic"), ("onnx", "int8"), ("openvino", "float16")],
)  # fmt: skip
def test_a_quantised_format_states_what_it_loses(
    form: str, how: str, shared_run_dir: Path, tmp_path: Path
) -> None:
    run = tiny.run("table", shared_run_dir)
    path = run.export(tmp_path, formats=(form,), quantize=how, max_loss=0.5)
    facts = Artefact.open(path).facts
    assert facts["formats"][form]["quantized"] == how
    (report,) = facts["reports"]
    assert report["score"] == "accuracy"
    assert report["artefact_score"] is not None
    assert report["largest_difference"] > 0


def test_a_quantised_format_that_loses_too_much_is_refused(
    shared_run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "loss", lambda report: 0.2)
    run = tiny.run("table", shared_run_dir)
    with pytest.raises(DlzooError, match=r"onnx, quantised, loses 0\.2 accuracy, more than 0\.1"):
        run.export(tmp_path / "exports", formats=("onnx",), quantize="int8", max_loss=0.1)
    assert not (tmp_path / "exports").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"formats": ("onx",)}, "unknown format 'onx'. Did you mean 'onnx'?"),
        (
            {"formats": ("savedmodel", "onnx"), "quantize": "float16"},
            "savedmodel and onnx cannot be quantized to float16; litert and openvino can",
        ),
        (
            {"formats": ("onnx",), "quantize": "int4"},
            "quantize must be one of dynamic, float16, int8, got 'int4'",
        ),
    ],
)
def test_what_no_format_does_is_refused(
    asked: dict[str, Any], message: str, shared_run_dir: Path, tmp_path: Path
) -> None:
    run: Run = tiny.run("table", shared_run_dir)
    with pytest.raises(UsageError) as caught:
        run.export(tmp_path / "exports", **asked)
    assert str(caught.value) == message
    assert not (tmp_path / "exports").exists()


@pytest.mark.slow
def test_tensorflow_s_own_tool_and_openvino_read_the_savedmodel(
    exported: dict[str, Artefact], tmp_path: Path
) -> None:
    folder = str(exported["image"].path)
    tool = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
    shown = subprocess.run(
        [*tool, "show", "--dir", folder, "--all"], capture_output=True, text=True, check=True
    )
    for signature in ("serving_default", "serving_bytes"):
        assert f"signature_def['{signature}']" in shown.stdout
    (case, *_) = samples.load(exported["image"].path / samples.FILE)["raw"]
    np.save(tmp_path / "image.npy", case.inputs["image"])
    options = ["--tag_set", "serve", "--signature_def", "serving_default"]
    options += ["--inputs", f"image={tmp_path / 'image.npy'}", "--outdir", str(tmp_path)]
    subprocess.run([*tool, "run", "--dir", folder, *options], capture_output=True, check=True)
    given = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_allclose(given, case.expected["probabilities"], atol=1e-5)

    import openvino

    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    read = openvino.Core().compile_model(folder, "CPU", precise)
    answers = read({"image": case.inputs["image"]})
    (output,) = (one for one in read.outputs if "probabilities" in one.get_names())
    np.testing.assert_allclose(answers[output], case.expected["probabilities"], atol=1e-4)


@pytest.mark.slow
def test_a_killed_export_leaves_no_version(shared_run_dir: Path, tmp_path: Path) -> None:
    run = tiny.run("table", shared_run_dir)
    words = [sys.executable, "-m", "cli.main", "export", str(run.path), "--output", str(tmp_path)]
    folder = tmp_path / "flowers"
    with subprocess.Popen([*words, "--name", "flowers"], stderr=subprocess.PIPE) as process:
        while process.poll() is None and not any(folder.glob(".1-tmp*/saved_model.pb")):
            time.sleep(0.01)
        process.kill()
    assert not (folder / "1").exists()
    path = run.export(tmp_path, name="flowers")
    assert path == folder / "1"
    assert [one.name for one in folder.iterdir() if one.name.startswith(".1-")] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["translation", "words", "conditional-vae", "ddpm", "rbm", "experts"]
)
def test_the_other_kinds_in_every_format(kind: str, shared_run_dir: Path, tmp_path: Path) -> None:
    run = tiny.run(kind, shared_run_dir)
    path = run.export(tmp_path, formats=ALL, name=kind)
    facts = Artefact.open(path).facts
    assert {one["format"] for one in facts["reports"]} == set(ALL)
    for form in ("onnx", "litert", "openvino"):
        typed = {
            "translation": "5 May 1979",
            "ddpm": '{"label": 7, "seed": 1}',
            "rbm": '{"seed": 1}',
            "experts": "The ",
        }.get(kind)
        words = [sys.executable, str(path / "answer.py"), "--format", form]
        done = subprocess.run(
            [*words, typed or "--samples"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if kind == "translation":
            assert answers[0]["text"] == run.predict(["5 May 1979"])[0].decode()
        if kind == "experts":
            assert answers[0]["text"].startswith("The ")
        if kind in ("ddpm", "rbm"):
            image = np.array(answers[0]["image"])
            assert image.min() >= 0.0
            assert image.max() <= 1.0
            assert image.std() > 0.0
