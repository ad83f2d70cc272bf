"""Options and types of arguments that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from cli.output import note
from zoo.base.errors import DlzooError, suggestion, unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

    from zoo.runs.folder import RunFolder

LONGEST_NAME = 200
"""Bytes of a file's or folder's name; most systems have 255, and temporary names are longer."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Name(click.ParamType):  # type: ignore[type-arg]  # generic only in later Clicks
    """One of the names that `names` returns, in any case; the shell completes it."""

    def __init__(self, kind: str, names: Callable[[], Sequence[str]], see: str = "") -> None:
        self.name = kind
        self.names = names
        self.see = see

    def find(self, value: str) -> str | None:
        """Return the name as it is written in the catalogue, or None if it is not there."""
        names = self.names()
        by_lower = {name.lower(): name for name in names}
        return value if value in names else by_lower.get(value.lower())

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the nearest one."""
        name = self.find(str(value))
        if name is None:
            raise unknown(self.name, str(value), self.names(), see=self.see)
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with what was typed."""
        try:
            return _beginning_with(incomplete, self.names())
        except DlzooError:
            return []


def _beginning_with(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    start = incomplete.lower()
    return [CompletionItem(name) for name in names if name.lower().startswith(start)]


def _models() -> list[str]:
    from zoo.registry import card, list_models

    names = list_models()
    return [*names, *sorted({card(name).family for name in names} - set(names))]


def _datasets() -> list[str]:
    from zoo.datasets.sources import list_sources

    return list_sources()


def _recipes() -> list[str]:
    from recipes.library import names

    return names()


def _families() -> list[str]:
    from zoo.registry import card, list_models

    return list(dict.fromkeys(card(name).family for name in list_models()))


def _tasks() -> list[str]:
    from zoo.tasks import list_tasks

    return list_tasks()


MODEL = Name("model", _models, "dlzoo list")


class _Source(Name):
    """A data set, or a source of the user's own such as ``folder:photos``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or the reference as it was typed."""
        if (found := self.find(str(value))) is not None:
            return found
        from zoo.datasets.sources import open_source

        open_source(str(value))
        return str(value)


DATASET = _Source("data set", _datasets, "dlzoo datasets")
RECIPE = Name("recipe", _recipes, "dlzoo recipes")
FAMILY = Name("family", _families)
TASK = Name("task", _tasks)


class _RecipeOrFile(click.ParamType):  # type: ignore[type-arg]
    """A recipe's name, in any case, or the path of a TOML file."""

    name = "name or file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the recipe's name if there is such a recipe, or else what was typed."""
        return RECIPE.find(str(value)) or str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the recipes that begin with what was typed, or else the files."""
        found = RECIPE.shell_complete(ctx, param, incomplete)
        return found or [CompletionItem(incomplete, type="file")]


RECIPE_OR_FILE = _RecipeOrFile()


class Assignment(click.ParamType):  # type: ignore[type-arg]
    """A ``KEY=VALUE`` for a recipe; the shell completes the keys."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was typed: `recipes.overrides.assignment` reads it."""
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the keys that begin with what was typed, each with its ``=``."""
        try:
            return _beginning_with(incomplete, [f"{key}=" for key in recipe_keys(ctx)])
        except DlzooError:
            return []


ASSIGNMENT = Assignment()


def recipe_keys(ctx: click.Context) -> list[str]:
    """Return the dotted keys of the schema, and those that the chosen model's recipes use.

    The schema does not know the arguments of Keras's optimizers or of a model's builder; the
    recipes show them by example.

    Args:
        ctx: The command's; the first model among its arguments chooses the recipes.
    """
    from recipes.library import entries
    from recipes.recipe import Recipe
    from zoo.registry import card

    # Click leaves arguments in `args` where the option to be completed has no value yet.
    words = [ctx.params.get("model"), *ctx.args]
    models = [name for word in words if word and (name := MODEL.find(str(word)))]
    wanted = card(models[0]).family if models else None
    keys = set(_schema_keys(Recipe))
    for entry in entries():
        if wanted in (None, card(entry.recipe.model).family):
            keys |= _value_keys(entry.recipe.as_dict())
    return sorted(keys)


def _schema_keys(schema: type[BaseModel], above: str = "") -> list[str]:
    """Return the dotted keys of a schema: a table by its keys, a list by its own."""
    from recipes.recipe import Named

    keys: list[str] = []
    for name, field in schema.model_fields.items():
        union = isinstance(field.annotation, UnionType)
        kinds = get_args(field.annotation) if union else (field.annotation,)
        tables = [kind for kind in kinds if hasattr(kind, "model_fields")]
        if not tables or issubclass(tables[0], Named):  # a name alone will do: optimizer=Adam
            keys.append(above + name)
        for table in tables:
            keys += _schema_keys(table, f"{above}{name}.")
    return keys


def _value_keys(values: dict[str, Any], above: str = "") -> set[str]:
    keys: set[str] = set()
    for name, value in values.items():
        if isinstance(value, list):
            tables = {str(at): one for at, one in enumerate(value) if isinstance(one, dict)}
            keys |= _value_keys(tables, f"{above}{name}.") if tables else {above + name}
        elif isinstance(value, dict):
            keys |= _value_keys(value, f"{above}{name}.")
        else:
            keys.add(above + name)
    return keys


class Choice(click.Choice):  # type: ignore[type-arg]
    """One of a few words, in any case; an error suggests the nearest one."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices, case_sensitive=False)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return Click's message and the nearest word."""
        near = suggestion(str(value), self.choices)
        return super().get_invalid_choice_message(value, ctx) + near


class _Path(click.Path):
    """The path of a file or folder to be written: not empty, and one that a system can have."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path, or fail."""
        text = os.fspath(value)
        if not text.strip():
            self.fail("the path is empty", param, ctx)
        if "\0" in text:
            self.fail("a path has no NUL in it", param, ctx)
        if max(len(os.fsencode(part)) for part in (Path(text).parts or ("",))) > LONGEST_NAME:
            self.fail(f"a name in the path is longer than {LONGEST_NAME} bytes", param, ctx)
        return Path(text)


PATH = _Path()


class _RunName(click.ParamType):  # type: ignore[type-arg]
    """A run: its name, a unique prefix, ``latest`` or its folder."""

    name = "run"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the runs that begin with what was typed."""
        from zoo.runs.folder import RUNS, list_runs

        folder = ctx.params.get("run_dir") or RUNS
        names = ["latest", *(run.name for run in list_runs(folder))]
        return _beginning_with(incomplete, names)


RUN = _RunName()

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on standard output."
)
run_dir_option = click.option(
    "--run-dir",
    type=PATH,
    default=Path("runs"),
    show_default=True,
    help="The folder in which runs are kept.",
)
weights_option = click.option(
    "--weights",
    type=Choice(["last", "best"]),
    default="last",
    show_default=True,
    help="Of the last epoch, or of the one with the best validation score.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace a file that has the output's name."
)


def source_options(command: _Command) -> _Command:
    """Add what is said of a source of one's own beside its name."""
    options = (
        click.option(
            "--target",
            metavar="COLUMN",
            help="The column that is asked for; COLUMN:class or COLUMN:number says what it is.",
        ),
        click.option("--group", metavar="COLUMN", help="Rows of one value here stay in one split."),
        click.option("--data-dir", metavar="DIR", help="Where tensorflow-datasets keeps its data."),
    )
    for option in reversed(options):
        command = option(command)
    return command


skip_option = click.option(
    "--skip-bad-files",
    is_flag=True,
    default=None,
    help="Go on without what cannot be read; a run lists it.",
)


def precision_option(command: _Command) -> _Command:
    """Add ``--precision`` to a command."""
    from recipes.recipe import PRECISIONS  # only commands with such an option load the schema

    return click.option("--precision", type=Choice(PRECISIONS), help="Keras's dtype policy.")(
        command
    )


def strategy_option(command: _Command) -> _Command:
    """Add ``--strategy`` to a command."""
    from recipes.recipe import STRATEGIES

    text = "How tf.distribute spreads the work."
    words = f"{text} One of {', '.join(STRATEGIES)}."
    choice = click.option("--strategy", type=Choice(STRATEGIES), metavar="NAME", help=words)
    return choice(command)


class DefaultGroup(click.Group):
    """A group that runs its default sub-command if the first word names no other."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the default sub-command's name if none is given."""
        if ctx.resilient_parsing and not args:  # the shell completes its first word
            return super().parse_args(ctx, args)
        word = args[0] if args else "-"
        if not word.startswith("-") and word not in self.commands and not self._takes_arguments:
            hint = suggestion(word, self.commands) or f" There are: {', '.join(self.commands)}."
            ctx.fail(f"{ctx.info_name} has no command '{word}'.{hint}")
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    @property
    def _takes_arguments(self) -> bool:
        return any(isinstance(one, click.Argument) for one in self.commands[self.default].params)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the sub-commands that begin with what was typed, and the default's arguments."""
        found = super().shell_complete(ctx, incomplete)
        for parameter in self.commands[self.default].params:
            if isinstance(parameter, click.Argument):
                found += parameter.shell_complete(ctx, incomplete)
        return found


def tell_unfinished(run: RunFolder, weights: str) -> None:
    """Say on standard error which epoch a run's weights are of, where it is not finished."""
    if not run.finished:
        done = run.epochs_done
        which = f"epoch {done}" if weights == "last" else f"the best of {done} epochs"
        note(f"run {run.name} is not finished: its weights are of {which}")
