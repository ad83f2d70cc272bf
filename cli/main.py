"""The command itself: its table of sub-commands, its errors, its exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from zoo.errors import DlzooError, suggestion

# name -> (module of `cli`, the line that --help shows). Loading a command loads its file alone.
COMMANDS = {
    "list": ("list", "The models of the zoo."),
    "info": ("info", "What there is to know about one model."),
    "recipes": ("recipes", "The recipes, and one recipe's text."),
    "datasets": ("datasets", "The data sets, and one data set's facts and pictures."),
    "train": ("train", "Train a model by its recipe, or resume a run."),
    "evaluate": ("evaluate", "Score a run's model on a split."),
    "predict": ("predict", "Ask a run's model about images, rows or texts."),
    "generate": ("generate", "Draw new examples from a run's generator."),
    "export": ("export", "Write a verified SavedModel for serving."),
    "runs": ("runs", "The runs, with their scores."),
    "compare": ("compare", "Curves of several runs in one picture, scores in one table."),
    "benchmark": ("benchmark", "Speed and memory of training and inference on this machine."),
    "doctor": ("doctor", "Versions, devices, memory, and what is missing for what."),
    "completion": ("completion", "The script that completes dlzoo's words in a shell."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, and whose help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first acquaintance."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's file."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands from what is known without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant, or say which one may have been."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = suggestion(args[0], COMMANDS) or " See them with: dlzoo --help"
            ctx.fail(f"there is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, with their lines, without importing them."""
        return [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dlzoo", message="dlzoo %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def command(ctx: click.Context, debug: bool) -> None:
    """The architectures that made deep learning: train, evaluate, generate, export.

    \b
    First steps:
      dlzoo list                        the models
      dlzoo train resnet --epochs 20    train one on bundled data
      dlzoo evaluate latest             score it
    """
    ctx.obj = {"debug": debug}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `dlzoo` and exit: 0, 2 for usage, 1 for failure, 130 for Ctrl-C.

    Args:
        arguments: Instead of the process's own.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run `dlzoo` and return its exit code; errors are one line on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if debug:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    try:
        result: Any = command.main(args=given, prog_name="dlzoo", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        _say(error.format_message())
        return error.exit_code
    except DlzooError as error:
        if debug:
            raise
        _say(str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("stopped")
        return 130
    except BrokenPipeError:  # whoever read our output has read enough
        sys.stderr.close()
        return 0
    except Exception as error:
        if debug:
            raise
        first = str(error).strip().splitlines()[:1]
        detail = f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
        _say(f"{detail} (dlzoo --debug … shows where)")
        return 1


def _say(text: str) -> None:
    """Write an error as one line."""
    click.echo("dlzoo: " + " ".join(text.split()), err=True)


if __name__ == "__main__":
    main()
