"""`dlzoo completion`, and what shells get when they ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

import zoo
from cli.options import ASSIGNMENT, MODEL
from recipes import library
from tests.cli.conftest import Dlzoo, Keep
from zoo.datasets.sources import list_sources

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_printed_and_where_it_belongs_is_told(shell: str, dlzoo: Dlzoo) -> None:
    result = dlzoo("completion", shell)
    assert result.code == 0
    assert f"_DLZOO_COMPLETE={shell}_complete" in result.out
    assert result.err.startswith(f"next: dlzoo completion {shell} > ")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_itself_takes_the_script(shell: str, dlzoo: Dlzoo) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    script = dlzoo("completion", shell).out
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Missing argument 'SHELL'. Choose from: bash, zsh, fish"),
        ("bsh", "'bsh' is not one of 'bash', 'zsh', 'fish'. Did you mean 'bash'?"),
    ],
)
def test_another_shell_is_refused(typed: str, message: str, dlzoo: Dlzoo) -> None:
    assert message in dlzoo("completion", *typed.split()).refusal


@pytest.fixture
def complete(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Complete:
    return Complete(dlzoo, monkeypatch, capsys)


class Complete:
    """Asks as bash does and returns the words that it offers."""

    def __init__(
        self,
        dlzoo: Dlzoo,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.dlzoo = dlzoo
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, typed: str) -> list[str]:
        words = typed.split(" ")
        with self.monkeypatch.context() as shell:
            shell.setenv("_DLZOO_COMPLETE", "bash_complete")
            shell.setenv("COMP_WORDS", typed)
            shell.setenv("COMP_CWORD", str(len(words) - 1))
            self.capsys.readouterr()
            with pytest.raises(SystemExit) as caught:
                self.dlzoo()
        assert caught.value.code == 0
        lines = self.capsys.readouterr().out.splitlines()
        return [line.partition(",")[2] for line in lines if line]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dlzoo e", ["evaluate", "export"]),
        ("dlzoo train len", ["lenet5", "lenet5-1998", "lenet"]),
        ("dlzoo info va", ["vae"]),
        ("dlzoo train --recipe mlp-x", ["mlp-xor"]),
        ("dlzoo train mlp --dataset ir", ["iris"]),
        ("dlzoo train --learn", ["--learning-rate"]),
        ("dlzoo train --strategy mi", ["mirrored"]),
        ("dlzoo evaluate latest --split t", ["train", "test"]),
        ("dlzoo recipes sho", ["show", "show-and-tell"]),
        ("dlzoo recipes va", ["vae"]),
        ("dlzoo recipes show vae-d", ["vae-digits"]),
        ("dlzoo datasets show br", ["breast-cancer"]),
        ("dlzoo completion z", ["zsh"]),
        ("dlzoo train qqq", []),
        ("dlzoo train LeNet", ["lenet5", "lenet5-1998", "lenet"]),
        ("dlzoo list --family v", ["vgg", "vae"]),
        ("dlzoo list --task generation", ["generation"]),
        ("dlzoo benchmark --precision mixed", ["mixed_float16", "mixed_bfloat16"]),
    ],
)
def test_words_are_offered_that_begin_so(
    typed: str, offered: list[str], complete: Complete
) -> None:
    assert complete(typed) == offered


@click.command
@click.argument("model", required=False, type=MODEL)
@click.option("--set", "assignments", multiple=True, type=ASSIGNMENT)
def settable(model: str | None, assignments: tuple[str, ...]) -> None:
    """A command with --set."""


def keys(words: list[str], incomplete: str) -> list[str]:
    asked = ShellComplete(settable, {}, "dlzoo", "_DLZOO_COMPLETE")
    return [item.value for item in asked.get_completions(words, incomplete)]


@pytest.mark.parametrize(
    ("model", "incomplete", "offered"),
    [
        (None, "sche", ["schedule=", "schedule.name=", "…"]),
        (None, "regul", ["regularization=", "regularization.name=", "…"]),
        (None, "epo", ["epochs="]),
        (None, "warmup.", ["warmup.epochs=", "warmup.start="]),
        (None, "target.at", ["target.at_least=", "target.at_most="]),
        (None, "data.na", ["data.name="]),
        ("mlp", "arguments.hid", ["arguments.hidden_units="]),
        ("MLP", "optimizer.m", ["optimizer.momentum="]),
        ("lenet", "arguments.hid", []),
        ("gan", "optimizers.d", ["optimizers.discriminator.beta_1=", "…"]),
        (None, "arguments.hidden_units=[1", []),
    ],
)
def test_the_keys_of_a_recipe_are_offered_to_set(
    model: str | None, incomplete: str, offered: list[str]
) -> None:
    words = [model, "--set"] if model else ["--set"]
    found = keys(words, incomplete)
    if offered[-1:] == ["…"]:
        assert set(offered[:-1]) <= set(found)
        assert all(key.startswith(incomplete) for key in found)
    else:
        assert found == offered


def test_every_key_of_every_recipe_can_be_completed() -> None:
    offered = set(keys(["--set"], ""))
    assert {"seed=", "optimizer=", "precision=", "steps_per_execution=", "freeze="} <= offered
    assert "optimizer.learning_rate=" in offered
    assert "callbacks.0.name=" in offered
    assert not {"data=", "target=", "callbacks.name=", "optimizers.name="} & offered


def test_an_unknown_model_does_not_disturb_the_shell() -> None:
    assert keys(["nothing", "--set"], "ep") in ([], ["epochs="])


def test_bash_puts_no_space_behind_a_key(dlzoo: Dlzoo, tmp_path: Path) -> None:
    script = dlzoo("completion", "bash").out
    assert "[[ $value == *= ]] && compopt -o nospace\n" in script
    (tmp_path / "dlzoo").write_text("#!/bin/sh\necho plain,epochs=\n")
    (tmp_path / "dlzoo").chmod(0o755)
    (tmp_path / "script").write_text(
        f"{script}\ncompopt() {{ echo compopt $*; }}\n"
        "COMP_WORDS=(dlzoo train --set epo); COMP_CWORD=3; _dlzoo_completion ./dlzoo\n"
        "echo ${COMPREPLY[@]}\n"
    )
    done = subprocess.run(
        ["bash", "script"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "compopt -o nospace\nepochs=\n", done.stderr


def test_every_name_is_offered_where_nothing_is_typed_yet(complete: Complete) -> None:
    assert set(zoo.list_models()) < set(complete("dlzoo train "))
    assert complete("dlzoo recipes show ") == library.names()
    assert complete("dlzoo datasets show ") == list_sources()


def test_runs_are_offered_from_the_folder_that_is_named(keep: Keep, complete: Complete) -> None:
    assert complete("dlzoo evaluate ") == ["latest"]
    keep("table")
    keep("table", "other-1", folder="there")
    assert complete("dlzoo evaluate ") == ["latest", "mlp-iris-1"]
    assert complete("dlzoo evaluate --run-dir there o") == ["other-1"]
    assert complete("dlzoo train --resume ml") == ["mlp-iris-1"]


PROBE = """
import atexit, sys
heavy = {"keras", "tensorflow"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))
from cli.main import main
main([])
"""


def test_completing_a_model_s_name_does_not_load_tensorflow(tmp_path: Path) -> None:
    asked = {
        "_DLZOO_COMPLETE": "bash_complete",
        "COMP_WORDS": "dlzoo train resnet2",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={**os.environ, **asked},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "plain,resnet20\n"
    assert done.stderr == "[]\n"
