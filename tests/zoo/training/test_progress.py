"""The lines of a training: aligned, free of repetition, and harmless when nobody reads them."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.training.progress import Epoch, PlainReporter, TrainingStart, epoch_line, fixed, opening

START = TrainingStart(
    run=Path("runs") / "lenet5-digits-1",
    model="lenet5",
    dataset="digits",
    parameters=61_706,
    trained=61_706,
    initial_weights="",
    examples=1257,
    devices="CPU",
    precision="float32",
    epochs=20,
    first_epoch=0,
    steps=20,
    batch_size=64,
    headline="val_accuracy",
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (0.93125, "0.9313"),
        (9.99999, "10.000"),
        (12.34567, "12.346"),
        (1234.56, "1234.6"),
        (123_456.7, "123457"),
        (1_234_567.0, " 1e+06"),
        (-0.53125, "-0.531"),
        (-105.25, "-105.2"),
        (3e-5, " 3e-05"),
        (-3e-5, "-3e-05"),
        (math.nan, "   nan"),
        (-math.inf, "  -inf"),
    ],
)
def test_every_score_takes_six_characters(value: float, text: str) -> None:
    assert fixed(value) == text


def test_the_columns_of_epoch_lines_align() -> None:
    early = Epoch(
        number=9,
        of=20,
        seconds=12.0,
        scores={"accuracy": 0.5, "loss": 12.25, "val_r2_score": -0.25},
        best=False,
        rate=85.0,
    )
    later = dataclasses.replace(
        early,
        number=10,
        seconds=1.5,
        scores={"accuracy": 1.0, "loss": 0.00012, "val_r2_score": 0.98765},
        best=True,
        rate=16_250.0,
    )
    assert [epoch_line(early), epoch_line(later)] == [
        "epoch  9/20  accuracy 0.5000  loss 12.250  val_r2_score -0.250    12.0s       85/s",
        "epoch 10/20  accuracy 1.0000  loss  1e-04  val_r2_score 0.9877     1.5s   16,250/s  *best",
    ]


def test_the_opening_says_what_the_line_before_it_did_not() -> None:
    assert opening(START) == (
        "61,706 parameters, 1,257 training examples, CPU, float32 -> runs/lenet5-digits-1"
    )
    resumed = dataclasses.replace(START, trained=850, first_epoch=5)
    assert opening(resumed) == (
        "61,706 parameters (850 trained), 1,257 training examples, CPU, float32, "
        "resumed at epoch 6 -> runs/lenet5-digits-1"
    )


PROGRAM = """
import sys
sys.stdin.read()  # until the pipe's reader has gone
from pathlib import Path
from tests.zoo.training.test_progress import START
from zoo.training.progress import Epoch, PlainReporter
reporter = PlainReporter()
reporter.begin(START)
for number in (1, 2):
    reporter.epoch(
        Epoch(number=number, of=2, seconds=1.0, scores={"loss": 0.5}, best=False, rate=1.0)
    )
reporter.end()
Path("done").touch()
"""


def test_a_training_goes_on_after_the_reader_of_its_lines_has_gone(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout
    process.stdout.close()  # before the first line, as `| head -0` does
    process.stdout = None
    _, errors = process.communicate(b"", timeout=60)
    assert (process.returncode, errors) == (0, b"")
    assert (tmp_path / "done").exists()


def test_lines_go_to_the_stream_that_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    PlainReporter(sys.stderr).begin(dataclasses.replace(START, initial_weights="loaded 3 layers"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"loaded 3 layers\n{opening(START)}\n"
