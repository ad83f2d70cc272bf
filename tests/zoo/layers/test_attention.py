"""Attention: the formula, masks, and that caches change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from zoo.layers.attention import Attention

BATCH, LENGTH, SEEN, WIDTH, HEADS = 2, 5, 7, 8, 2


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def attention(**arguments: Any) -> Attention:
    keras.utils.set_random_seed(0)
    return Attention(HEADS, **arguments)


def test_it_computes_the_papers_formula() -> None:
    layer, query, memory = attention(), noise(1, LENGTH, WIDTH), noise(1, SEEN, WIDTH, seed=1)
    given = layer(query, memory)
    projected = [
        part(x).numpy()[0].reshape(-1, HEADS, WIDTH // HEADS)
        for part, x in ((layer.query, query), (layer.key, memory), (layer.value, memory))
    ]
    heads = []
    for q, k, v in zip(*(part.transpose(1, 0, 2) for part in projected), strict=True):
        scores = q @ k.T / np.sqrt(WIDTH / HEADS)
        weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        heads.append(weights @ v)
    expected = layer.output_projection(np.concatenate(heads, axis=-1)[None])
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_masked_positions_change_nothing_and_maps_add_up_to_one() -> None:
    layer, query, memory = attention(), noise(BATCH, LENGTH, WIDTH), noise(BATCH, SEEN, WIDTH)
    mask = np.arange(SEEN)[None] < np.array([[4], [SEEN]])
    changed = np.where(mask[..., None], memory, 100.0)
    np.testing.assert_allclose(
        layer(query, memory, visible=mask), layer(query, changed, visible=mask), atol=1e-5
    )
    maps = ops.convert_to_numpy(layer.maps(query, memory, visible=mask))
    assert maps.shape == (BATCH, HEADS, LENGTH, SEEN)
    np.testing.assert_allclose(maps.sum(axis=-1), 1.0, atol=1e-5)
    assert not maps[0, :, :, 4:].any()


def test_a_causal_position_does_not_see_later_ones() -> None:
    layer, x = attention(causal=True), noise(BATCH, LENGTH, WIDTH)
    changed = x.copy()
    changed[:, 3:] += 1.0
    before, after = (ops.convert_to_numpy(layer(one)) for one in (x, changed))
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert np.abs(before[:, 3:] - after[:, 3:]).max() > 1e-3


def test_a_token_at_a_time_gives_what_the_whole_text_gives() -> None:
    layer, x = attention(causal=True), noise(BATCH, LENGTH, WIDTH)
    whole = layer(x)
    cache = layer.new_cache(BATCH, LENGTH + 3)
    for at in range(LENGTH):
        given, cache = layer.step(x[:, at : at + 1], cache, at)
        np.testing.assert_allclose(given[:, 0], whole[:, at], atol=1e-5)


def test_a_remembered_sequence_gives_what_the_sequence_gives() -> None:
    layer, query, memory = attention(), noise(BATCH, LENGTH, WIDTH), noise(BATCH, SEEN, 3)
    mask = np.arange(SEEN)[None] < np.array([[4], [SEEN]])
    expected = layer(query, memory, visible=mask)
    given = layer.recall(query, layer.remember(memory), visible=mask)
    np.testing.assert_allclose(given, expected, atol=1e-6)


def test_projections_start_differently_and_one_pass_costs_what_it_says() -> None:
    layer = attention(kernel_initializer=keras.initializers.RandomNormal(stddev=0.02))
    layer(noise(1, LENGTH, WIDTH))
    assert np.abs(layer.query.kernel.numpy() - layer.key.kernel.numpy()).max() > 0.0
    assert layer.multiply_adds() == 4 * LENGTH * WIDTH**2 + 2 * LENGTH**2 * WIDTH


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    query, memory = keras.Input((LENGTH, WIDTH)), keras.Input((SEEN, WIDTH))
    mask = keras.Input((SEEN,))
    layer = attention(use_bias=False, dropout=0.1)
    model = keras.Model([query, memory, mask], layer(query, memory, visible=mask))
    model.save(tmp_path / "model.keras")
    values = [noise(1, LENGTH, WIDTH), noise(1, SEEN, WIDTH), np.ones((1, SEEN))]
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(values), model(values), atol=1e-6)


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="num_heads must divide the width 8, got 3"):
        Attention(3)(noise(1, LENGTH, WIDTH))
