"""The page that lies beside an export: what goes in, what comes out, and requests that work."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

REQUESTS = "requests"
ANSWERING = "answer.py"


def write_requests(folder: Path, asked: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write a request in TensorFlow Serving's row form for each signature.

    Args:
        folder: The export's.
        asked: Inputs (N, …) by name, by signature; the first example is taken.
    """
    (folder / REQUESTS).mkdir()
    for signature, inputs in asked.items():
        row = {name: as_json(values[0]) for name, values in inputs.items()}
        body: dict[str, Any] = {"signature_name": signature, "instances": [row]}
        text = json.dumps(body, ensure_ascii=False) + "\n"
        (folder / REQUESTS / f"{signature}.json").write_text(text, encoding="utf-8")


def as_json(value: Any) -> Any:
    """Return a value as the REST interface writes it: bytes as ``{"b64": …}``."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def agreed(report: Mapping[str, Any]) -> str:
    """Return the share of examples with the same answers, where they can be the same."""
    return "" if report["agreement"] is None else f"{report['agreement']:.2%}"


def scored(report: Mapping[str, Any]) -> str:
    """Return the artefact's score with its name, where it has one."""
    if report["artefact_score"] is None:
        return ""
    return f"{report['artefact_score']:.4f} {report['score'].replace('_', ' ')}"


def page(facts: Mapping[str, Any], uses: Mapping[str, str]) -> str:
    """Return the page in Markdown.

    Args:
        facts: What ``export.json`` says.
        uses: The lines of Python that use a file beside, by its name.
    """
    name, version = facts["name"], facts["version"]
    lines = [
        f"# {name}, version {version}",
        "",
        f"From the run {facts['run']}; the task is {facts['task']}. All that the model needs "
        "to read its inputs is in this folder.",
    ]
    if "savedmodel" in facts["formats"]:
        lines += _served(facts)
    for file, use in uses.items():
        told = "The signatures take and give tokens as numbers. What is text, this file knows:"
        lines += ["", f"## `{file}`", "", told, "", "```python", use.rstrip(), "```"]
    lines += _formats(facts)
    return "\n".join([*lines, ""])


def _served(facts: Mapping[str, Any]) -> list[str]:
    name = facts["name"]
    lines = [
        "",
        "## TensorFlow Serving",
        "",
        "Start a server in the folder above `" + name + "`:",
        "",
        "```console",
        "$ docker run -p 8501:8501 -v $PWD:/models tensorflow/serving "
        "--model_config_file=/models/model.config",
        "```",
        "",
        f"or `dlzoo serve {name}`. The requests below are run in this folder.",
    ]
    for signature, sides in facts["signatures"].items():
        lines += ["", f"### `{signature}`", "", "| | name | type | shape |", "|---|---|---|---|"]
        for word, side in (("in", sides["inputs"]), ("out", sides["outputs"])):
            for key, one in side.items():
                shape = " × ".join("any" if part is None else str(part) for part in one["shape"])
                lines.append(f"| {word} | `{key}` | {one['dtype']} | {shape} |")
        lines += [
            "",
            "```console",
            f"$ curl -d @{REQUESTS}/{signature}.json http://localhost:8501/v1/models/{name}:predict",
            "```",
        ]
    return lines


def _formats(facts: Mapping[str, Any]) -> list[str]:
    lines = ["", "## Formats", "", "| format | files | left out |", "|---|---|---|"]
    for name, one in facts["formats"].items():
        files = ", ".join(f"`{file}`" for file in one["files"])
        notes = [one.get("left_out", "")]
        if one.get("quantized"):
            notes.append(f"quantized: {one['quantized']}")
        if one.get("batch"):
            notes.append(f"takes {one['batch']} example at a time")
        lines.append(f"| {name} | {files} | {'; '.join(note for note in notes if note)} |")
    if ANSWERING in facts.get("files", ()):
        lines += [
            "",
            f"`{ANSWERING}` asks them without dlzoo: it needs NumPy and the format's own runtime.",
            "",
            "```console",
            f"$ python {ANSWERING} --help",
            "```",
        ]
    lines += [
        "",
        "## Checked",
        "",
        "Before the folder got its name, each format was loaded in a fresh process by its own "
        "runtime, and its answers were compared with the Keras model's. `dlzoo verify .` does it "
        "again.",
        "",
        "| format | signature | examples | largest difference | same answers | score | bytes | "
        "ms for one |",
        "|---|---|---:|---:|---:|---|---:|---:|",
    ]
    for row in facts["reports"]:
        score = ""
        if row["artefact_score"] is not None:
            score = f"{row['score']} {row['artefact_score']:.4f} (model {row['model_score']:.4f})"
        lines.append(
            f"| {row['format']} | `{row['signature']}` | {row['examples']:,} | "
            f"{row['largest_difference']:.1e} | {agreed(row)} | {score} | {row['size']:,} | "
            f"{row['milliseconds']:.2f} |"
        )
    return lines
