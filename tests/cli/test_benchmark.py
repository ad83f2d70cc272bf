"""`dlzoo benchmark`."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Dlzoo, Terminal, unstyled
from tests.zoo.training.test_benchmark import MEASURED
from zoo.base.errors import DlzooError, UsageError
from zoo.training import pipeline
from zoo.training.benchmark import Measurement

Answers = dict[str, list[Measurement] | DlzooError]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What measuring is to find, by model; what it was called with comes under the model too."""
    found: Answers = {}

    def measure(model: str, *, tell: Callable[[str], None], **options: Any) -> list[Measurement]:
        tell(f"{model}: {options}")
        answer = found[model]
        if isinstance(answer, DlzooError):
            raise answer
        return answer

    monkeypatch.setattr("zoo.training.benchmark.benchmark", measure)
    return found


TRAINING = dataclasses.replace(
    MEASURED, mode="training", batch_size=32, seconds=1.25, quartiles=(1.2, 1.5), peak_memory=None
)


def test_in_a_pipe_the_table_is_plain_and_progress_goes_elsewhere(
    dlzoo: Dlzoo, answers: Answers
) -> None:
    answers["lenet5"] = [MEASURED, TRAINING]
    result = dlzoo("benchmark", "lenet5", "--repeats", 3)
    assert result.code == 0
    assert result.out.splitlines() == [
        "median (quartiles) of 10 on CPU in float32; matrix products: 100 GFLOP/s",
        "model   mode       batch  samples/s  ms per step             memory  of matmul",
        "lenet5  inference     64     16,000  4 (3.5 to 5)             12 MB     12.8 %",
        "lenet5  training      32         26  1,250 (1,200 to 1,500)            < 0.1 %",
        "lenet5: training with batch 64 does not fit into memory, with 32 it does",
    ]
    assert "'repeats': 3" in result.err
    assert result.err.endswith("next: dlzoo train lenet5\n")


def test_options_reach_the_measuring(dlzoo: Dlzoo, answers: Answers) -> None:
    answers["resnet20"] = [MEASURED]
    options = ["--batch-size", 8, "--input-size", 64, "--precision", "mixed_float16"]
    result = dlzoo("benchmark", "resnet", *options)  # a family means its default member
    wanted = {"batch_size": 8, "input_size": 64, "precision": "mixed_float16", "repeats": 10}
    assert result.err.startswith(f"resnet20: {wanted}\n")


def test_json_is_all_of_it_in_one_document(dlzoo: Dlzoo, answers: Answers) -> None:
    answers["lenet5"] = [MEASURED, TRAINING]
    answers["mlp"] = [dataclasses.replace(MEASURED, model="mlp")]
    told = dlzoo("benchmark", "lenet5", "mlp", "lenet", "--json").json  # lenet is lenet5 again
    assert [(one["model"], one["mode"]) for one in told] == [
        ("lenet5", "inference"),
        ("lenet5", "training"),
        ("mlp", "inference"),
    ]
    assert told[0] == {
        **MEASURED.as_dict(),
        "input_shape": [32, 32, 1],
        "quartiles": [0.0035, 0.005],
    }
    assert told[1]["peak_memory"] is None


def test_measurements_are_kept_in_a_csv_file(dlzoo: Dlzoo, answers: Answers) -> None:
    answers["lenet5"] = [MEASURED, TRAINING]
    result = dlzoo("benchmark", "lenet5", "--output", "new/speed.csv")
    assert result.code == 0
    assert result.out.splitlines()[-1] == "measurements: new/speed.csv"
    with Path("new/speed.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["model"], first["mode"], second["mode"]) == ("lenet5", "inference", "training")
    assert first["input_shape"] == "32x32x1"
    assert float(first["samples_per_second"]) == MEASURED.samples_per_second
    assert [float(first[f"{name}_quartile"]) for name in ("first", "third")] == [0.0035, 0.005]
    assert second["peak_memory"] == ""
    again = dlzoo("benchmark", "lenet5", "--output", "new/speed.csv")
    assert again.refusal == "new/speed.csv exists; --overwrite replaces it"  # nothing was measured
    assert dlzoo("benchmark", "lenet5", "--output", "new/speed.csv", "--overwrite").code == 0


def test_what_was_measured_before_a_failure_is_in_the_file(dlzoo: Dlzoo, answers: Answers) -> None:
    answers["lenet5"] = [MEASURED]
    answers["vgg19"] = DlzooError("vgg19 does not fit into memory")
    assert dlzoo("benchmark", "lenet5", "vgg19", "--output", "speed.csv").code == 1
    assert len(Path("speed.csv").read_text().splitlines()) == 2


def test_a_table_fits_a_terminal(
    dlzoo: Dlzoo, answers: Answers, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers["lenet5"] = [MEASURED, TRAINING]
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    assert dlzoo("benchmark", "lenet5").code == 0
    shown = unstyled(terminal.getvalue())
    assert "inference" in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize("as_json", [False, True])
def test_one_models_failure_does_not_lose_what_was_measured_of_others(
    as_json: bool, dlzoo: Dlzoo, answers: Answers
) -> None:
    answers["lenet5"] = [MEASURED]
    answers["vgg19"] = DlzooError("vgg19 does not fit into memory")
    result = dlzoo("benchmark", "vgg19", "lenet5", *["--json"] * as_json)
    assert result.code == 1
    assert "lenet5" in result.out
    assert result.err.splitlines()[-1] == "dlzoo: vgg19 does not fit into memory"


def test_what_cannot_be_built_is_refused(dlzoo: Dlzoo, answers: Answers) -> None:
    answers["resnet50"] = UsageError("the least input is 32×32, got 8×8")
    result = dlzoo("benchmark", "resnet50", "--input-size", 8)
    assert result.code == 2
    assert result.out == ""
    assert result.err.splitlines()[-1] == "dlzoo: the least input is 32×32, got 8×8"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["resnt50"], "unknown model 'resnt50'. Did you mean 'resnet50'?"),
        (["lenet5", "resnt50"], "unknown model 'resnt50'. Did you mean 'resnet50'?"),
        ([], "name a MODEL to measure, or --input-pipeline DATASET"),
        (
            ["mlp", "--batch-size", "0"],
            "Invalid value for '--batch-size': 0 is not in the range x>=1.",
        ),
        (
            ["mlp", "--output", "speed.txt"],
            "--output writes CSV: its name must end in .csv, got 'speed.txt'",
        ),
        (["mlp", "--output", "."], ". is a folder; name a file"),
        (["mlp", "--repeats", "0"], "Invalid value for '--repeats': 0 is not in the range x>=1."),
    ],
)
def test_what_was_mistyped_is_refused_before_anything_is_measured(
    typed: list[str], message: str, dlzoo: Dlzoo
) -> None:
    assert dlzoo("benchmark", *typed).refusal == message


def test_ctrl_c_stops_it(dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.training.benchmark.benchmark", interrupt)
    result = dlzoo("benchmark", "lenet5")
    assert result.code == 130
    assert result.out == ""


def test_a_model_is_measured_for_real(dlzoo: Dlzoo) -> None:
    told = dlzoo("benchmark", "perceptron", "--batch-size", 4, "--repeats", 1, "--json").json
    assert [one["mode"] for one in told] == ["inference", "training"]
    for one in told:
        assert one["model"] == "perceptron"
        assert one["input_shape"] == [2]
        assert one["batch_size"] == one["asked_batch_size"] == 4
        assert one["multiply_adds"] == 2
        assert one["samples_per_second"] > 0
        assert one["seconds"] > 0
        assert 0 < one["share_of_matmul_rate"] < 1


FLOW = pipeline.Flow(
    dataset="iris",
    model="mlp",
    recipe="mlp-iris",
    batch_size=16,
    repeats=3,
    pipeline=100.0,
    quartiles=(90.0, 110.0),
    growth=0,
    device=50.0,
    training=48.0,
)


def test_an_input_pipeline_is_measured_beside_a_model(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "measure_pipeline", lambda *_, **__: FLOW)
    told = dlzoo("benchmark", "--input-pipeline", "iris", "mlp")
    assert told.code == 0
    assert "mlp-iris" in told.out
    assert "device" in told.out
    assert "memory grew by 0 MB" in told.out
    assert dlzoo("benchmark", "--input-pipeline", "iris", "--json").json[0]["pipeline"] == 100.0
    assert "name a MODEL to measure, or --input-pipeline" in dlzoo("benchmark").err
    refused = dlzoo("benchmark", "--input-pipeline", "iris", "--input-size", "8")
    assert (refused.code, "takes --batch-size" in refused.err) == (2, True)
