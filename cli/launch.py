"""`dlzoo launch`: one training in several processes, on this machine or on several."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.options import PATH
from cli.output import note
from zoo.base.errors import UsageError, suggestion

_PROGRAM = (sys.executable, "-c", "from cli.launch import worker; worker()")


@click.command("launch")
@click.option("--workers", type=click.IntRange(min=1), required=True, help="How many processes.")
@click.option(
    "--hosts",
    type=PATH,
    metavar="FILE",
    help="One host a line, 'name[:port] [slots=N]'. Prints what to type on each.",
)
@click.option(
    "--index",
    type=click.IntRange(min=0),
    help="With --hosts: start the workers of this host, counted from 0.",
)
@click.option(
    "--max-restarts",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How often all go on from the last checkpoint after one was lost.",
)
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- train …")
def command(
    workers: int,
    hosts: Path | None,
    index: int | None,
    max_restarts: int,
    arguments: tuple[str, ...],
) -> None:
    """Train one model in several processes that share every batch.

    Without --hosts all of them run on this machine, which divides its GPUs among them.
    A cluster's scheduler starts processes itself: see docs/distributed.md.

    \b
    dlzoo launch --workers 2 -- train lenet5
    dlzoo launch --workers 4 --max-restarts 3 -- train resnet --epochs 20
    dlzoo launch --workers 8 --hosts hosts.txt --index 0 -- train lenet5 --name a
    """
    from zoo.training.hosts import read_hosts
    from zoo.training.launcher import Place, launch

    given = _checked(arguments, workers)
    place = Place(addresses=(), first=0, count=workers)
    if index is not None and hosts is None:
        raise UsageError("--index is a place in the file of --hosts, which was not given")
    if hosts is not None:
        places = read_hosts(hosts, workers)
        if given["name"] is None and given["resume"] is None:
            raise UsageError(
                "with --hosts, give the training a --name: it is how all hosts find the same run"
            )
        if index is None:
            for at, _ in enumerate(places):
                words = ["dlzoo", "launch", "--workers", str(workers), "--hosts", str(hosts)]
                words += ["--index", str(at), "--max-restarts", str(max_restarts), "--"]
                click.echo(shlex.join([*words, *arguments]))
            note("type each line on its host, in the file's order; all need the same --run-dir")
            return
        if index >= len(places):
            raise UsageError(f"{hosts} has {len(places)} hosts with workers, got --index {index}")
        place = places[index]

    def again(run: Path | None) -> Sequence[str]:
        if given["resume"] is not None or (run is None and hosts is None):
            return arguments
        if hosts is not None:
            return arguments if given["continue_"] else [*arguments, "--continue"]
        return ["train", "--resume", str(run), *(["--json"] if given["as_json"] else [])]

    code = launch(
        _PROGRAM,
        arguments,
        place,
        max_restarts=max_restarts,
        again=again,
        plain=given["as_json"],
        tell=note,
    )
    click.get_current_context().exit(code)


def _checked(arguments: Sequence[str], workers: int) -> dict[str, Any]:
    """Return the options of the training, once it is clear that workers could do it.

    Raises:
        UsageError: It is not a training, or something is wrong that each worker would say.
    """
    from cli import train
    from recipes.overrides import assignment
    from zoo.training.resolve import require_even_shares, resolve

    if arguments[0] != "train":
        raise UsageError(
            f"launch starts trainings: expected 'dlzoo launch --workers {workers} -- train …', "
            f"got '{arguments[0]}'.{suggestion(arguments[0], ['train'])}"
        )
    with train.command.make_context("dlzoo train", list(arguments[1:])) as context:
        given = dict(context.params)
    if given["dry_run"]:
        raise UsageError("--dry-run times one process: leave launch out")
    if given["resume"] is not None:
        from zoo.runs.folder import find

        recipe = find(given["resume"], given["run_dir"]).recipe
    else:
        changes = {key: given[key] for key in train.CHANGES}
        overrides = dict(assignment(text) for text in given["assignments"])
        recipe = resolve(given["model"], run_dir=given["run_dir"], overrides=overrides, **changes)
    if recipe.strategy not in ("auto", "multi-worker"):
        raise UsageError(
            f"launch starts several workers, and strategy {recipe.strategy} trains in one process"
        )
    if recipe.batch_size != "full":
        require_even_shares(int(recipe.batch_size), workers)
    return given


def worker() -> None:
    """Run one of the processes that `command` starts."""
    from cli.main import main
    from zoo.training.launcher import end_with_launcher

    sys.argv[0] = "dlzoo"
    end_with_launcher()
    main()
