"""The README tells the truth: every command in it runs, and its table is the catalogue's."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import zoo
from cli import doctor
from cli.main import run
from recipes.recipe import Recipe
from tests import own, tiny
from tests.conftest import here
from tests.readme import table
from zoo.datasets.sources import is_own
from zoo.run import Run
from zoo.training import benchmark, launcher, trainer
from zoo.training.progress import Silent

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)

STEP = ["--set", "steps_per_execution=1"]  # several are traced twice
# What makes a command quick comes last, and wins. By the command's first words, the longest first.
QUICK = {
    "train --resume": ["--epochs", "2"],
    "train lenet5 --dry-run": ["--batch-size", "full"],
    "train resnet20 --dataset": ["--epochs", "1", "--set", "data.image.size=8", *STEP],
    "train": ["--epochs", "1"],
    "benchmark": ["--repeats", "1", "--batch-size", "8"],
    "runs rm": ["--yes"],
    "serve": ["--port", "0"],
}
# Models whose trainings here are copies of a run that other tests share.
SHARED = {
    "lenet5": "image",
    "lstm": "text",
    "word2vec": "words",
    "vae": "vae",
    "gan": "gan",
    "ddpm": "ddpm",
}


def test_its_commands_are_those_of_dlzoo_and_make() -> None:
    assert len(COMMANDS) > 20
    assert {shlex.split(command)[0] for command in COMMANDS} == {"dlzoo", "make"}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make")])
def test_its_make_targets_exist(command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *shlex.split(command)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "dlzoo train resnet --epochs 20" in done.stdout or "train" not in command


@pytest.mark.parametrize(
    ("shell", "options"), [("bash", []), ("zsh", ["-f"]), ("fish", ["--no-config"])]
)
def test_a_shell_reads_its_commands_as_they_are_meant(
    shell: str, options: list[str], tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    # printf puts a line for each word; an unquoted wildcard ends zsh with "no matches found".
    script = "\n".join(f"printf '%s\\n' {command}; printf '\\n'" for command in COMMANDS)
    done = subprocess.run(
        [shell, *options, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    read = [part.splitlines() for part in done.stdout.removesuffix("\n\n").split("\n\n")]
    assert read == [shlex.split(command) for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_shell_would_expand_is_quoted(command: str) -> None:
    bare = re.sub(r"'[^']*'", "", command)
    assert not set("*?[]{}~$!;&|<>()#`\\") & set(bare)


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A ResNet-20 of one epoch on small images."""
    return zoo.train(
        "resnet",
        epochs=1,
        batch_size=256,
        overrides={**tiny.STEP, "data.image.size": [8, 8]},
        run_dir=tmp_path_factory.mktemp("resnet"),
        reporter=Silent(),
    )


@pytest.fixture
def in_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resnet: Run, shared_run_dir: Path
) -> Path:
    """An empty folder, in which most trainings put a copy of a run that is there already."""
    train = trainer.train
    stand_ins = {model: tiny.run(kind, shared_run_dir) for model, kind in SHARED.items()}
    stand_ins["resnet20"] = resnet

    def quick(
        recipe: Recipe, *, run_dir: Path, name: str | None = None, **more: Any
    ) -> tuple[Any, Any]:
        if recipe.model not in stand_ins or is_own(recipe.data.name):
            return train(recipe, run_dir=run_dir, name=name, **more)
        if recipe.model == "lenet5":  # changed by options: all up to the first step must fit
            with trainer.ready(recipe):
                pass
        trained = stand_ins[recipe.model]
        number = 1 + len(list(run_dir.glob(f"{recipe.name}-*")))
        copied = tiny.copy(trained, run_dir, name or f"{recipe.name}-{number}")
        environment = copied.path / "environment.json"
        values = {**json.loads(environment.read_text()), "started": time.time()}
        environment.write_text(json.dumps(values))  # so that `latest` is this one
        return copied, SimpleNamespace(dataset=trained.dataset)

    own.spoil(own.photos(tmp_path / "photos", 14, splits=True))
    own.people(tmp_path / "people.csv")
    monkeypatch.setattr(trainer, "train", quick)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let commands start no process that loads TensorFlow again; return what was launched.

    `dlzoo launch` is run by tests/zoo/training/test_workers.py, what `dlzoo doctor` imports by
    tests/cli/test_doctor.py, a measurement in a process of its own by
    tests/zoo/base/test_processes.py, and a server that runs by tests/cli/test_serve.py.
    """
    launched: list[Any] = []

    def launch(*arguments: Any, **_: Any) -> int:
        launched.append(arguments)
        return 0

    monkeypatch.setattr(launcher, "launch", launch)
    monkeypatch.setattr(benchmark, "run_apart", here)
    monkeypatch.setattr(doctor, "FEATURES", {})
    monkeypatch.setattr(
        "uvicorn.Server.run", lambda server, sockets: launched.append(sockets[0].getsockname()[0])
    )
    return launched


def test_its_commands_run_in_order_in_an_empty_folder(
    in_a_new_folder: Path,
    in_this_process: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    for command in COMMANDS:
        program, *words = shlex.split(command)
        if program != "dlzoo":
            continue
        typed = " ".join(words)
        more = next((more for start, more in QUICK.items() if typed.startswith(start)), [])
        # The photographs are made with errors, which the check finds.
        expected = 1 if typed == "datasets check folder:photos" else 0
        assert run([*words, *more]) == expected, f"{command}: {capsys.readouterr().err}"
    served_at, launched = in_this_process
    assert launched[1] == ("train", "lenet5")
    assert served_at == "127.0.0.1"
    for picture in ("digits.png", "compare.png", "grid.png", "photos.png"):
        assert (in_a_new_folder / picture).read_bytes().startswith(b"\x89PNG")
    for name in ("mlp-csv-people.csv-1", "resnet20-folder-photos-1", "lenet5-folder-photos-1"):
        found = zoo.load(name)
        assert found.finished  # and trained here: these are no copies
        assert sum(found.spec.sizes.values()) == sum(map(len, (found.splits or {}).values()))
        assert list(Path("exports", found.recipe.name).glob("*/saved_model.pb"))
    with Path("classes.csv").open(newline="", encoding="utf-8") as file:
        asked = [row["input"] for row in csv.DictReader(file)]
    assert sorted(asked) == sorted(map(str, Path("photos/test").glob("*/*")))


def test_its_python_runs(in_a_new_folder: Path) -> None:
    block = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert block is not None
    code = compile(block[1], "README.md", "exec")
    exec(code, {"images": np.zeros((2, 8, 8))})  # noqa: S102  (our own README)


def test_its_table_is_made_from_the_catalogue_and_the_recipes_headers() -> None:
    between = re.search(r"<!-- zoo -->\n(.*?)\n<!-- /zoo -->", README, re.DOTALL)
    assert between is not None
    assert between[1] == table(), "print it with: python -m tests.readme"


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{n.name}" for n in (ROOT / "docs").glob("*.md"))],
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
