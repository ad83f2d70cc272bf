"""`dlzoo serve` as a process of its own: it answers, is told to stop, and refuses wrong input."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import tiny
from tests.cli.conftest import Dlzoo

pytest.importorskip("starlette")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def export(shared_run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tiny.run("table", shared_run_dir)
    formats = ("savedmodel", "onnx")
    return run.export(tmp_path_factory.mktemp("e"), formats=formats, name="flowers").parent


@pytest.fixture
def process(export: Path) -> Iterator[tuple[Any, str]]:
    """A server on a free port, and its address."""
    words = [sys.executable, "-m", "cli.main", "serve", str(export), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as started:
        assert started.stderr is not None
        address = None
        for line in started.stderr:
            if address := re.search(r"http://\S+/", line):
                break
        assert address is not None
        yield started, address[0]
        started.kill()


def test_it_answers_and_stops_when_it_is_told(process: tuple[Any, str], export: Path) -> None:
    server, address = process
    health = httpx.get(f"{address}healthz")
    assert health.json() == {"status": "ok", "models": ["flowers"]}
    body = (export / "1" / "requests" / "serving_default.json").read_bytes()
    response = httpx.post(f"{address}v1/models/flowers:predict", content=body)
    (answer,) = response.json()["predictions"]
    assert answer["labels"] in {"setosa", "versicolor", "virginica"}
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) in (0, 143, -signal.SIGTERM)


def test_it_listens_on_this_machine_alone(process: tuple[Any, str]) -> None:
    assert process[1].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["nothing"], "nothing is neither an export nor a run"),
        (["EXPORT", "--port", "99999"], "99999 is not in the range"),
        (["EXPORT", "--engine", "openvino"], "cannot be served by openvino"),
        (["EXPORT", "EXPORT"], "two models have the same name"),
    ],
)
def test_wrong_input_is_refused(
    typed: list[str], message: str, export: Path, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [str(export) if word == "EXPORT" else word for word in typed]
    port = [] if "--port" in words else ["--port", "0"]
    result = dlzoo("serve", *words, *port)
    assert result.code in (1, 2)
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_port_that_is_taken_is_said_before_a_model_is_loaded(dlzoo: Dlzoo, export: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal = dlzoo("serve", str(export), "--port", port).refusal
    assert refusal == f"cannot listen on 127.0.0.1:{port}: Address already in use"
