"""docs/serving.md tells the truth: its commands run, and its manifest has what Kubernetes needs.

Not run are `docker` and `kubectl`, with the request to the container: they need a container's image
and a cluster. `pip install` is held against pyproject.toml.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.main import run
from tests import tiny

pytest.importorskip("uvicorn")
import uvicorn

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
BLOCKS = [
    [line.removeprefix("$ ") for line in block.splitlines()]
    for block in re.findall(r"```console\n(.+?)```", PAGE, re.DOTALL)
]
ELSEWHERE = ("docker", "kubectl")
"""What a block starts with that is not run here."""


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_run_dir: Path) -> Path:
    """A folder with a LeNet-5, as after the page's first command."""
    tiny.copy(tiny.run("image", shared_run_dir), tmp_path / "runs", "lenet5-digits-1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Serving:
    """`dlzoo serve` in a thread of this process."""

    def __init__(self, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        truly, self.server = uvicorn.Server.run, None
        self.port = 0

        def remembered(server: Any, sockets: Any) -> None:
            self.port, self.server = sockets[0].getsockname()[1], server
            truly(server, sockets)

        monkeypatch.setattr(uvicorn.Server, "run", remembered)
        self.thread = threading.Thread(target=run, args=([*words, "--port", "0"],), daemon=True)
        self.thread.start()
        while not (self.server and self.server.started):
            assert self.thread.is_alive()
            time.sleep(0.05)

    def stop(self) -> None:
        assert self.server is not None
        self.server.should_exit = True
        self.thread.join()


def test_its_commands_run_in_order(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serving: Serving | None = None
    ran = []
    for block in BLOCKS:
        if block[0].startswith(ELSEWHERE):
            continue
        for command in block:
            program, *words = shlex.split(command)
            ran.append(program)
            if program == "dlzoo" and words[0] == "serve":
                serving = Serving(words, monkeypatch)
            elif program == "dlzoo":
                if words[0] != "train":
                    assert run(words) == 0, f"{command}: {capsys.readouterr().err}"
            elif program == "pip":
                installed(words)
            elif program == "curl":
                assert serving is not None
                asked = command.replace(":8501/", f":{serving.port}/")
                assert json.loads(done(asked))["predictions"], command
            elif program == "python":
                lines = done(shlex.join([sys.executable, *words])).splitlines()
                assert all("probabilities" in json.loads(line) for line in lines), command
                assert lines
            else:
                assert program == "ovc"
                beside = Path(sys.executable).with_name("ovc")
                done(shlex.join([str(beside), *words]))
                assert list(Path().glob("*.xml"))
        if serving is not None:
            serving.stop()
            serving = None
    assert set(ran) == {"dlzoo", "pip", "curl", "python", "ovc"}
    wanted = re.findall(r"@(exports/\S+)", PAGE)  # also of requests to the container
    assert wanted
    assert all(Path(one).is_file() for one in wanted)
    for python in re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL):
        names: dict[str, Any] = {}
        exec(compile(python, "serving.md", "exec"), names)  # noqa: S102  (our own page)
        assert np.shape(names["probabilities"]) == (1, 10)


def done(command: str) -> str:
    """Run a command of the page, and return what it printed."""
    words = shlex.split(command)
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout


def installed(words: list[str]) -> None:
    """Check that what is to be installed is among the project's extras."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extra,) = re.findall(r"^dlzoo\[(\w+)\]$", words[-1])
    assert words[0] == "install"
    assert extra in extras["optional-dependencies"]


def test_its_manifest_is_whole() -> None:
    yaml = pytest.importorskip("yaml")
    file = ROOT / "docs" / "kubernetes" / "tensorflow-serving.yaml"
    parts = {one["kind"]: one for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))}
    assert set(parts) == {
        "Deployment",
        "ConfigMap",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    }
    assert all(one["apiVersion"] and one["metadata"]["name"] for one in parts.values())
    template = parts["Deployment"]["spec"]["template"]
    (container,) = template["spec"]["containers"]
    labels = parts["Deployment"]["spec"]["selector"]["matchLabels"]
    for chosen in (
        template["metadata"]["labels"],
        parts["Service"]["spec"]["selector"],
        parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert chosen == labels
    ports = {one["name"] for one in container["ports"]}
    assert {one["targetPort"] for one in parts["Service"]["spec"]["ports"]} == ports
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
        assert container[probe]["httpGet"]["path"].startswith("/v1/models/lenet5-digits")
    volumes = {one["name"]: one for one in template["spec"]["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
    assert volumes["models"]["persistentVolumeClaim"]["readOnly"]
    config = parts["ConfigMap"]
    assert volumes["monitoring"]["configMap"]["name"] == config["metadata"]["name"]
    mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    asked = dict(one.removeprefix("--").split("=") for one in container["args"])
    (monitoring,) = config["data"]
    assert asked["monitoring_config_file"] == f"{mounted['monitoring']}/{monitoring}"
    assert asked["model_config_file"] == f"{mounted['models']}/model.config"
    scaled = parts["HorizontalPodAutoscaler"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == parts["Deployment"]["metadata"]["name"]
    assert scaled["minReplicas"] < scaled["maxReplicas"]
    assert "cpu" in container["resources"]["requests"], "a share of it is what is scaled by"
