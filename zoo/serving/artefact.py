"""An export as it lies on disk: its facts, its formats, and checking it again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.base.errors import UsageError
from zoo.serving import samples
from zoo.serving.formats import FORMATS, PORTABLE
from zoo.serving.verify import Case, Report, check, fault

FACTS = "export.json"


@dataclass(frozen=True)
class Artefact:
    """The folder of one exported version."""

    path: Path
    facts: Mapping[str, Any]
    """What ``export.json`` says."""

    @classmethod
    def open(cls, path: Path) -> Artefact:
        """Return an export by its folder, or the highest version in it.

        Raises:
            UsageError: There is none.
        """
        folder = path
        if not (folder / FACTS).is_file() and folder.is_dir():
            folder = next((one for one in versions(folder) if (one / FACTS).is_file()), folder)
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            facts["formats"], facts["signatures"], facts["name"], facts["version"]
        except FileNotFoundError:
            raise UsageError(f"{path} is not an export: it has no {FACTS}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{folder / FACTS} is damaged: {error}") from None
        return cls(folder, facts)

    @property
    def name(self) -> str:
        """What it is served as: the name of the folder of versions, as for TensorFlow Serving."""
        folder = self.path.resolve()
        return folder.parent.name if _is_version(folder) else str(self.facts["name"])

    @property
    def version(self) -> int:
        """Its number: the folder's name, also of one that was copied or renamed."""
        folder = self.path.resolve()
        return int(folder.name) if _is_version(folder) else int(self.facts["version"])

    @property
    def groups(self) -> list[str]:
        """The groups of signatures that its formats have, each once."""
        names = [name for name in self.facts["formats"] if name in FORMATS]
        return list(dict.fromkeys(FORMATS[name].group for name in names))

    def check(self, cases: Mapping[str, list[Case]] | None = None) -> list[Report]:
        """Ask every format again, and compare with the answers that were kept, or others.

        Args:
            cases: By the group of signatures; those kept with it by default.

        Raises:
            UsageError: The cases have other inputs than the export.
        """
        if cases is None:
            cases = samples.load(self.path / samples.FILE)
        self._require_inputs(cases)
        reports = []
        for name in self.facts["formats"]:
            if name in FORMATS and cases.get(FORMATS[name].group):
                one = FORMATS[name]
                reports += check(one, self.path, cases[one.group])
        return reports

    def _require_inputs(self, cases: Mapping[str, list[Case]]) -> None:
        takes = {"raw": self.facts["signatures"], "portable": {PORTABLE: self.facts["portable"]}}
        for group in set(takes) & set(self.groups):
            for case in cases.get(group, ()):
                sides = (takes[group].get(case.signature) or {}).get("inputs", {})
                wanted = {name: one["shape"][1:] for name, one in sides.items()}
                given = {name: list(one.shape[1:]) for name, one in case.inputs.items()}
                if wanted.keys() != given.keys() or not all(
                    _fits(shape, given[name]) for name, shape in wanted.items()
                ):
                    raise UsageError(
                        f"{self.path} is of another model: its {case.signature} takes "
                        f"{_told(wanted)}, not {_told(given)}"
                    )

    def faults(self, reports: Sequence[Report]) -> list[str]:
        """Return what is wrong with it by such reports, a line each."""
        checked = {report.format for report in reports}
        found = [f"{name} was not checked" for name in self.facts["formats"] if name not in checked]
        for report in reports:
            notes = self.facts["formats"][report.format]
            if wrong := fault(FORMATS[report.format], report, notes):
                found.append(f"{report.signature}: {wrong}")
        return found


def _fits(wanted: Sequence[int | None], given: Sequence[int]) -> bool:
    return len(wanted) == len(given) and all(
        want in (None, have) for want, have in zip(wanted, given, strict=True)
    )


def _told(inputs: Mapping[str, Sequence[int | None]]) -> str:
    """Return the first three inputs with the shape of an example."""
    several = [
        f"{name} [{', '.join('any' if side is None else str(side) for side in shape)}]"
        for name, shape in inputs.items()
    ]
    return ", ".join([*several[:3], *(["…"] if len(several) > 3 else [])]) or "nothing"


def versions(folder: Path) -> list[Path]:
    """Return the folders of versions in a folder, the highest first."""
    return sorted(filter(_is_version, folder.iterdir()), key=lambda one: -int(one.name))


def _is_version(path: Path) -> bool:
    return path.name.isascii() and path.name.isdecimal()
