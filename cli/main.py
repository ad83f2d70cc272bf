"""The command itself: its table of sub-commands, its errors, its exit codes."""

from __future__ import annotations

import importlib
import itertools
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click
from click.shell_completion import CompletionItem

from cli.output import note
from zoo.base.errors import DlzooError, suggestion
from zoo.base.streams import flush_or_discard, open_standard_streams

# name -> (module of `cli`, the line that --help shows). Running a command imports its file alone.
COMMANDS = {
    "list": ("list", "List the models."),
    "info": ("info", "Show one model's facts: paper, size, stages, recipes."),
    "recipes": ("recipes", "List the recipes, or show one."),
    "datasets": ("datasets", "List the data sets, or show one's facts and pictures."),
    "train": ("train", "Train a model by its recipe, or resume a run."),
    "launch": ("launch", "Train one model in several processes, here or on several machines."),
    "evaluate": ("evaluate", "Score a run's model on a split."),
    "predict": ("predict", "Apply a run's model to images, rows or texts."),
    "generate": ("generate", "Generate new examples with a run's model."),
    "neighbours": ("neighbours", "Name the words that a run's vectors put near a word."),
    "export": ("export", "Export a run's model for serving, verified."),
    "verify": ("verify", "Check an export again, by its own runtimes."),
    "serve": ("serve", "Serve runs or exports on this machine, as TensorFlow Serving does."),
    "runs": ("runs", "List the runs with their scores."),
    "compare": ("compare", "Compare runs: curves in one picture, scores in one table."),
    "benchmark": ("benchmark", "Measure speed and memory on this machine."),
    "doctor": ("doctor", "Show versions, devices and memory, and which features work."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it runs; its help imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's file."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cli.{COMMANDS[cmd_name][0]}")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or fail with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = suggestion(args[0], COMMANDS) or " See them with: dlzoo --help"
            ctx.fail(f"there is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin with what was typed, without importing them."""
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


class _Terminated(SystemExit):
    """The system asked the process to end."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `dlzoo` and exit: 0, 2 for usage, 1 for failure, 130 for Ctrl-C, 143 for SIGTERM.

    Args:
        arguments: Instead of the process's own.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run `dlzoo` and return its exit code; errors are one line on standard error."""
    open_standard_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in itertools.takewhile(lambda word: word.startswith("-"), given)
    if debug:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    try:
        if "_DLZOO_COMPLETE" in os.environ:
            command.main(args=given, prog_name="dlzoo")  # answers the shell and exits
        # Not by `command.main`, which makes an exit code of 1 of a reader that has gone.
        with _ending_on_sigterm(), command.make_context("dlzoo", given) as context:
            command.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as error:  # after --help or --version
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except BrokenPipeError:  # the reader of our output has read enough
        return 0
    except (Exception, KeyboardInterrupt, _Terminated) as error:
        if isinstance(error, KeyboardInterrupt) and sys.stderr.isatty():
            note("")  # the terminal's ^C stands on this line
        if debug:
            note(traceback.format_exc().rstrip())
        code, message = _explained(error)
        note("dlzoo: " + _printable(message))
        return code
    finally:
        flush_or_discard(sys.stdout, sys.stderr)


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Raise `_Terminated` when the system asks the process to end, so that it leaves no half files.

    Python lets only the main thread handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _Terminated(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _printable(message: str) -> str:
    """Return a message on one line, with control characters that were typed written out."""
    line = " ".join(message.split())
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


def _explained(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the message of an error."""
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, DlzooError):
        return error.exit_code, str(error)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return 130, "stopped"
    if isinstance(error, _Terminated):
        return 143, "stopped"
    first = str(error).strip().splitlines()[:1]
    detail = f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
    return 1, f"{detail} (dlzoo --debug … shows where)"


if __name__ == "__main__":
    main()
