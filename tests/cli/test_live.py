"""The live display of a terminal: a bar that goes, lines that stay."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from cli.live import LiveReporter
from cli.train import _reporter
from tests.cli.conftest import Terminal, unstyled
from zoo.training.progress import Epoch, PlainReporter, TrainingStart

START = TrainingStart(
    run=Path("runs") / "a-long-name-that-no-line-of-seventy-columns-has-room-for-digits-1",
    model="lenet5",
    dataset="digits",
    parameters=61_706,
    trained=61_706,
    initial_weights="",
    examples=1257,
    devices="CPU",
    precision="float32",
    epochs=2,
    first_epoch=0,
    steps=20,
    batch_size=64,
    headline="val_accuracy",
)
SCORES = {f"{split}{name}": 0.5 for split in ("", "val_") for name in ("accuracy", "loss", "auc")}


def train(reporter: LiveReporter) -> None:
    reporter.begin(START)
    for number in (1, 2):
        for step in range(1, START.steps + 1):
            reporter.step(number, step, {"accuracy": 0.25, "loss": 1.5})
        reporter.epoch(
            Epoch(number=number, of=2, seconds=1.5, scores=SCORES, best=number == 1, rate=900.0)
        )
    reporter.end()


def test_each_epoch_leaves_one_whole_line_with_the_best_marked(terminal: Terminal) -> None:
    train(LiveReporter(terminal))
    lines = unstyled(terminal.getvalue()).replace("\r", "\n").split("\n")
    kept = [line.strip() for line in lines if "val_auc" in line]
    scores = "  ".join(f"{name} 0.5000" for name in SCORES)
    ends = ("     1.5s      900/s  *best", "     1.5s      900/s")
    assert kept == [f"epoch {number}/2  {scores}{end}" for number, end in enumerate(ends, 1)]
    assert len(kept[0]) > 70


def test_the_run_s_folder_can_be_copied_though_the_line_is_long(terminal: Terminal) -> None:
    train(LiveReporter(terminal))
    assert str(START.run) in unstyled(terminal.getvalue())


def test_the_bar_shows_where_it_is_how_fast_and_the_scores(terminal: Terminal) -> None:
    reporter = LiveReporter(terminal)
    reporter.begin(START)
    reporter.step(1, 10, {"accuracy": 0.25, "loss": 1.5})
    reporter.progress.refresh()
    shown = unstyled(terminal.getvalue()).replace("\r", "\n").split("\n")[-1]
    reporter.end()
    for part in ("epoch 1/2", "25%", "/s", "accuracy 0.2500"):
        assert part in shown


def test_the_bar_is_gone_when_training_is_over_and_the_cursor_is_back(terminal: Terminal) -> None:
    train(LiveReporter(terminal))
    written = terminal.getvalue()
    assert written.rindex("\x1b[2K") > written.rindex("━")  # the line is erased after the last bar
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def test_an_interrupted_training_gives_the_cursor_back(terminal: Terminal) -> None:
    reporter = LiveReporter(terminal)
    reporter.begin(START)
    reporter.end()
    assert "\x1b[?25h" in terminal.getvalue()


def test_without_colours_if_none_are_wanted(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    train(LiveReporter(terminal))
    assert "\x1b[32m" not in terminal.getvalue()
    assert "\x1b[1;32m" not in terminal.getvalue()
    assert "*best" in terminal.getvalue()


def test_a_terminal_gets_the_bar_and_a_pipe_gets_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(_reporter(as_json=False), PlainReporter)
    monkeypatch.setattr("sys.stdout", terminal)
    assert isinstance(_reporter(as_json=False), LiveReporter)
    # With --json standard output is the document's; the bar goes where a person looks.
    assert isinstance(_reporter(as_json=True), PlainReporter)
    monkeypatch.setattr("sys.stderr", terminal)
    assert isinstance(_reporter(as_json=True), LiveReporter)


def test_steps_before_a_resume_are_not_counted_as_speed(terminal: Terminal) -> None:
    reporter = LiveReporter(terminal)
    reporter.begin(dataclasses.replace(START, first_step=15))
    assert reporter.progress.tasks[0].completed == 15
    reporter.started = time.monotonic() - 10.0
    reporter.step(1, 20, {})
    assert reporter.progress.tasks[0].fields["rate"] == "32/s"  # 5 steps of 64 in 10 seconds
    reporter.end()
