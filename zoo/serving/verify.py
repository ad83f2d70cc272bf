"""Asking an artefact by its own runtime, in a fresh process, and comparing it with the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.errors import DlzooError
from zoo.base.processes import run_apart
from zoo.serving.formats import FORMATS, Format

Answers = dict[str, np.ndarray]

CHUNK = 64
"""Examples that are asked for at a time."""
MOST_TOLERANCE = 1e-3
"""What an artefact can allow itself at full precision, at most."""
REPEATS = 5
"""Calls whose median is the latency."""


@dataclass(frozen=True)
class Case:
    """What one signature is asked, and what the model answers."""

    signature: str
    inputs: Mapping[str, np.ndarray]
    """(N, …) by name."""
    expected: Mapping[str, np.ndarray]
    """(N, …) by name."""
    score: Callable[[Mapping[str, np.ndarray]], float | None] = lambda outputs: None
    """How good answers to the inputs are."""
    score_name: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class Report:
    """How one signature of one format compares with the model."""

    format: str
    signature: str
    examples: int
    largest_difference: float
    """Absolute up to 1, relative above."""
    agreement: float | None
    """The share of examples with the same most probable class, or the same text."""
    score: str = ""
    model_score: float | None = None
    artefact_score: float | None = None
    higher_is_better: bool = True
    size: int
    """Bytes on disk."""
    milliseconds: float
    """For one example."""
    milliseconds_each: float
    """For each of a batch of up to 64 examples."""


def check(one: Format, folder: Path, cases: list[Case]) -> list[Report]:
    """Ask a written artefact in a fresh process, and compare its answers with the model's.

    Args:
        one: The format.
        folder: The artefact's.
        cases: What to ask.

    Raises:
        DlzooError: It cannot be loaded or asked, or its answers have other names.
    """
    asked = [(case.signature, dict(case.inputs)) for case in cases]
    reports = []
    size = one.size(folder)
    for case, (answers, single, each) in zip(
        cases, run_apart(answer, one.name, folder, asked), strict=True
    ):
        if sorted(answers) != sorted(case.expected):
            raise DlzooError(
                f"{one.name}'s {case.signature} returns {sorted(answers)}, "
                f"not {sorted(case.expected)}"
            )
        reports.append(
            Report(
                format=one.name,
                signature=case.signature,
                examples=len(next(iter(case.expected.values()))),
                largest_difference=largest_difference(answers, case.expected),
                agreement=agreement(answers, case.expected),
                score=case.score_name,
                model_score=case.score(case.expected),
                artefact_score=case.score(answers),
                higher_is_better=case.higher_is_better,
                size=size,
                milliseconds=round(single * 1e3, 4),
                milliseconds_each=round(each * 1e3, 4),
            )
        )
    return reports


def answer(
    send: Callable[[Any], None],
    name: str,
    folder: Path,
    asked: list[tuple[str, dict[str, np.ndarray]]],
) -> None:
    """Load an artefact and answer, in this process.

    Args:
        send: Takes, for each signature, its answers and the seconds of one and of each of many.
        name: The format's.
        folder: The artefact's.
        asked: Signatures with their inputs.
    """
    if name in ("savedmodel", "keras"):
        from zoo.base.runtime import start_tensorflow

        start_tensorflow()
    run = FORMATS[name].module.load(folder)
    for signature, inputs in asked:
        size = len(next(iter(inputs.values())))
        parts = [
            run(signature, {key: one[at : at + CHUNK] for key, one in inputs.items()})
            for at in range(0, size, CHUNK)
        ]
        joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        # A batch of one must answer as a batch of many does.
        first = {key: one[:1] for key, one in inputs.items()}
        alone = run(signature, first)
        joined = {key: np.concatenate([alone[key], one[1:]]) for key, one in joined.items()}
        many = {key: one[:CHUNK] for key, one in inputs.items()}
        each = _median(lambda: run(signature, many)) / min(size, CHUNK)  # noqa: B023  (called here)
        send((joined, _median(lambda: run(signature, first)), each))  # noqa: B023


def _median(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def largest_difference(
    answers: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> float:
    """Return the largest difference between numbers, absolute up to 1 and relative above.

    Numbers of classes and texts are compared by `agreement`.
    """
    return max(
        (
            _difference(answers[name], wanted)
            for name, wanted in expected.items()
            if wanted.dtype.kind == "f"
        ),
        default=0.0,
    )


def agreement(
    answers: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> float | None:
    """Return the share of examples whose classes and texts are all the same, or None."""
    same = [
        (answers[name] == wanted).reshape(len(wanted), -1).all(axis=1)
        for name, wanted in expected.items()
        if wanted.dtype.kind != "f"
    ]
    return float(np.logical_and.reduce(same).mean()) if same else None


def _difference(given: np.ndarray, wanted: np.ndarray) -> float:
    said, meant = given.astype(np.float64), wanted.astype(np.float64)
    if said.shape != meant.shape:
        return float("inf")
    differences = np.abs(said - meant) / np.maximum(1.0, np.abs(meant))
    return float("inf") if np.isnan(differences).any() else float(differences.max(initial=0.0))


def fault(one: Format, report: Report, notes: Mapping[str, Any]) -> str | None:
    """Return in one line what is wrong with an artefact's answers, or None.

    Args:
        one: Its format.
        report: How it compares with the model.
        notes: What ``export.json`` says of the format: ``max_loss``, the most that a quantised one
            may lose; without it, the format must answer as the model does, up to ``tolerance``,
            or up to the format's own.
    """
    max_loss = notes.get("max_loss")
    if max_loss is not None:
        lost = loss(report)
        if lost <= max_loss:
            return None
        what = report.score or ("of its answers" if report.agreement is not None else "in numbers")
        return f"{one.name}, quantised, loses {lost:.4g} {what}, more than {max_loss:g}"
    allowed = min(notes.get("tolerance", one.tolerance), MOST_TOLERANCE)
    if not report.largest_difference <= allowed:
        return (
            f"{one.name}'s answers differ from the model's by {report.largest_difference:.2g}, "
            f"more than {allowed:g}"
        )
    if report.agreement is not None and report.agreement < 1.0:
        return (
            f"{one.name} answers {1.0 - report.agreement:.2%} of {report.examples:,} examples "
            "otherwise than the model"
        )
    return None


def loss(report: Report) -> float:
    """Return how much worse an artefact is than the model."""
    if report.model_score is not None and report.artefact_score is not None:
        worse = report.model_score - report.artefact_score
        return worse if report.higher_is_better else -worse
    return report.largest_difference if report.agreement is None else 1.0 - report.agreement
