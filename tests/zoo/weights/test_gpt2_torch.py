"""GPT-2 beside torch.nn: the same weights give the same logits, the same texts, the same tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from cli.main import run as dlzoo
from tests.zoo.weights.test_gpt2 import BLOCKS, HEADS, LENGTH, SMALL, WIDTH, checkpoint, write
from zoo.base.errors import UsageError
from zoo.datasets.features.byte_pair_text import BytePairText

TEXTS = [
    "The import statement imports a module, and binds a name in the local scope.",
    "A name is bound by the import statement; an importer may be important.",
    "Unicode is written too: naïve café, 日本語, 🙂 and \t tabs.\n\n  def f(x):\n    return x",
]


def torch_logits(tensors: dict[str, np.ndarray], tokens: np.ndarray) -> np.ndarray:
    """The logits (T, V) of tokens (T,), by torch.nn.TransformerEncoderLayer."""
    torch = pytest.importorskip("torch")

    def tensor(name: str, *, turned: bool = False) -> Any:
        values = torch.from_numpy(np.array(tensors[name]))
        return values.T if turned else values

    def gelu(x: Any) -> Any:
        return torch.nn.functional.gelu(x, approximate="tanh")

    count = len(tokens)
    at = torch.arange(count)
    x = (tensor("wte.weight")[torch.from_numpy(tokens)] + tensor("wpe.weight")[at])[None]
    mask = torch.nn.Transformer.generate_square_subsequent_mask(count)
    with torch.no_grad():
        for number in range(BLOCKS):
            block = torch.nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, 0.0, gelu, 1e-5, batch_first=True, norm_first=True
            )
            places = {
                "norm1": "ln_1",
                "norm2": "ln_2",
                "self_attn.out_proj": "attn.c_proj",
                "linear1": "mlp.c_fc",
                "linear2": "mlp.c_proj",
            }
            state = {
                "self_attn.in_proj_weight": tensor(f"h.{number}.attn.c_attn.weight", turned=True),
                "self_attn.in_proj_bias": tensor(f"h.{number}.attn.c_attn.bias"),
            }
            for ours, theirs in places.items():
                # The library's kernels are (inputs, outputs), torch's are (outputs, inputs).
                turned = "norm" not in ours
                state[f"{ours}.weight"] = tensor(f"h.{number}.{theirs}.weight", turned=turned)
                state[f"{ours}.bias"] = tensor(f"h.{number}.{theirs}.bias")
            block.load_state_dict(state)
            x = block(x, src_mask=mask)
        norm = torch.nn.LayerNorm(WIDTH)
        norm.load_state_dict({"weight": tensor("ln_f.weight"), "bias": tensor("ln_f.bias")})
        return np.asarray((norm(x) @ tensor("wte.weight", turned=True))[0])


def test_logits_are_those_of_torch_to_1e_5(tmp_path: Path) -> None:
    tensors = checkpoint()
    model = zoo.build("gpt", weights=write(tmp_path / "model.safetensors", tensors), **SMALL)
    for seed in range(3):
        tokens = np.random.default_rng(seed).integers(SMALL["vocabulary_size"], size=LENGTH)
        expected = torch_logits(tensors, tokens)
        given = np.asarray(model(tokens[None]))[0]
        assert np.abs(expected).max() > 1
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A GPT-2 as the transformers library saves it, with a vocabulary that tokenizers made."""
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.ByteLevelBPETokenizer()
    made.train_from_iterator(TEXTS, vocab_size=300, min_frequency=1, show_progress=False)
    path = tmp_path / "tiny-gpt2"
    path.mkdir()
    made.save_model(str(path))
    size = made.get_vocab_size() + 1  # GPT-2 has a token for the end of a text
    vocabulary = json.loads((path / "vocab.json").read_text("utf-8"))
    vocabulary["<|endoftext|>"] = size - 1
    (path / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    tensors = checkpoint()
    draw = np.random.default_rng(5)
    tensors["wte.weight"] = draw.normal(size=(size, WIDTH)).astype(np.float32)
    write(path / "model.safetensors", tensors)
    config = {"model_type": "gpt2", "vocab_size": size, "n_positions": LENGTH, "n_embd": WIDTH}
    config |= {"n_layer": BLOCKS, "n_head": HEADS, "activation_function": "gelu_new"}
    (path / "config.json").write_text(json.dumps(config))
    return path


def test_texts_become_the_tokens_that_the_tokenizers_library_gives(folder: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer

    theirs = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    text = BytePairText.from_gpt2(folder, LENGTH)
    for one in (*TEXTS, "", " ", "\x00\x01\x02", "ﬁ <|endoftext|>"):
        (given,) = text.numbers(np.array([one])).to_list()
        assert given == theirs.encode(one).ids
        assert text.decode(np.array([given], int).reshape(1, -1)) == [one]
    assert text.tokens == theirs.get_vocab_size()


def test_a_folder_writes_what_torch_finds_most_probable(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from zoo.weights import safetensors

    tensors = dict(safetensors.read(folder / "model.safetensors"))
    text = BytePairText.from_gpt2(folder, LENGTH)
    (tokens,) = text.numbers(np.array(["The"])).to_list()
    while len(tokens) < LENGTH:
        logits = torch_logits(tensors, np.array(tokens))[-1]
        logits[text.padding] = -np.inf  # the end of a text is never written
        tokens.append(int(logits.argmax()))
    (expected,) = text.decode(np.array([tokens]))
    length = str(LENGTH - len(text.numbers(np.array(["The"])).to_list()[0]))
    words = ["generate", str(folder), "--prompt", "The", "--length", length, "--temperature", "0"]
    assert dlzoo(words) == 0
    assert capsys.readouterr().out == expected + "\n"

    exported = zoo.load(folder).export(tmp_path / "exports")
    assert exported.parent.name == "tiny-gpt2"
    assert (exported / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"activation_function": "relu"}, "activation_function is 'relu'; only GPT-2 with"),
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"n_layer": 0}, "n_layer must be a whole number of at least 1, got 0"),
        ({"n_head": 5}, "num_heads"),
    ],
)
def test_a_folder_of_another_architecture_is_refused(
    changed: dict[str, Any], message: str, folder: Path
) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(UsageError, match=message):
        zoo.load(folder).generate(prompt="The", length=1)


def test_a_vocabulary_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "merges.txt").unlink()
    with pytest.raises(UsageError, match=r"there is no .*merges.txt: a GPT-2 vocabulary is"):
        zoo.load(folder).generate(prompt="The", length=1)


def test_a_folder_of_weights_is_no_run(folder: Path) -> None:
    with pytest.raises(UsageError, match="it can generate and be exported; it is no run"):
        zoo.load(folder).evaluate()
