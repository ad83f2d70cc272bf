"""`dlzoo verify`: check an export again, here, by its own runtimes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cli.export import show_reports
from cli.options import PATH, RUN, json_option, run_dir_option
from cli.output import emit_json, heading
from zoo.base.errors import DlzooError


@click.command("verify")
@click.argument("path", type=PATH)
@click.option(
    "--against",
    type=RUN,
    help="Compare with this run's model on its test split, not with the answers kept in PATH.",
)
@run_dir_option
@json_option
def command(path: Path, against: str | None, run_dir: Path, as_json: bool) -> None:
    """Ask every format of the export at PATH again, and compare with the model's answers.

    PATH is a version's folder, or the one above it: then the highest version is checked.
    """
    from zoo.serving.artefact import Artefact

    artefact = Artefact.open(path)
    cases = None
    if against is not None:
        from zoo.run import load

        served = load(against, run_dir).served()
        from zoo.serving import samples

        cases = samples.cases(served, artefact.groups)
    reports = artefact.check(cases)
    told = [asdict(one) for one in reports]
    faults = artefact.faults(reports)
    if as_json:
        emit_json({"path": str(artefact.path), "reports": told, "faults": faults})
    else:
        heading(f"{artefact.name}, version {artefact.version}: {artefact.path}")
        show_reports(told)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise DlzooError(f"{artefact.path} is not what was exported: {faults[0]}{more}")
