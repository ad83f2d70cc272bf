"""`dlzoo train`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recipes import library
from recipes.recipe import Recipe, parse
from tests import tiny
from tests.cli.conftest import Dlzoo, Keep
from zoo.runs import Run

EPOCH = re.compile(r"epoch (\d)/(\d)  \S.*  \d+\.\ds  [\d,]+/s(  \*best)?")


def test_a_training_through_a_pipe_is_one_plain_line_an_epoch(tmp_path: Path) -> None:
    recipe = tmp_path / "lstm.toml"
    recipe.write_text(parse(tiny.LSTM, source="tests/tiny.py").to_toml())
    # As a user's shell has it: what our own start of TensorFlow has set here is not in there.
    quiet = {"TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "COLUMNS", "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "train", "--recipe", recipe.name, "--epochs", "2"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key not in quiet},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    opening, *epochs, closing = done.stdout.splitlines()
    assert opening.startswith("lstm (")
    assert opening.endswith("-> runs/lstm-languages-1")
    found = [EPOCH.fullmatch(line) for line in epochs]
    assert [match and match.groups()[:2] for match in found] == [("1", "2"), ("2", "2")]
    assert "val_accuracy" in epochs[0]
    assert closing.startswith("lstm-languages-1: test accuracy 0.")
    # Nothing of TensorFlow's: only what is about to be done, and what to type next.
    asked, *following = done.stderr.splitlines()
    assert asked.startswith("lstm-languages: ")
    assert following == [
        "next: dlzoo evaluate lstm-languages-1",
        "      dlzoo export lstm-languages-1",
    ]
    assert (tmp_path / "runs" / "lstm-languages-1" / "model.keras").is_file()


def test_json_is_the_scores_and_progress_goes_to_standard_error(dlzoo: Dlzoo) -> None:
    result = dlzoo("train", "--recipe", "mlp-xor", "--epochs", 2, "--json")
    told = result.json
    assert told["run"] == "runs/mlp-xor-1"
    assert told["epochs"] == 2
    assert told["test"].keys() == {"accuracy", "loss"}
    assert told["score"]["value"] == told["test"]["accuracy"]
    assert told["score"]["target"] == "accuracy ≥ 1"
    assert [bool(EPOCH.fullmatch(line)) for line in result.err.splitlines()].count(True) == 2
    assert Run(Path(told["run"])).metrics["test"] == told["test"]


def test_weights_to_start_from_and_what_is_not_trained_are_told(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("image")
    options = ["--epochs", 1, "--batch-size", 256, "--init-from", "latest", "--freeze", "C*"]
    result = dlzoo("train", "lenet5", *options)
    assert result.code == 0, result.err
    asked, loaded, *_ = result.err.splitlines()
    assert asked.endswith(", seed 0, from runs/lenet5-digits-1, C* frozen")
    assert loaded == "weights of runs/lenet5-digits-1/model.keras: 5 layers loaded"
    assert result.out.startswith("lenet5 (61,706 parameters, 11,014 trained) on digits (")


def test_a_finished_run_goes_on_when_more_epochs_are_asked_for(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("table")
    result = dlzoo("train", "--resume", "latest", "--epochs", 2)
    assert result.code == 0, result.err
    lines = [line for line in result.out.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in lines] == ["2/2"]
    assert Run(run.path).history["epoch"] == [1.0, 2.0]
    assert [path.name for path in Path("runs").iterdir()] == [run.name]


def test_a_finished_run_is_told_how_to_go_on(keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    refusal = dlzoo("train", "--resume", "latest").refusal
    assert refusal.startswith("run mlp-iris-1 has finished its 1 epochs.")
    assert "dlzoo train --resume mlp-iris-1 --epochs " in refusal


@pytest.mark.parametrize(
    "more",
    [
        *(["mlp"], ["--seed", "1"], ["--set", "seed=1"], ["--recipe", "mlp-iris"]),
        *(["--init-from", "mlp-iris-1"], ["--freeze", "hidden*"]),
    ],
)
def test_a_resumed_run_keeps_its_recipe(more: list[str], keep: Keep, dlzoo: Dlzoo) -> None:
    keep("table")
    refusal = dlzoo("train", "--resume", "latest", *more).refusal
    assert refusal == "--resume goes on by the run's own recipe; only --epochs may change"


def test_a_loss_that_is_no_number_stops_with_what_to_try(dlzoo: Dlzoo) -> None:
    result = dlzoo("train", "mlp", "--recipe", "mlp-diabetes", "--learning-rate", 1e38)
    assert result.code == 1
    said = re.fullmatch(
        r"dlzoo: loss is (nan|inf) in epoch 1 at a learning rate of (\S+)\. "
        r"Try --learning-rate (\S+), --set .*",
        result.err.splitlines()[-1],
    )
    assert said is not None, result.err
    assert float(said[3]) == pytest.approx(float(said[2]) / 10, rel=0.5)
    assert "Traceback" not in result.err
    assert not (Path("runs") / "mlp-diabetes-1" / "model.keras").exists()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, keep: Keep) -> dict[str, Any]:
    """What the trainer is asked to do by the next command; nothing is trained."""
    kept: dict[str, Any] = {}
    trained = keep("table", folder="elsewhere")

    def train(recipe: Recipe, **more: Any) -> Run:
        kept.update(recipe=recipe, **more)
        return trained

    monkeypatch.setattr("zoo.training.trainer.run_recipe", train)
    return kept


def test_without_options_the_model_s_own_recipe_is_trained(
    asked: dict[str, Any], dlzoo: Dlzoo
) -> None:
    assert dlzoo("train", "resnet").code == 0
    assert asked["recipe"] == library.load("resnet20-digits")
    assert asked["run_dir"] == Path("runs")


def test_every_option_arrives_in_the_recipe(asked: dict[str, Any], dlzoo: Dlzoo) -> None:
    options = ["--epochs", 3, "--batch-size", 8, "--learning-rate", 0.5, "--seed", 9]
    options += ["--strategy", "mirrored", "--devices", 2, "--precision", "mixed_bfloat16"]
    options += ["--init-from", "elsewhere/mlp-iris-1", "--freeze", "a*", "--freeze", "b"]
    options += ["--set", "optimizer.beta_1=0.5", "--set", "arguments.hidden_units=[4, 4]"]
    result = dlzoo("train", "mlp", "--recipe", "mlp-iris", *options, "--run-dir", "there")
    assert result.code == 0, result.err
    recipe = asked["recipe"]
    assert (recipe.epochs, recipe.batch_size, recipe.seed) == (3, 8, 9)
    assert (recipe.strategy, recipe.devices, recipe.precision) == ("mirrored", 2, "mixed_bfloat16")
    assert recipe.optimizer.arguments == {"learning_rate": 0.5, "beta_1": 0.5}
    assert recipe.arguments["hidden_units"] == [4, 4]
    assert (recipe.init_from, recipe.freeze) == ("elsewhere/mlp-iris-1", ["a*", "b"])
    assert asked["run_dir"] == Path("there")
    assert result.err.startswith("mlp-iris: 3 epochs of batches of 8 examples, Adam at 0.5, seed 9")


@pytest.mark.parametrize("size", ["full", "1"])
def test_all_forms_of_gradient_descent_can_be_asked_for(
    size: str, asked: dict[str, Any], dlzoo: Dlzoo
) -> None:
    assert dlzoo("train", "mlp", "--dataset", "iris", "--batch-size", size).code == 0
    assert asked["recipe"].batch_size == ("full" if size == "full" else 1)
    assert asked["recipe"].data.name == "iris"


def test_a_file_is_laid_over_the_model_s_recipe(asked: dict[str, Any], dlzoo: Dlzoo) -> None:
    Path("mine.toml").write_text("epochs = 7\n[optimizer]\nlearning_rate = 0.25\n")
    assert dlzoo("train", "vae", "--recipe", "mine.toml").code == 0
    assert asked["recipe"].epochs == 7
    assert asked["recipe"].model == "vae"
    assert asked["recipe"].optimizer.arguments["learning_rate"] == 0.25


def test_after_a_training_the_next_commands_name_the_run(
    asked: dict[str, Any], dlzoo: Dlzoo
) -> None:
    result = dlzoo("train", "mlp")
    path = Path("elsewhere") / "mlp-iris-1"
    assert result.out.startswith("mlp-iris-1: test accuracy 0.")
    assert "(target accuracy ≥ 0.93, missed)" in result.out
    assert result.out.endswith(f"{path}\n")
    assert f"next: dlzoo evaluate {path}\n" in result.err


def test_after_a_generator_the_next_command_is_generate(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = keep("vae")
    monkeypatch.setattr("zoo.training.trainer.run_recipe", lambda recipe, **_: run)
    assert "next: dlzoo generate vae-digits-1\n" in dlzoo("train", "vae").err


def test_ctrl_c_is_told_with_the_command_that_goes_on(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(recipe: Recipe, **_: Any) -> Run:
        (keep("table").path / "metrics.json").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.training.trainer.run_recipe", interrupted)
    result = dlzoo("train", "mlp")
    assert result.code == 130
    assert "next: dlzoo train --resume mlp-iris-1\n" in result.err


def test_ctrl_c_while_resuming_names_the_run_that_was_resumed(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(run: Run, **_: Any) -> Run:
        raise KeyboardInterrupt

    old = keep("table", folder="there")
    (keep("table", "newer-1").path / "metrics.json").unlink()
    monkeypatch.setattr("zoo.training.trainer.resume", interrupted)
    result = dlzoo("train", "--resume", old.path)
    assert result.code == 130
    assert f"next: dlzoo train --resume {old.path}\n" in result.err


def test_ctrl_c_before_the_first_epoch_is_not_a_failure_of_ours(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(recipe: Recipe, **_: Any) -> Run:
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.training.trainer.run_recipe", interrupted)
    result = dlzoo("train", "mlp")
    assert result.code == 130
    assert "Traceback" not in result.err
    assert result.err.endswith("dlzoo: stopped\n")


BROKEN = {
    "unknown.toml": 'model = "mlp"\nepochs = 1\nbatchsize = 3\n[data]\nname = "iris"\n',
    "broken.toml": "model = ",
    "latin.toml": "# caf\xe9",
    "empty.toml": "",
}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "name a MODEL to train"),
        ("resnt", "unknown model 'resnt'. Did you mean 'resnet'?"),
        ("mlp --recipe mlp-irs", "unknown recipe 'mlp-irs'. Did you mean 'mlp-iris'?"),
        ("mlp --dataset digts", "unknown data set 'digts'. Did you mean 'digits'?"),
        ("mlp --recipe missing.toml", "cannot read missing.toml: No such file"),
        ("mlp --recipe ./", "cannot read .: Is a directory"),
        ("--recipe unknown.toml", "unknown key 'batchsize'. Did you mean 'batch_size'?"),
        ("--recipe broken.toml", "broken.toml is not TOML: "),
        ("--recipe latin.toml", "latin.toml is not TOML: "),
        ("--recipe empty.toml", "name a model to train"),
        ("mlp --set epocks=3", "unknown key 'epocks'. Did you mean 'epochs'?"),
        ("mlp --set data.image_sise=8", "'data.image_sise'. Did you mean 'image_size'?"),
        ("mlp --set epochs", "--set takes KEY=VALUE"),
        ("mlp --set epochs=0", "epochs: input should be greater than or equal to 1, got 0"),
        ("mlp --set optimizer.learning_rate=-1", "learning_rate must be a number above 0, got -1"),
        ("mlp --set batch_size=2.5", "batch_size: must be 'full' or a whole number, got 2.5"),
        ("mlp --set model=resnt", "unknown model 'resnt'. Did you mean 'resnet'?"),
        ("mlp --epochs 0", "'--epochs': 0 is not in the range"),
        ("mlp --epochs ten", "'--epochs': 'ten' is not a valid integer"),
        ("mlp --batch-size 0", "'0' is neither 'full' nor a whole number above 0"),
        ("mlp --batch-size half", "'half' is neither 'full' nor a whole number above 0"),
        ("mlp --learning-rate 0", "'--learning-rate': 0.0 is not in the range"),
        ("mlp --seed -1", "'--seed': -1 is not in the range"),
        ("mlp --devices 0", "'--devices': 0 is not in the range"),
        ("mlp --strategy miror", "'miror' is not one of 'auto', 'one-device', 'mirrored'."),
        ("mlp --strategy mirored", "Did you mean 'mirrored'?"),
        ("mlp --precision float16", "'float16' is not one of"),
        ("mlp --init-from imagenet", "there are no imagenet weights for mlp, only for vgg16, "),
        ("mlp --init-from latest", "init_from: there are no runs in runs."),
        ("mlp --init-from mine.h5", "files that end in .keras or .weights.h5, got mine.h5"),
        ("lenet5 --dataset iris", "lenet5 does image-classification on image data; iris is"),
        ("lenet5 --recipe mlp-iris", "that recipe is for mlp, not for lenet5."),
        ("mlp --batch-size 33 --devices 2", "cannot be shared evenly by 2 devices; try --batch"),
        ("mlp --run-dir taken/runs", "cannot make the folder taken/runs: "),
        ("--resume mlp-iris-1", "there are no runs in runs."),
    ],
)
def test_wrong_input_is_told_in_one_line_before_anything_is_made(
    typed: str, message: str, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in BROKEN.items():
        Path(name).write_bytes(text.encode("latin-1"))
    Path("taken").touch()

    def begun(*_: Any, **__: Any) -> None:
        raise AssertionError("the trainer was started")

    monkeypatch.setattr("zoo.training.trainer.run_recipe", begun)
    assert message in dlzoo("train", *typed.split()).refusal
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("arguments.hiden_units=[4]", "takes no argument 'hiden_units'. Did you mean 'hidden_"),
        ("arguments.hidden_units=[0]", "hidden_units must all be positive, got (0,)"),
        ("optimizer.name=Adm", "unknown optimizer 'Adm'. Did you mean 'Adam'?"),
        ("optimizer.momentun=0.9", "takes no argument 'momentun'."),
        ("loss.name=CategoricalCrosentropy", "Did you mean 'CategoricalCrossentropy'?"),
        ("callbacks.0.name=EarlyStoping", "Did you mean 'EarlyStopping'?"),
        ("callbacks.0.monitor=val_los", "watches 'val_los', which nothing computes. Did you mean"),
        ("metrics=['AUCC']", "unknown metric 'AUCC'. Did you mean 'AUC'?"),
    ],
)
def test_what_only_keras_knows_to_be_wrong_is_told_by_name(
    option: str, message: str, dlzoo: Dlzoo
) -> None:
    result = dlzoo("train", "--recipe", "mlp-iris", "--set", option)
    assert result.code == 2
    assert "Traceback" not in result.err
    described, *errors = result.err.splitlines()
    assert described.startswith("mlp-iris: ")
    assert len(errors) == 1
    assert message in errors[0]
