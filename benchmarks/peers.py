"""Side by side in one run: dlzoo, plain Keras, Keras's collections and PyTorch, the same network.

    python -m benchmarks.peers [MODEL ...] [--rounds N] [--output benchmarks/results.md]

Every side has a process of its own, so that no thread pool disturbs another, and all of the
processors; it is idle while the others measure. The sides take turns, a short epoch each, in an
order that is rotated from round to round. Short epochs and many rounds, because virtual machines
take breaks of their own: a break falls into one epoch of one side, and the median does not see it.
Run it on an otherwise idle machine; where there is none, the processor's seconds are the column to
look at. `benchmarks/sides.py` and `benchmarks/sequences.py` say what each side does.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import multiprocessing
import os
import platform
import statistics
import sys
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from benchmarks import sequences
from benchmarks.sides import APPLICATIONS, PHASES, WARM_UP, Case, sides_of, work
from zoo.base.environment import version, versions

RESNET_AIMS = {"plain Keras": 1.4, "PyTorch": 1.15}

# At the papers' inputs; epochs of one step where a step takes long.
AnyCase = Case | sequences.Case
CASES: tuple[AnyCase, ...] = (
    Case("mlp", (28, 28, 1), batch_size=64, examples=12_800),
    Case("lenet5", (32, 32, 1), batch_size=64, examples=12_800),
    Case("alexnet", (224, 224, 3), classes=1000, batch_size=32, examples=32),
    Case("vgg16", (224, 224, 3), classes=1000, batch_size=8, examples=8),
    Case("googlenet", (224, 224, 3), classes=1000, batch_size=16, examples=16),
    Case("resnet20", (32, 32, 3), batch_size=128, examples=512, aims=RESNET_AIMS),
    Case("resnet18", (224, 224, 3), classes=1000, batch_size=16, examples=16, aims=RESNET_AIMS),
    Case("resnet50", (224, 224, 3), classes=1000, batch_size=8, examples=8, aims=RESNET_AIMS),
    Case("capsnet", (28, 28, 1), batch_size=32, examples=64),
    Case("vae", (28, 28, 1), batch_size=100, examples=10_000),
    Case("gan", (28, 28, 1), batch_size=100, examples=1600),
    Case("dcgan", (64, 64, 3), batch_size=32, examples=32),
    *sequences.CASES,
    Case("ddpm", (32, 32, 3), batch_size=8, examples=8),
)


class Turn(NamedTuple):
    """What one epoch took."""

    seconds: float
    processor_seconds: float
    """Summed over threads; other people's jobs do not count, though they slow them down."""


@dataclass
class Worker:
    """A side's process, and what it has measured so far."""

    side: str
    process: multiprocessing.process.BaseProcess
    pipe: Connection
    parameters: int = 0
    turns: dict[str, list[Turn]] = field(default_factory=lambda: {phase: [] for phase in PHASES})

    def receive(self) -> object:
        """Return the next word of the process.

        Raises:
            SystemExit: It has failed; if it could, it printed why.
        """
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            raise SystemExit(f"{self.side} has failed: code {self.process.exitcode}") from None

    def take_turn(self) -> Turn:
        """Let the process run one epoch."""
        self.pipe.send("go")
        return Turn(*self.receive())  # type: ignore[misc]

    def rates(self, phase: str, examples: int) -> list[float]:
        """Return the samples a second of each round."""
        return [examples / turn.seconds for turn in self.turns[phase]]


def present(case: AnyCase) -> list[str]:
    """Return the sides that have the case's network and are installed."""
    missing = set()
    if case.model not in APPLICATIONS:
        missing.add("keras.applications")
    if case.model != "transformer" or importlib.util.find_spec("keras_hub") is None:
        missing.add("keras-hub")
    if importlib.util.find_spec("torch") is None:
        missing.add("PyTorch")
    return [side for side in sides_of(case) if side not in missing]


def measure(case: AnyCase, rounds: int) -> list[Worker]:
    """Return the sides of a case with what they measured, dlzoo first."""
    spawn = multiprocessing.get_context("spawn")
    workers = []
    for side in present(case):
        here, there = spawn.Pipe()
        process = spawn.Process(
            target=work, args=(there, side, case, rounds + WARM_UP), daemon=True
        )
        process.start()
        there.close()
        workers.append(Worker(side, process, here))
    for worker in workers:
        worker.parameters = int(worker.receive())  # type: ignore[call-overload]
        # keras.applications has other biases than the papers.
        if worker.side != "keras.applications" and worker.parameters != workers[0].parameters:
            raise SystemExit(f"{case.model}: {worker.side} has {worker.parameters:,} parameters")
    for phase in PHASES:
        for number in range(rounds + WARM_UP):
            progress(f"{case.model} {phase} {number + 1}/{rounds + WARM_UP}")
            first = number % len(workers)
            for worker in workers[first:] + workers[:first]:
                turn = worker.take_turn()
                if number >= WARM_UP:
                    worker.turns[phase].append(turn)
    progress("")
    for worker in workers:
        worker.process.join()
    return workers


def progress(text: str) -> None:
    """Show how far it is, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


HEADER = (
    "| model, input, batch | side | training samples/s | processor ms | dlzoo ÷ side | by round "
    "| by processor | aim | inference samples/s | dlzoo ÷ side |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def rows(case: AnyCase, workers: list[Worker]) -> list[str]:
    """Return the lines of a case's table, one for each side."""
    sides = " × ".join(str(side) for side in case.input_shape)
    return [
        "| "
        + " | ".join(
            [
                f"{case.model}, {sides}, {case.batch_size}" if worker is workers[0] else "",
                worker.side,
                *_training(case, worker, workers[0]),
                spread(worker.rates("inference", case.examples)),
                _ratio(case, worker, workers[0], "inference"),
            ]
        )
        + " |"
        for worker in workers
    ]


def _training(case: AnyCase, worker: Worker, dlzoo: Worker) -> list[str]:
    turns = worker.turns["training"]
    rates = worker.rates("training", case.examples)
    processor = statistics.median(turn.processor_seconds for turn in turns)
    cells = [spread(rates), f"{1000 * processor / case.examples:,.3g}"]
    if worker is dlzoo:
        return [*cells, "", "", "", ""]
    by_round = [a / b for a, b in zip(dlzoo.rates("training", case.examples), rates, strict=True)]
    own = statistics.median(turn.processor_seconds for turn in dlzoo.turns["training"])
    return [
        *cells,
        _ratio(case, worker, dlzoo, "training"),
        spread(by_round),
        f"{processor / own:.2f}",
        f"{case.aims.get(worker.side, 1.0):.2f}",
    ]


def _ratio(case: AnyCase, worker: Worker, dlzoo: Worker, phase: str) -> str:
    if worker is dlzoo:
        return ""
    own = statistics.median(dlzoo.rates(phase, case.examples))
    return f"{own / statistics.median(worker.rates(phase, case.examples)):.2f}"


def spread(values: list[float]) -> str:
    """Return the median and the quartiles, to three digits or more."""
    low, middle, high = statistics.quantiles(values, n=4)
    digits = max(0, 2 - math.floor(math.log10(middle)))
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def machine() -> str:
    """Return the processor and the versions that were measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    used = {**versions(), "torch": version("torch")}
    return ", ".join(
        [
            names[0] if names else platform.processor(),
            f"{len(os.sched_getaffinity(0))} cores",
            f"Python {platform.python_version()}",
            *(f"{name} {number}" for name, number in used.items() if number),
        ]
    )


def main() -> None:
    """Measure, print, and write the table where it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="all by default")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    known = [case.model for case in CASES]
    for name in options.models:
        if name not in known:
            parser.error(f"there is no case for '{name}', only for {', '.join(known)}")
    if options.rounds < 2:
        parser.error(f"--rounds must be at least 2, got {options.rounds}")

    lines = [
        "# dlzoo beside its peers",
        "",
        f"`python -m benchmarks.peers --rounds {options.rounds}`: median (quartiles) of "
        f"{options.rounds} short epochs each, in turn, each side in a process of its own.",
        "",
        f"{machine()}.",
        "",
        *HEADER,
    ]
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: left out", file=sys.stderr)
    print("\n".join(lines), flush=True)
    for case in CASES:
        if not options.models or case.model in options.models:
            measured = rows(case, measure(case, options.rounds))
            print("\n".join(measured), flush=True)
            lines += measured
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
