#!/usr/bin/env python3
"""Ask the model in this folder, with its own runtime and NumPy alone.

    python answer.py --format onnx 'Deutschland'          a text
    python answer.py --format litert '{"width": 1.5}'     inputs by name, as JSON
    python answer.py '{"label": 7, "seed": 3}'            an image, where it is made step by step
    python answer.py --samples                            the examples in samples.npz

It does what the format cannot carry: texts become numbers of tokens, a model that writes is asked
again for each next token, and one that makes an image step by step is asked again for each step.
Images that go in are pixels from 0 to 255 of the model's size.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Answers = dict[str, np.ndarray]
Ask = Callable[[dict[str, np.ndarray]], Answers]

UNKNOWN, START, END = 1, 2, 3
MARKS = "\x01\x02\x03"
FILES = {"onnx": "model.onnx", "litert": "model.tflite", "openvino": "model.xml"}


def onnx(file: Path) -> Ask:
    """Return a function that asks ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file))
    names = [one.name for one in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def litert(file: Path) -> Ask:
    """Return a function that asks LiteRT's interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    runner = interpreter.get_signature_runner()

    def ask(inputs: dict[str, np.ndarray]) -> Answers:
        return {name: np.array(one) for name, one in runner(**inputs).items()}

    return ask


def openvino(file: Path) -> Ask:
    """Return a function that asks OpenVINO, in 32 bits."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # sends nothing
    import openvino as ov

    compiled = ov.Core().compile_model(str(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def ask(inputs: dict[str, np.ndarray]) -> Answers:
        found = compiled(inputs)
        return {one.get_any_name(): np.array(found[one]) for one in compiled.outputs}

    return ask


class Model:
    """The model of one folder in one format.

    Args:
        folder: The export's.
        form: ``"onnx"``, ``"litert"`` or ``"openvino"``; the first that is there by default.
    """

    def __init__(self, folder: Path, form: str | None = None) -> None:
        self.facts = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        there = [name for name, file in FILES.items() if (folder / file).is_file()]
        form = form or next(iter(there), None)
        if form not in there:
            raise SystemExit(f"{folder} holds {', '.join(there) or 'no format for this'}")
        self.ask: Ask = {"onnx": onnx, "litert": litert, "openvino": openvino}[form](
            folder / FILES[form]
        )
        self.inputs: dict[str, Any] = self.facts["portable"]["inputs"]
        data = self.facts["data"]
        self.features: dict[str, Any] = data["features"]
        self.source = self.features[data["inputs"][0]]
        self.target = self.features[data["targets"][0]] if data["targets"] else {}

    def __call__(self, value: Any) -> dict[str, Any]:
        """Return the answer to a text, or to inputs by name."""
        if isinstance(value, str):
            if self.source["type"] != "text":
                raise SystemExit(f"this model takes {', '.join(self.inputs)}, as JSON")
            return self._text(value)
        if "next_time" in self.inputs and "latent" not in value:
            return {"image": self._sampled(value).tolist()}
        if "hidden" in self.inputs and "hidden" not in value:
            return {"image": self._chained(value).tolist()}
        if "before" in self.inputs and "before" not in value:
            (name,) = (name for name in self.inputs if name != "before")
            if name in value:
                given = np.array([value[name]], self.inputs[name]["dtype"])
                return {"text": self._written({name: given})}
        missing = [name for name in self.inputs if name not in value]
        if missing:
            raise SystemExit(f"this model takes {', '.join(self.inputs)}; not given: {missing[0]}")
        return self._named(
            self.ask({n: np.array([value[n]], one["dtype"]) for n, one in self.inputs.items()})
        )

    def _named(self, answers: Answers) -> dict[str, Any]:
        """Return plain values, with the names of classes."""
        plain: dict[str, Any] = {name: one[0].tolist() for name, one in answers.items()}
        names = self.target.get("names")
        if names and "class_ids" in plain:
            classes = plain["class_ids"]
            several = classes if isinstance(classes, list) else [classes]
            told = [names[at] if at >= 0 else "" for at in several]
            plain["labels"] = told if isinstance(classes, list) else told[0]
        return plain

    def _text(self, text: str) -> dict[str, Any]:
        if "tokens" in self.inputs:
            return {"text": self._continued(text)}
        name, one = next(iter(self.inputs.items()))
        length = one["shape"][1]
        padded = np.full((1, length), self.source.get("padding", 0), one["dtype"])
        numbers = encode(self.source, text, length)[:length]
        padded[0, : len(numbers)] = numbers
        if "before" in self.inputs:
            return {"text": self._written({name: padded})}
        return self._named(self.ask({name: padded}))

    def _written(self, asked: dict[str, np.ndarray]) -> str:
        """Write the most probable token until the end token."""
        most = self.inputs["before"]["shape"][1]
        padding = self.target.get("padding", 0)
        asked = {**asked, "before": np.full((1, most), padding, "int32")}
        written: list[int] = [START]
        while len(written) <= most and written[-1] != END:
            asked["before"][0, : len(written)] = written
            written.append(int(self.ask(asked)["probabilities"][0, len(written) - 1].argmax()))
        return decode(self.target, written)

    def _sampled(self, value: dict[str, Any]) -> np.ndarray:
        """Take the noise of a ``seed`` away, step by step, and return an image of a ``label``."""
        shape = self.inputs["latent"]["shape"][1:]
        latent = np.random.default_rng(value.get("seed", 0)).normal(size=(1, *shape))
        asked = {"latent": latent.astype("float32")}
        if "label" in self.inputs:
            asked["label"] = np.array([value.get("label", 0)], self.inputs["label"]["dtype"])
        times = self.facts["portable"]["constants"]["times"]
        for at, time in enumerate(times[:-1]):
            asked["time"] = np.array([time], "int32")
            asked["next_time"] = np.array([times[at + 1]], "int32")
            asked["latent"] = self.ask(asked)["image"]
        return np.asarray(np.clip(0.5 * asked["latent"][0] + 0.5, 0.0, 1.0))

    def _chained(self, value: dict[str, Any]) -> np.ndarray:
        """Draw hidden and visible units in turn by a ``seed``, and return the means at the end."""
        chain = self.facts["portable"]["constants"]
        random = np.random.default_rng(value.get("seed", 0))
        binary = chain["visible"] == "bernoulli"

        def drawn(name: str, chances: np.ndarray) -> None:
            if name == "hidden" or binary:
                units = random.random(chances.shape) < chances
            else:
                units = chances + chain["deviation"] * random.normal(size=chances.shape)
            asked[name] = units.astype("float32")

        sizes = {name: (1, one["shape"][1]) for name, one in self.inputs.items()}
        start = random.normal(size=sizes["visible"])
        asked = {"hidden": np.zeros(sizes["hidden"], "float32")}
        asked["visible"] = (start > 0.0 if binary else start).astype("float32")
        for _ in range(chain["steps"]):
            drawn("hidden", self.ask(asked)["hidden_odds"])
            drawn("visible", self.ask(asked)["visible_means"])
        asked["hidden"] = self.ask(asked)["hidden_odds"]  # at the end, means stand for draws
        return np.asarray(self.ask(asked)["image"][0])

    def _continued(self, text: str) -> str:
        """Write the most probable token until the model's length is full."""
        most = self.inputs["tokens"]["shape"][1]
        padding = self.source.get("padding", 0)
        never = [padding, UNKNOWN] if padding == 0 else [padding]  # GPT-2 has no unknown token
        tokens = np.full((1, most), padding, "int32")
        numbers = encode(self.source, text)[:most] or [UNKNOWN]
        tokens[0, : len(numbers)] = numbers
        for at in range(len(numbers), most):
            logits = self.ask({"tokens": tokens})["logits"][0, at - 1]
            logits[never] = -np.inf
            tokens[0, at] = int(logits.argmax())
        return decode(self.source, tokens[0].tolist())


def encode(text: dict[str, Any], value: str, length: int | None = None) -> list[int]:
    """Return the numbers of a text's tokens, as the model was trained with."""
    if "tokenizer" in text:
        numbers = _pairs(text).encode(value).ids
        return _marked(text, numbers, length)
    if text["marked"]:  # a mark within a text would end it
        value = "".join(MARKS[0] if one in MARKS[1:] else one for one in value)
    if text["lowercase"]:
        value = value.lower()
    first = 4 if text["marked"] else 2
    known = {token: first + at for at, token in enumerate(text["vocabulary"])}
    tokens = list(value) if text["unit"] == "character" else value.split()
    numbers = [known.get(token, UNKNOWN) for token in tokens]
    return _marked(text, numbers, length)


def _marked(text: dict[str, Any], numbers: list[int], length: int | None) -> list[int]:
    if not text["marked"]:
        return numbers
    return [START, *numbers[: (length or len(numbers) + 2) - 2], END]


def _pairs(text: dict[str, Any]) -> Any:
    """Return a vocabulary of byte pairs."""
    from tokenizers import Tokenizer

    pairs = Tokenizer.from_str(text["tokenizer"])
    pairs.encode_special_tokens = True  # in a text, "<|end|>" is seven characters
    return pairs


def decode(text: dict[str, Any], numbers: list[int]) -> str:
    """Return the text of tokens, up to the end token."""
    if "tokenizer" in text:
        special = {text["padding"]}
        if text["marked"]:
            numbers = numbers[: numbers.index(END)] if END in numbers else numbers
            special.add(START)
        return str(_pairs(text).decode([one for one in numbers if one not in special]))
    first = 4 if text["marked"] else 2
    tokens = []
    for number in numbers:
        if text["marked"] and number == END:
            break
        if number == UNKNOWN:
            tokens.append("\ufffd")
        elif number >= first:
            tokens.append(text["vocabulary"][number - first])
    return ("" if text["unit"] == "character" else " ").join(tokens)


def main() -> None:
    """Answer the command line, one JSON document a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("values", nargs="*", help="texts, or inputs by name as JSON")
    parser.add_argument("--format", choices=list(FILES))
    parser.add_argument("--samples", action="store_true", help="ask with samples.npz")
    given = parser.parse_args()
    folder = Path(__file__).resolve().parent
    model = Model(folder, given.format)
    values: list[Any] = [json.loads(one) if one.startswith("{") else one for one in given.values]
    if given.samples:
        key = "portable/serving_default/in/"
        with np.load(folder / "samples.npz", allow_pickle=False) as kept:
            columns = {name: kept[key + name] for name in model.inputs}
        size = len(next(iter(columns.values())))
        values += [{name: one[at] for name, one in columns.items()} for at in range(size)]
    if not values:
        parser.error("say what to ask, or --samples")
    for value in values:
        json.dump(model(value), sys.stdout, ensure_ascii=False)
        print()


if __name__ == "__main__":
    main()
