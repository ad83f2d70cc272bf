"""GPT-2's checkpoints: read with care, and computed as the transformers library computes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.base.errors import UsageError
from zoo.weights.transfer import load_into

WIDTH, HEADS, BLOCKS, TOKENS, LENGTH = 12, 3, 2, 17, 9
SMALL: dict[str, Any] = {
    "input_shape": (LENGTH,),
    "vocabulary_size": TOKENS,
    "width": WIDTH,
    "num_layers": BLOCKS,
    "num_heads": HEADS,
}


def checkpoint() -> dict[str, np.ndarray]:
    """Tensors with the names, shapes and order of axes of the library's GPT-2."""
    draw = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (TOKENS, WIDTH)}
    shapes["wpe.weight"] = (LENGTH, WIDTH)
    for number in range(BLOCKS):
        for name, sizes in {
            "ln_1": (WIDTH,),
            "attn.c_attn": (WIDTH, 3 * WIDTH),
            "attn.c_proj": (WIDTH, WIDTH),
            "ln_2": (WIDTH,),
            "mlp.c_fc": (WIDTH, 4 * WIDTH),
            "mlp.c_proj": (4 * WIDTH, WIDTH),
        }.items():
            shapes[f"h.{number}.{name}.weight"] = sizes
            shapes[f"h.{number}.{name}.bias"] = sizes[-1:]
        shapes[f"h.{number}.attn.bias"] = (1, 1, LENGTH, LENGTH)  # the mask
    shapes["ln_f.weight"] = shapes["ln_f.bias"] = (WIDTH,)
    return {
        name: draw.normal(size=shape).astype(np.float32) * 0.5 for name, shape in shapes.items()
    }


def write(path: Path, tensors: dict[str, np.ndarray], **changes: Any) -> Path:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.nbytes],
        }
        at += tensor.nbytes
    for name, entry in changes.items():
        header[name] = {**header["wte.weight"], **entry}
    text = json.dumps(header).encode()
    data = b"".join(tensor.tobytes() for tensor in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def reference(tensors: dict[str, np.ndarray], tokens: np.ndarray) -> np.ndarray:
    """The logits, written down from the library's definition of GPT-2 in NumPy."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    x = tensors["wte.weight"][tokens] + tensors["wpe.weight"][: len(tokens)]
    for number in range(BLOCKS):
        block = f"h.{number}"
        parts = np.split(dense(norm(x, f"{block}.ln_1"), f"{block}.attn.c_attn"), 3, axis=-1)
        q, k, v = (part.reshape(len(x), HEADS, -1).transpose(1, 0, 2) for part in parts)
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(WIDTH / HEADS)
        scores = np.where(np.tril(np.ones((len(x), len(x)), bool)), scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        x = x + dense((shares @ v).transpose(1, 0, 2).reshape(len(x), -1), f"{block}.attn.c_proj")
        hidden = dense(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc")
        cubic = np.sqrt(2.0 / np.pi) * (hidden + 0.044715 * hidden**3)
        x = x + dense(0.5 * hidden * (1.0 + np.tanh(cubic)), f"{block}.mlp.c_proj")
    return norm(x, "ln_f") @ tensors["wte.weight"].T


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_a_checkpoint_computes_what_the_library_computes(prefix: str, tmp_path: Path) -> None:
    tensors = checkpoint()
    path = write(tmp_path / "model.safetensors", {prefix + key: v for key, v in tensors.items()})
    model = zoo.build("gpt", weights=path, **SMALL)
    tokens = np.random.default_rng(1).integers(TOKENS, size=LENGTH)
    given = np.asarray(model(tokens[None]))[0]
    np.testing.assert_allclose(given, reference(tensors, tokens), atol=1e-4)
    assert load_into(model, "gpt", path).complete
    assert np.array_equal(model.embedding.embeddings, tensors["wte.weight"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"data_offsets": [0, 10**9]}, "ends beyond the file"),
        ({"data_offsets": [4, 0]}, "ends beyond the file"),
        ({"data_offsets": [-4, 0]}, "no shape or place"),
        ({"shape": [2**40, 2**40]}, "which is not its shape"),
        ({"shape": "all"}, "no shape or place"),
        ({}, "overlaps another tensor"),
    ],
)
def test_a_header_that_is_not_true_is_refused(
    entry: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.safetensors", checkpoint(), other=entry)
    with pytest.raises(UsageError, match=message):
        zoo.build("gpt", weights=path, **SMALL)


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_file_that_is_cut_short_is_refused(kept: int, tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", checkpoint())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UsageError, match="weights cannot be read from"):
        zoo.build("gpt", weights=path, **SMALL)


def test_tensors_of_another_model_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", {"conv1.weight": np.ones(3, np.float32)})
    with pytest.raises(UsageError, match=r"conv1.weight is no tensor of a GPT-2"):
        zoo.build("gpt", weights=path, **SMALL)
    with pytest.raises(UsageError, match="not for lenet5"):
        zoo.build("lenet5", weights=path)
