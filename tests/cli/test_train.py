"""`dlzoo train`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recipes import library
from recipes.recipe import Recipe, parse
from tests import tiny
from tests.cli.conftest import Dlzoo, Keep
from zoo.run import Run
from zoo.runs.folder import RunFolder

EPOCH = re.compile(r"epoch (\d)/(\d)  \S.*  +\d+\.\ds  +[\d,]+/s(  \*best)?")
# As a user's shell has it: what our own start of TensorFlow has set here is not in there.
QUIET = {"TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "COLUMNS", "NO_COLOR"}
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in QUIET}


def test_a_training_through_a_pipe_is_one_plain_line_an_epoch(tmp_path: Path) -> None:
    recipe = tmp_path / "lstm.toml"
    recipe.write_text(parse(tiny.LSTM, source="tests/tiny.py").to_toml())
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "train", "--recipe", recipe.name, "--epochs", "2"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    opening, *epochs, closing = done.stdout.splitlines()
    assert re.fullmatch(
        r"[\d,]+ parameters, 14,898 training examples, \w+, float32 -> runs/lstm-languages-1",
        opening,
    )
    found = [EPOCH.fullmatch(line) for line in epochs]
    assert [match and match.groups()[:2] for match in found] == [("1", "2"), ("2", "2")]
    assert "val_accuracy" in epochs[0]
    assert closing.startswith("lstm-languages-1: test accuracy 0.")
    # Nothing of TensorFlow's: only what is about to be done, and what to type next.
    asked, *following = done.stderr.splitlines()
    assert asked.startswith("lstm on languages: 2 epochs, batches of 1024, Adam at 0.01")
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
    assert result.out.startswith("61,706 parameters (11,014 trained), 1,257 training examples, ")


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
    said, command = refusal.split(". To go on: ")
    assert said == "run mlp-iris-1 has finished its epoch"
    assert command == "dlzoo train --resume mlp-iris-1 --epochs 11"


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        (["lenet5"], "model = mlp cannot become lenet5"),
        (["--dataset", "wine"], "data.name = iris cannot become wine"),
        (["--seed", "1"], "seed = 0 cannot become 1"),
        (["--set", "seed=1"], "seed = 0 cannot become 1"),
        (["--batch-size", "3"], "batch_size = 16 cannot become 3"),
        (["--learning-rate", "7"], "optimizer.learning_rate = 0.01 cannot become 7.0"),
        (["--recipe", "mlp-wine"], "data.name = iris cannot become wine"),
        (["--init-from", "other"], "init_from = not set cannot become other"),
        (["--freeze", "hidden*"], "freeze = not set cannot become ['hidden*']"),
    ],
)
def test_a_resumed_run_keeps_its_recipe(
    more: list[str], difference: str, keep: Keep, dlzoo: Dlzoo
) -> None:
    run = keep("table")
    before = {path: path.read_bytes() for path in run.path.rglob("*.*")}
    refusal = dlzoo("train", "--resume", "latest", "--epochs", 3, *more).refusal
    assert refusal.startswith("run mlp-iris-1: ")
    assert difference in refusal
    assert "On --resume, only --epochs (upwards) and the checkpoint settings may change" in refusal
    assert {path: path.read_bytes() for path in run.path.rglob("*.*")} == before


@pytest.mark.parametrize("more", [["--name", "other"], ["--dry-run"]])
def test_what_is_for_new_trainings_is_refused_on_resume(
    more: list[str], keep: Keep, dlzoo: Dlzoo
) -> None:
    keep("table")
    refusal = dlzoo("train", "--resume", "latest", *more).refusal
    assert refusal == f"{more[0]} is for a new training; --resume continues one that is there"


def test_what_a_run_was_trained_by_may_be_repeated_on_resume(keep: Keep, dlzoo: Dlzoo) -> None:
    run = keep("table")
    same = ["mlp", "--dataset", "iris", "--seed", 0]
    assert "has finished its epoch" in dlzoo("train", "--resume", "latest", *same).refusal
    more = ["--epochs", 2, "--keep", 1, "--checkpoint-steps", 3]
    assert dlzoo("train", "--resume", "latest", *same, *more).code == 0
    assert len(Run(run.path).checkpoints) == 1
    told = Run(run.path).recipe.checkpoint
    assert told is not None
    assert (told.steps, told.keep) == (3, 1)


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
    # The run says why it failed, is not the latest, and no next command is advised for it.
    run = RunFolder(Path("runs") / "mlp-diabetes-1")
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure in result.err
    assert "next:" not in result.err


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, keep: Keep) -> dict[str, Any]:
    """What the trainer is asked to do by the next command; nothing is trained."""
    kept: dict[str, Any] = {}
    trained = keep("table", folder="elsewhere")

    def train(recipe: Recipe, **more: Any) -> tuple[Run, None]:
        kept.update(recipe=recipe, **more)
        return trained, None

    monkeypatch.setattr("zoo.training.trainer.train", train)
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
    assert result.err.startswith(
        "mlp on iris: 3 epochs, batches of 8, Adam at 0.5, seed 9, from elsewhere/mlp-iris-1, "
        "a* b frozen\n"
    )


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
    monkeypatch.setattr("zoo.training.trainer.train", lambda recipe, **_: (run, None))
    assert "next: dlzoo generate vae-digits-1\n" in dlzoo("train", "vae").err


@pytest.mark.parametrize("folder", ["runs", "my runs"])
def test_ctrl_c_is_told_with_the_command_that_goes_on(
    folder: str, keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = keep("table", folder=folder)

    def interrupted(recipe: Recipe, *, made: Any, **_: Any) -> None:
        (run.path / "metrics.json").unlink()
        made(run)
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.training.trainer.train", interrupted)
    result = dlzoo("train", "mlp", *([] if folder == "runs" else ["--run-dir", folder]))
    assert result.code == 130
    where = "" if folder == "runs" else " --run-dir 'my runs'"
    assert result.err.splitlines()[-2:] == [
        f"next: dlzoo train --resume mlp-iris-1{where}",
        "dlzoo: stopped",
    ]


def test_ctrl_c_while_resuming_names_the_run_that_was_resumed(
    keep: Keep, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(run: RunFolder, **_: Any) -> None:
        raise KeyboardInterrupt

    old = keep("table", folder="there")
    (keep("table", "newer-1").path / "metrics.json").unlink()
    monkeypatch.setattr("zoo.training.trainer.resume", interrupted)
    result = dlzoo("train", "--resume", old.path)
    assert result.code == 130
    assert f"next: dlzoo train --resume {old.path}\n" in result.err


def test_ctrl_c_before_the_first_epoch_leaves_nothing_to_go_on_with(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("keras.Model.fit", interrupted)
    result = dlzoo("train", "mlp", "--recipe", "mlp-iris")
    assert result.code == 130
    assert "Traceback" not in result.err
    assert result.err.splitlines()[1:] == ["dlzoo: stopped"]
    assert list(Path().iterdir()) == []


def test_sigterm_ends_a_training_as_ctrl_c_does(tmp_path: Path, dlzoo: Dlzoo) -> None:
    typed = ["train", "mlp", "--recipe", "mlp-xor", "--epochs", "100000"]
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", *typed, "--set", "callbacks=[]"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.lstrip().startswith("epoch"):
                process.send_signal(signal.SIGTERM)
                break
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert err.splitlines()[1:] == ["next: dlzoo train --resume mlp-xor-1", "dlzoo: stopped"]
    assert [path.name for path in Path("runs").iterdir()] == ["mlp-xor-1"]
    assert list(Path("runs").rglob(".*")) == []
    told = dlzoo("runs", "show", "latest", "--json").json
    assert told["status"] == "unfinished"
    assert told["sessions"][0]["outcome"] == "stopped"
    fewer = dlzoo("train", "--resume", "mlp-xor-1", "--epochs", told["epochs_done"] + 1)
    assert "is a training of 100000 epochs, which can only be raised" in fewer.refusal
    recipe = Path("runs/mlp-xor-1/recipe.toml")
    shorter = f"epochs = {told['epochs_done'] + 1}\n"
    recipe.write_text(recipe.read_text().replace("epochs = 100000\n", shorter))
    assert dlzoo("train", "--resume", "mlp-xor-1").code == 0


def stopped_by(folder: Path, signals: int, *more: str) -> tuple[int, list[str]]:
    """Press Ctrl-C so often in a training in a process of its own; return its code and stderr."""
    typed = ["train", "--recipe", "mlp-xor", "--epochs", "1000000", "--set", "callbacks=[]"]
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", *typed, *more],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, a shell has Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.lstrip().startswith("epoch"):
                    break
            for _ in range(signals):
                process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, err.splitlines()[1:]


def test_the_first_ctrl_c_saves_the_step_and_names_its_own_run(
    tmp_path: Path, keep: Keep, dlzoo: Dlzoo
) -> None:
    code, said = stopped_by(tmp_path, 1)
    assert (code, said) == (
        130,
        [
            "finishing the step and writing a checkpoint; Ctrl-C again stops at once",
            "next: dlzoo train --resume mlp-xor-1",
            "dlzoo: stopped",
        ],
    )
    run = RunFolder(Path("runs/mlp-xor-1"))
    assert run.checkpoints
    assert run.sessions[-1]["outcome"] == "stopped"


def test_a_run_may_be_given_a_name(dlzoo: Dlzoo) -> None:
    typed = ["train", "mlp", "--recipe", "mlp-xor", "--epochs", 1, "--name", "lesson.1"]
    result = dlzoo(*typed)
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1].startswith("lesson.1: test accuracy ")
    assert result.err.splitlines()[1] == "next: dlzoo evaluate lesson.1"
    assert [path.name for path in Path("runs").iterdir()] == ["lesson.1"]
    assert dlzoo(*typed).refusal == "there is a run runs/lesson.1 already"


def test_the_next_commands_find_the_run_and_quote_spaces(dlzoo: Dlzoo) -> None:
    result = dlzoo("train", "mlp", "--recipe", "mlp-xor", "--epochs", 1, "--run-dir", "my runs")
    assert result.err.splitlines()[1:] == [
        "next: dlzoo evaluate mlp-xor-1 --run-dir 'my runs'",
        "      dlzoo export mlp-xor-1 --run-dir 'my runs'",
    ]


@pytest.fixture
def rehearsal(dlzoo: Dlzoo) -> Any:
    """Type a training of ten steps an epoch that is only tried out."""
    size = ["--batch-size", 11, "--epochs", 7]
    return lambda *more: dlzoo("train", "mlp", "--recipe", "mlp-iris", *size, "--dry-run", *more)


def test_a_dry_run_tells_what_a_training_would_be_and_leaves_nothing(rehearsal: Any) -> None:
    result = rehearsal()
    assert result.code == 0, result.err
    told = dict(re.split(r"  +", line, maxsplit=1) for line in result.out.splitlines())
    assert told["inputs"] == "features (4,)"
    assert told["parameters"] == "131 (131 trained)"
    assert told["examples"] == "105 in 10 steps of 11"
    assert re.fullmatch(r"[\d,]+ MB at most so far", told["memory"])
    assert re.fullmatch(r"\d+\.\d\d s without validation", told["an epoch"])
    assert told["the training"].startswith("7 epochs, about 0.")
    assert result.err == "mlp on iris: 7 epochs, batches of 11, Adam at 0.01, seed 0\n"
    assert list(Path().iterdir()) == []


def test_a_dry_run_in_json(rehearsal: Any) -> None:
    told = rehearsal("--json").json
    assert told["inputs"] == {"features": [4]}
    assert (told["model"], told["dataset"], told["epochs"]) == ("mlp", "iris", 7)
    assert (told["parameters"], told["steps"], told["batch_size"]) == (131, 10, 11)
    assert told["seconds_per_epoch"] > 0
    assert list(Path().iterdir()) == []


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
        ("mlp --set data.image_sise=8", "'data.image_sise'. Did you mean 'data.image.size'?"),
        ("mlp --set data.image_size=8", "data.image_size: write data.image.size"),
        ("mlp --set data.image.sise=8", "data.image.sise: unknown key. Did you mean 'size'?"),
        ("mlp --set data.text.length=8", "unknown column of digits 'text'. There are: image, "),
        ("mlp --set epochs", "--set takes KEY=VALUE"),
        ("mlp --set epochs=0", "epochs: must be at least 1, got 0"),
        ("mlp --set optimizer.learning_rate=-1", "learning_rate must be a number above 0, got -1"),
        ("mlp --set batch_size=2.5", "batch_size: must be 'full' or a whole number, got 2.5"),
        ("mlp --set arguments.hidden_units=16", "arguments.hidden_units must be a list, got 16"),
        ("--recipe mlp-iris --set model=resnt", "unknown model 'resnt'. Did you mean 'resnet'?"),
        ("mlp --epochs 0", "'--epochs': 0 is not in the range"),
        ("mlp --epochs ten", "'--epochs': 'ten' is not a valid integer"),
        ("mlp --batch-size 0", "'0' is neither 'full' nor a whole number above 0"),
        ("mlp --batch-size half", "'half' is neither 'full' nor a whole number above 0"),
        ("mlp --learning-rate 0", "'--learning-rate': 0.0 is not in the range"),
        ("mlp --seed -1", "'--seed': -1 is not in the range"),
        ("mlp --devices 0", "'--devices': 0 is not in the range"),
        ("mlp --strategy miror", "'miror' is not one of 'auto', 'one-device', 'mirrored', 'multi"),
        ("mlp --strategy mirored", "Did you mean 'mirrored'?"),
        ("mlp --precision float16", "'float16' is not one of"),
        ("mlp --init-from imagenet", "there are no imagenet weights for mlp, only for vgg16, "),
        ("mlp --init-from latest", "init_from: there are no runs in runs."),
        ("mlp --init-from mine.h5", "files that end in .keras or .weights.h5, got mine.h5"),
        ("lenet5 --dataset iris", "lenet5 does image-classification and reads images; iris gives"),
        ("lenet5 --recipe mlp-iris", "that recipe is for mlp, not for lenet5."),
        ("mlp --batch-size 33 --devices 2", "cannot be shared evenly by 2 devices; try --batch"),
        ("mlp --run-dir taken/runs", "cannot make the folder taken/runs: "),
        ("mlp --name latest", "a run's name may have letters, digits, '.', '_' and"),
        ("mlp --name ../mine", "a run's name may have letters, digits, '.', '_' and"),
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

    monkeypatch.setattr("zoo.training.trainer.train", begun)
    assert message in dlzoo("train", *typed.split()).refusal
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("lenet5 --set model=mlp", "model is given twice: lenet5 and, by --set, model=mlp"),
        (
            "mlp --dataset iris --set data.name=wine",
            "data.name is given twice: iris and, by --set, data.name=wine",
        ),
        ("mlp --set epochs=3 --epochs 2", "epochs is given twice: 2 and, by --set, epochs=3"),
        (
            "mlp --learning-rate 0.1 --set optimizer.learning_rate=0.2",
            "optimizer.learning_rate is given twice: 0.1 and, by --set, "
            "optimizer.learning_rate=0.2",
        ),
    ],
)
def test_what_is_said_twice_must_agree(typed: str, message: str, dlzoo: Dlzoo) -> None:
    assert dlzoo("train", *typed.split()).refusal == message


def test_a_model_that_cannot_read_the_data_says_what_it_reads_and_which_models_do(
    dlzoo: Dlzoo,
) -> None:
    refusal = dlzoo("train", "mlp", "--dataset", "languages").refusal
    said, instead = refusal.split(". ")
    assert said == (
        "mlp does classification and reads images or tables of numbers; languages gives a text"
    )
    assert "lstm" in instead


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
def test_what_only_keras_knows_to_be_wrong_is_told_by_name_and_leaves_nothing(
    option: str, message: str, dlzoo: Dlzoo
) -> None:
    result = dlzoo("train", "--recipe", "mlp-iris", "--set", option)
    assert result.code == 2
    assert "Traceback" not in result.err
    described, *errors = result.err.splitlines()
    assert described.startswith("mlp on iris: ")
    assert len(errors) == 1
    assert message in errors[0]
    assert list(Path().iterdir()) == []
