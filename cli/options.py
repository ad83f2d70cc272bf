"""Options and kinds of arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from zoo.errors import DlzooError, suggestion, unknown


class Name(click.ParamType):  # type: ignore[type-arg]  # generic only in later Clicks
    """A name out of a table that is read when it is needed, completed and corrected."""

    def __init__(self, kind: str, names: Callable[[], Sequence[str]], see: str = "") -> None:
        self.name = kind
        self.names = names
        self.see = see

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the nearest one."""
        if value not in self.names():
            raise unknown(self.name, str(value), self.names(), see=self.see)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin so."""
        try:
            return [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]
        except DlzooError:
            return []


def _models() -> list[str]:
    from zoo.registry import card, list_models

    names = list_models()
    return [*names, *sorted({card(name).family for name in names} - set(names))]


def _datasets() -> list[str]:
    from zoo.datasets.catalog import list_datasets

    return list_datasets()


def _recipes() -> list[str]:
    from recipes.library import names

    return names()


MODEL = Name("model", _models, "dlzoo list")
DATASET = Name("data set", _datasets, "dlzoo datasets")
RECIPE = Name("recipe", _recipes, "dlzoo recipes")


class _RecipeOrFile(click.ParamType):  # type: ignore[type-arg]
    """A recipe's name or a TOML file; which of them is seen when it is read."""

    name = "name or file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the recipes that begin so, or else the files."""
        found = RECIPE.shell_complete(ctx, param, incomplete)
        return found or [CompletionItem(incomplete, type="file")]


RECIPE_OR_FILE = _RecipeOrFile()


class Choice(click.Choice):  # type: ignore[type-arg]
    """One of a few words; the nearest one is offered where it is none of them."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return Click's message, and the nearest word."""
        near = suggestion(str(value), self.choices)
        return super().get_invalid_choice_message(value, ctx) + near


class _RunName(click.ParamType):  # type: ignore[type-arg]
    """A run: its name, a unique prefix, ``latest`` or its folder."""

    name = "run"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the runs that begin so."""
        from zoo.runs import RUNS, list_runs

        folder = ctx.params.get("run_dir") or RUNS
        names = ["latest", *(run.name for run in list_runs(folder))]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


RUN = _RunName()

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on standard output."
)
run_dir_option = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="The folder in which runs are kept.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what exists under the output's name."
)


class DefaultGroup(click.Group):
    """A group whose first word is a sub-command, or else an argument of its default one."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name in front where none is given."""
        if ctx.resilient_parsing and not args:  # its first word is about to be completed
            return super().parse_args(ctx, args)
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the sub-commands that begin so, and the default one's arguments."""
        found = super().shell_complete(ctx, incomplete)
        for parameter in self.commands[self.default].params:
            if isinstance(parameter, click.Argument):
                found += parameter.shell_complete(ctx, incomplete)
        return found
