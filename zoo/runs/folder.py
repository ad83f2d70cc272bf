"""One training's folder: its files, history and scores. `zoo.run` has what can be done with it."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from recipes.library import load_file
from recipes.recipe import Recipe
from zoo.base.errors import DlzooError, StorageError, UsageError, suggestion
from zoo.base.files import (
    claimed,
    is_claimed,
    is_file,
    is_folder,
    remove_leftovers,
    rename_durably,
    temporary_name,
    writable_folder,
    write_text,
)

RUNS = Path("runs")
"""Where runs are kept unless another folder is named."""
CHECKPOINTS = Path("checkpoints")
"""In a run: what a resumed training starts from, with the best epoch's weights."""
SPLITS_FILE = "splits.csv"
"""In a run on a source of the user's own: each example's split."""
SKIPPED_FILE = "skipped.csv"
"""In such a run: what could not be read and was left out, with the reason."""
MODEL = Path("model.keras")
"""In a run: the trained model."""


class RunFolder:
    """One training's folder.

    ``recipe.toml`` repeats the training, ``data.json`` holds what was fitted on the data,
    ``model.keras`` is the trained model, ``history.csv`` has one line for each epoch and repeats
    to the bit, ``timing.csv`` has each epoch's seconds, ``metrics.json`` the scores,
    ``environment.json`` where, when and by which commands, ``checkpoints/`` what a resumed
    training starts from and the best epoch's weights, ``figures/`` pictures of the data files,
    ``README.md`` the card.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.removed = False
        """Whether this process has removed it: by now the name may be another's."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def reference(self) -> str:
        """What commands know it by: its name, or its folder if it is not kept under `RUNS`."""
        return self.name if self.path.parent == RUNS else str(self.path)

    def command(self, words: str, more: str = "") -> str:
        """Return a `dlzoo` command about the run that can be pasted into a shell."""
        return f"dlzoo {words} {shlex.quote(self.reference)} {more}".rstrip()

    @property
    def finished(self) -> bool:
        """Whether the training came to its end: to that of its recipe, if epochs were added."""
        if not is_file(self.path / "metrics.json"):
            return False
        with suppress(DlzooError):  # damage is told by whoever reads on
            return bool(self._json("metrics.json").get("of_epochs", self._epochs) == self._epochs)
        return True

    @property
    def _epochs(self) -> int:
        # Read anew, for a training that goes on changes it.
        return load_file(self.path / "recipe.toml").epochs

    @property
    def checkpoints(self) -> list[Path]:
        """What a training can be resumed from, the newest last."""
        return sorted((self.path / CHECKPOINTS).glob("step-*.npz"))

    def checkpoint_path(self, step: int) -> Path:
        """Return the name of the checkpoint after a step, counted over all epochs."""
        return self.path / CHECKPOINTS / f"step-{step:012d}.npz"

    @property
    def training_seconds(self) -> float:
        """How long its epochs took, without validation and checkpoints."""
        timing = self._columns("timing.csv") or self.history  # where it stood in earlier versions
        return sum(timing.get("seconds", []))

    @property
    def epochs_done(self) -> int:
        """How many epochs are finished."""
        return len(self.history.get("epoch", []))

    @property
    def failure(self) -> str | None:
        """Why the last training of it failed, in one line, or None."""
        sessions = self.sessions
        if self.finished or not sessions or sessions[-1].get("outcome") != "failed":
            return None
        return str(sessions[-1].get("reason", "for an unknown reason"))

    @property
    def status(self) -> str:
        """``"finished"``, ``"failed"``, ``"training"``, ``"unfinished"`` or ``"damaged"``."""
        try:
            _ = self.recipe, self.history, self.sessions
            if self.finished:
                return "finished" if self.score is not None else "damaged"
            if self.is_training:
                return "training"
            return "unfinished" if self.failure is None else "failed"
        except UsageError:
            return "damaged"

    @property
    def is_training(self) -> bool:
        """Whether a process is training it now."""
        return is_claimed(self.path)

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe that was trained from."""
        path = self._existing("recipe.toml")
        try:
            return load_file(path)
        except UsageError as error:
            raise StorageError(f"run {self.name} is damaged: {error}") from None

    @property
    def data(self) -> str:
        """The text of data.json: the data set's spec."""
        return self._text("data.json")

    @property
    def splits(self) -> dict[str, list[str]] | None:
        """What the examples of each split are called, for a source of the user's own, or None."""
        path = self.path / SPLITS_FILE
        if not is_file(path):
            return None
        found: dict[str, list[str]] = {}
        try:
            with path.open(encoding="utf-8", newline="", errors="surrogateescape") as file:
                rows = csv.DictReader(file, strict=True)
                for row in rows:
                    if None in row.values():
                        raise ValueError(f"line {rows.line_num} ends early")
                    found.setdefault(row["split"], []).append(row["example"])
        except (ValueError, KeyError, OSError, csv.Error) as error:
            raise StorageError(f"run {self.name} is damaged: {path}: {error}") from None
        return found

    @property
    def metrics(self) -> dict[str, Any]:
        """The scores that were measured when the training ended."""
        self._require_finished()
        return self._json("metrics.json")

    @property
    def score(self) -> tuple[str, float] | None:
        """The quoted score by name: of its recipe's target, or else the task's headline."""
        try:
            score = self.metrics["score"]
            return str(score["metric"]), float(score["value"])
        except (DlzooError, KeyError, TypeError, ValueError):
            return None

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, devices, commit, seed, and the ``sessions``: each command that trained it."""
        return self._json("environment.json")

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Each command that trained it: ``command``, ``date``, ``from_epoch``, ``outcome``."""
        found = self.environment.get("sessions", [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            path = self.path / "environment.json"
            raise StorageError(f"run {self.name} is damaged: {path}: sessions must be tables")
        return found

    @property
    def history(self) -> dict[str, list[float]]:
        """Each column of history.csv by name; empty before the first epoch ends."""
        return self._columns("history.csv")

    def _columns(self, name: str) -> dict[str, list[float]]:
        path = self.path / name
        if not is_file(path):
            return {}
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            return {key: [float(row[key]) for row in rows] for key in rows[0]} if rows else {}
        except (ValueError, TypeError, KeyError, OSError, csv.Error) as error:
            raise StorageError(f"run {self.name} is damaged: {path}: {error}") from None

    @property
    def model_file(self) -> Path:
        """Where the trained model is; its weights can be built with and started from."""
        self._require_finished()
        return self._existing(MODEL.name)

    def begin_session(self, session: dict[str, Any]) -> None:
        """Note a command that goes on with the training."""
        values = self.environment
        values["sessions"] = [*self.sessions, session]
        self._write_environment(values)

    def end_session(
        self, outcome: str, reason: str = "", cost: Mapping[str, Any] | None = None
    ) -> None:
        """Note how the last session ended.

        Args:
            outcome: ``"finished"``, ``"stopped"`` or ``"failed"``.
            reason: Of a failure, in one line.
            cost: Of its checkpoints.
        """
        values = self.environment
        done = {"outcome": outcome, "to_epoch": self.epochs_done, **(cost or {})}
        last = {**self.sessions[-1], **done}
        values["sessions"] = [*self.sessions[:-1], last | ({"reason": reason} if reason else {})]
        self._write_environment(values)

    def _write_environment(self, values: dict[str, Any]) -> None:
        write_text(self.path / "environment.json", json.dumps(values, indent=1) + "\n")

    def remove(self) -> None:
        """Delete the folder.

        Raises:
            UsageError: A process is training it, or it does not look like a run.
        """
        for name in ("recipe.toml", "data.json", "environment.json"):
            if not is_file(self.path / name):
                raise UsageError(
                    f"{self.path} has no {name}: it may not be a run. Delete it yourself"
                )
        if Path.cwd().is_relative_to(self.path.resolve()):
            raise UsageError(f"{self.path} holds the working folder: change to another one first")
        with claimed(self.path, f"run {self.name} is being trained"):
            shutil.rmtree(self.path)

    def _existing(self, name: str) -> Path:
        path = self.path / name
        if is_file(path):
            return path
        raise StorageError(f"run {self.name} is damaged: it has no {name}")

    def _require_finished(self) -> None:
        if not self.finished:
            raise UsageError(
                f"run {self.name} has not finished training. "
                f"Go on with: {self.command('train --resume')}"
            )

    def _text(self, name: str) -> str:
        path = self._existing(name)
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise StorageError(
                f"run {self.name} is damaged: {path} cannot be read: {why}"
            ) from None

    def _json(self, name: str) -> dict[str, Any]:
        text = self._text(name)
        try:
            values = json.loads(text)
        except ValueError as error:
            raise StorageError(f"run {self.name} is damaged: {self.path / name}: {error}") from None
        if not isinstance(values, dict):
            raise StorageError(f"run {self.name} is damaged: {self.path / name} is not an object")
        return values


def create(
    recipe: Recipe,
    data: str,
    environment: dict[str, Any],
    folder: Path,
    name: str | None = None,
    lists: Mapping[str, str] | None = None,
) -> RunFolder:
    """Return a new run, in a folder that no other training has.

    Args:
        recipe: Resolved.
        data: The text of data.json.
        environment: Where and when, with one session.
        folder: Of runs.
        name: Of the run; by default the recipe's name and a number.
        lists: More files by name, such as ``splits.csv``.

    Raises:
        UsageError: The folder of runs cannot be written, or there is a run of that name.
        DlzooError: The disk is full, say; nothing is left behind.
    """
    writable_folder(folder)
    beside = folder / temporary_name("run")
    # One process at a time: none takes a number twice, or another's new folder for a leftover.
    with claimed(folder, f"another process is starting a training in {folder}", wait=60.0):
        require_free_name(name, folder)
        remove_leftovers(folder)
        number = 1 + max((_number(path.name, recipe.name) for path in folder.iterdir()), default=0)
        path = folder / (name or f"{recipe.name}-{number}")
        try:
            for part in ("checkpoints", "figures"):
                (beside / part).mkdir(parents=True)
            write_text(beside / "recipe.toml", recipe.to_toml())
            write_text(beside / "data.json", data)
            for file, text in (lists or {}).items():
                write_text(beside / file, text)
            write_text(beside / "environment.json", json.dumps(environment, indent=1) + "\n")
            rename_durably(beside, path)
        except OSError as error:
            raise DlzooError(f"cannot write run {path}: {error.strerror or error}") from error
        finally:
            if beside.exists():  # it was not renamed, for whatever reason
                shutil.rmtree(beside, ignore_errors=True)
                remove_if_empty(folder)
    return RunFolder(path)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder of runs that holds none."""
    with suppress(OSError):
        folder.rmdir()


def require_free_name(name: str | None, folder: Path) -> None:
    """Raise a `UsageError` unless a new run can have a name."""
    if name is None:
        return
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", name) or name == "latest":
        raise UsageError(
            f"a run's name may have letters, digits, '.', '_' and '-', 200 at most, and not be "
            f"'latest'; got '{name}'"
        )
    if (folder / name).exists():
        raise UsageError(f"there is a run {folder / name} already")


@contextmanager
def training(run: RunFolder) -> Iterator[None]:
    """Keep other processes from training a run while the body does."""
    with claimed(run.path, f"run {run.name} is being trained by another process"):
        for folder in [run.path, *(path for path in run.path.rglob("*") if path.is_dir())]:
            remove_leftovers(folder)
        yield


def _number(name: str, stem: str) -> int:
    match = re.fullmatch(re.escape(stem) + r"-(\d+)", name)
    return int(match[1]) if match else 0


def list_runs(folder: str | Path = RUNS) -> list[RunFolder]:
    """Return the runs of a folder, the newest last."""
    folder = Path(folder)
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
    found = [RunFolder(path) for path in paths if _is_run(path)]
    return sorted(found, key=lambda run: (_started(run), run.name))


def _is_run(path: Path) -> bool:
    try:
        return any((path / name).is_file() for name in ("recipe.toml", "environment.json"))
    except OSError:  # nobody may look into it, but it is somebody's
        return path.is_dir()


def _started(run: RunFolder) -> float:
    try:
        return float(run.environment["started"])
    except (UsageError, KeyError, TypeError, ValueError):  # a damaged run still has its place
        try:
            return run.path.stat().st_mtime
        except OSError:
            return 0.0


def find(name: str | Path = "latest", run_dir: str | Path = RUNS) -> RunFolder:
    """Return a run.

    Args:
        name: ``"latest"``, which is the newest that has not failed; a run's name, or the beginning
            of only one; or its folder.
        run_dir: The folder of runs.

    Raises:
        UsageError: There is no such run, several have that beginning, or it is damaged.
    """
    text = str(name)
    path = Path(name)
    if text and is_folder(path) and (len(path.parts) > 1 or is_file(path / "recipe.toml")):
        if not is_file(path / "recipe.toml"):
            raise StorageError(f"{path} is not a run, or is damaged: it has no recipe.toml")
        return RunFolder(path)
    runs = list_runs(run_dir)
    if not runs:
        raise UsageError(f"there are no runs in {run_dir}. Make one with: dlzoo train resnet")
    if text == "latest":
        newest_first = reversed(runs)
        sound = (run for run in newest_first if run.status not in ("failed", "damaged"))
        return next(sound, runs[-1])
    by_name = {run.name: run for run in runs}
    if text in by_name:
        return by_name[text]
    if text not in ("", "..") and path.name == text and is_folder(Path(run_dir) / text):
        raise StorageError(f"run {text} is damaged: it has no recipe.toml")
    starting = [run for run in runs if run.name.startswith(text)] if text else []
    if len(starting) == 1:
        return starting[0]
    if starting:
        shown = ", ".join(run.name for run in starting[-5:])
        which = "the newest are" if len(starting) > 5 else "they are"
        raise UsageError(f"{len(starting)} runs begin with '{text}'; {which} {shown}")
    hint = suggestion(text, by_name) or " See them with: dlzoo runs"
    raise UsageError(f"there is no run '{text}' in {run_dir}.{hint}")
