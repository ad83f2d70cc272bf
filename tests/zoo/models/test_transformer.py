"""The Transformer: as an independent implementation computes it, and what it may see."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.layers import decoding
from zoo.layers.translator import Translator
from zoo.models.seq2seq import seq2seq
from zoo.models.transformer import transformer

WIDTH, HEADS, HIDDEN, SOURCE, TARGET = 16, 4, 32, 7, 6


def build(**arguments: Any) -> Any:
    keras.utils.set_random_seed(0)
    sizes: dict[str, Any] = {
        "input_shape": (SOURCE,),
        "vocabulary_size": 11,
        "target_shape": (TARGET + 1,),
        "target_vocabulary_size": 11,
        "width": WIDTH,
        "num_layers": 2,
        "num_heads": HEADS,
        "hidden_units": HIDDEN,
        "share_embeddings": True,
    }
    return transformer(**{**sizes, **arguments})


@pytest.fixture(scope="module")
def model() -> Any:
    return build()


def tokens(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 11, (3, length)).astype(np.int32)


def padded() -> np.ndarray:
    source = tokens(SOURCE)
    source[0, 4:] = 0
    return source


def test_its_layers_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours = build(attention_bias=True)
    draw = np.random.default_rng(1)
    for variable in ours.trainable_variables:  # biases and gains too
        variable.assign(draw.normal(size=variable.shape) * 0.3)
    common = {"dropout": 0.0, "batch_first": True, "norm_first": False}
    encoder, decoder = (
        [kind(WIDTH, HEADS, HIDDEN, **common).eval() for _ in range(2)]
        for kind in (torch.nn.TransformerEncoderLayer, torch.nn.TransformerDecoderLayer)
    )

    def copy(parameter: Any, values: Any) -> None:
        with torch.no_grad():
            parameter.copy_(torch.tensor(np.asarray(values)))

    def attention(theirs: Any, mine: Any) -> None:
        parts = (mine.query, mine.key, mine.value)
        copy(theirs.in_proj_weight, np.concatenate([np.asarray(one.kernel).T for one in parts]))
        copy(theirs.in_proj_bias, np.concatenate([np.asarray(one.bias) for one in parts]))
        dense(theirs.out_proj, mine.output_projection)

    def dense(theirs: Any, mine: Any) -> None:
        copy(theirs.weight, np.asarray(mine.kernel).T)
        copy(theirs.bias, mine.bias)

    def norms(theirs: Any, *mine: Any) -> None:
        for number, (_, norm) in enumerate(mine, start=1):
            copy(getattr(theirs, f"norm{number}").weight, norm.gamma)
            copy(getattr(theirs, f"norm{number}").bias, norm.beta)

    for theirs, mine in zip(encoder, ours.encoder_layers, strict=True):
        attention(theirs.self_attn, mine.attention)
        norms(theirs, mine.attention_sum, mine.dense_sum)
        dense(theirs.linear1, mine.hidden)
        dense(theirs.linear2, mine.dense)
    for theirs, mine in zip(decoder, ours.decoder_layers, strict=True):
        attention(theirs.self_attn, mine.attention)
        attention(theirs.multihead_attn, mine.lookup)
        norms(theirs, mine.attention_sum, mine.lookup_sum, mine.dense_sum)
        dense(theirs.linear1, mine.hidden)
        dense(theirs.linear2, mine.dense)

    source, before = padded(), tokens(TARGET, seed=1)
    x = torch.tensor(np.asarray(ours.positions(ours.embedding(source))))
    y = torch.tensor(np.asarray(ours.target_positions(ours.target_embedding(before))))
    padding = torch.tensor(source == 0)
    later = torch.triu(torch.ones(TARGET, TARGET, dtype=torch.bool), diagonal=1)
    with torch.no_grad():
        for layer in encoder:
            x = layer(x, src_key_padding_mask=padding)
        for layer in decoder:
            y = layer(y, x, tgt_mask=later, memory_key_padding_mask=padding)
    memory = np.asarray(ours.encode(source))
    present = source != 0
    np.testing.assert_allclose(memory[present], x.numpy()[present], atol=1e-5)
    table = np.asarray(ours.target_embedding.embeddings)
    expected = torch.softmax(y @ torch.tensor(table).T, dim=-1).numpy()
    given = ours({"source": source, "before": before})
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_padding_of_the_source_and_later_tokens_change_nothing(model: Any) -> None:
    source, before = padded(), tokens(TARGET, seed=1)
    short = build(input_shape=(4,))
    for mine, other in zip(short.weights, model.weights, strict=True):
        mine.assign(other)
    np.testing.assert_allclose(
        short({"source": source[:1, :4], "before": before[:1]}),
        model({"source": source[:1], "before": before[:1]}),
        atol=1e-5,
    )
    changed = before.copy()
    changed[:, 3:] = 5
    first, second = (model({"source": source, "before": one}) for one in (before, changed))
    np.testing.assert_allclose(first[:, :3], second[:, :3], atol=1e-5)


def test_cached_writing_is_what_the_whole_model_writes(model: Any) -> None:
    source = padded()

    @tf.function
    def write(source: Any) -> Any:
        state, context = model.begin(source)
        first = tf.ones((tf.shape(source)[0],), tf.int32)
        return decoding.greedy(model.step, first, state, length=TARGET, end=None, context=context)

    written = np.asarray(write(source).tokens)
    before = np.concatenate([np.ones((3, 1), np.int32), written[:, :-1]], axis=1)
    probabilities = np.asarray(model({"source": source, "before": before}))
    np.testing.assert_array_equal(written, probabilities.argmax(axis=-1))
    looked = np.asarray(model.attention(source, before))
    assert looked.shape == (3, TARGET, SOURCE)
    np.testing.assert_allclose(looked.sum(axis=-1), 1.0, atol=1e-5)
    assert not looked[0, :, 4:].any()


def test_one_table_serves_source_target_and_logits_unless_it_cannot(model: Any) -> None:
    assert model.embedding is model.target_embedding
    apart = build(target_vocabulary_size=9, share_embeddings=False)
    assert apart.count_params() == model.count_params() + 9 * WIDTH
    with pytest.raises(ValueError, match="one vocabulary, got 11 and 9 tokens"):
        build(target_vocabulary_size=9)


def test_other_models_that_write_stay_as_they_are(model: Any) -> None:
    """Keras turns the bases of a functional model into functional ones."""
    sizes: dict[str, Any] = {"input_shape": (SOURCE,), "target_shape": (TARGET + 1,)}
    sizes |= {"vocabulary_size": 11, "target_vocabulary_size": 11, "embedding_dim": 4}
    other: Any = seq2seq(**sizes, units=4, num_layers=1)
    assert all(isinstance(one, Translator) for one in (model, other))
    inputs = {"source": padded(), "before": tokens(TARGET, seed=1)}
    assert model(inputs).shape == other(inputs).shape == (3, TARGET, 11)
    assert len(other.layers) == 2  # its encoder and its decoder
