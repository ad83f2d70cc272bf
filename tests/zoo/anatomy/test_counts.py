"""Multiply-adds, depth and parameters, on layers small enough to count by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from zoo.anatomy.counts import depth, multiply_adds, trainable_parameters
from zoo.layers.training_outputs import ManyOutputs


def network_of(*layers: Any, shape: tuple[int | None, ...], dtype: str = "float32") -> Any:
    """A model of layers in a row."""
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def test_a_dense_layer_multiplies_each_weight_once() -> None:
    assert multiply_adds(network_of(keras.layers.Dense(5), shape=(3,))) == 3 * 5


def test_a_dense_layer_over_a_sequence_is_used_at_each_position() -> None:
    assert multiply_adds(network_of(keras.layers.Dense(5), shape=(7, 3))) == 7 * 3 * 5


def test_a_convolution_is_used_at_each_pixel_of_its_output() -> None:
    strided = keras.layers.Conv2D(4, 3, strides=2, padding="same")
    assert multiply_adds(network_of(strided, shape=(8, 6, 2))) == (4 * 3) * (3 * 3 * 2 * 4)


def test_a_grouped_convolution_costs_its_share() -> None:
    grouped = keras.layers.Conv2D(4, 3, groups=2, padding="same")
    assert multiply_adds(network_of(grouped, shape=(8, 6, 2))) == (8 * 6) * (3 * 3 * 1 * 4)


def test_a_transposed_convolution_is_used_at_each_pixel_of_its_input() -> None:
    transposed = keras.layers.Conv2DTranspose(4, 4, strides=2, padding="same")
    assert multiply_adds(network_of(transposed, shape=(8, 6, 2))) == (8 * 6) * (4 * 4 * 2 * 4)


def test_a_recurrent_layer_is_used_at_each_step_whatever_it_returns() -> None:
    one_step = 4 * (3 * 5 + 5 * 5)
    for whole_sequence in (False, True):
        layer = keras.layers.LSTM(5, return_sequences=whole_sequence)
        assert multiply_adds(network_of(layer, shape=(7, 3))) == 7 * one_step
    both_ways = keras.layers.Bidirectional(keras.layers.LSTM(5))
    assert multiply_adds(network_of(both_ways, shape=(7, 3))) == 2 * 7 * one_step


def test_masked_sequences_cost_what_whole_ones_do() -> None:
    embedding = keras.layers.Embedding(11, 3, mask_zero=True)
    model = network_of(embedding, keras.layers.LSTM(5), shape=(7,), dtype="int32")
    assert multiply_adds(model) == 7 * 4 * (3 * 5 + 5 * 5)


def test_looking_up_normalising_and_pooling_cost_nothing() -> None:
    kinds = keras.layers
    free = [kinds.BatchNormalization(), kinds.AveragePooling2D(2), kinds.Flatten()]
    assert multiply_adds(network_of(*free, shape=(4, 4, 2))) == 0
    assert multiply_adds(network_of(kinds.Embedding(11, 3), shape=(7,), dtype="int32")) == 0


def test_an_attention_layer_counts_its_projections_and_each_pair_of_positions() -> None:
    queries, values = keras.Input((5, 3)), keras.Input((7, 6))
    attention = layers.MultiHeadAttention(num_heads=2, key_dim=4, value_dim=8)
    model = keras.Model([queries, values], attention(queries, values))
    projections = 5 * 3 * 8 + 7 * 6 * 8 + 7 * 6 * 16 + 5 * 16 * 3
    assert multiply_adds(model) == projections + 5 * 7 * (8 + 16)


@pytest.mark.parametrize(
    ("equation", "output_shape", "expected"),
    [
        ("abc,cd->abd", (7, 5), 7 * 3 * 5),
        ("...c,cd->...d", (5,), 7 * 3 * 5),
        ("abc,cde->abde", (7, 2, 5), 7 * 3 * 2 * 5),
        ("abc,bcd->ad", (5,), 7 * 3 * 5),
    ],
)
def test_an_einsum_multiplies_over_all_its_letters(
    equation: str, output_shape: tuple[int, ...], expected: int
) -> None:
    layer = layers.EinsumDense(equation, output_shape=output_shape)
    assert multiply_adds(network_of(layer, shape=(7, 3))) == expected


def test_a_bias_of_two_axes_is_not_multiplied() -> None:
    gru = layers.GRU(5)  # its bias is (2, 15)
    assert multiply_adds(network_of(gru, shape=(7, 3))) == 7 * 3 * (3 * 5 + 5 * 5)


def test_a_sequence_of_unknown_length_counts_one_step() -> None:
    assert multiply_adds(network_of(layers.LSTM(5), shape=(None, 3))) == 4 * (3 * 5 + 5 * 5)


class Row(keras.Model):
    """Layers in a row of a subclassed model: none of them has a symbolic input."""

    def __init__(self, *row: Any) -> None:
        super().__init__()
        self.row = list(row)

    def call(self, inputs: Any) -> Any:
        for layer in self.row:
            inputs = layer(inputs)
        return inputs


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.LSTM(5), (7, 3)),
        (lambda: layers.LSTM(5, return_sequences=True), (7, 3)),
        (lambda: layers.RNN(layers.GRUCell(5)), (7, 3)),
        (lambda: layers.Bidirectional(layers.LSTM(5)), (7, 3)),
        (lambda: layers.Dense(5), (7, 3)),
        (lambda: layers.TimeDistributed(layers.Dense(5)), (7, 3)),
        (lambda: layers.EinsumDense("abc,cd->abd", output_shape=(7, 5)), (7, 3)),
        (lambda: layers.Conv2D(4, 3, strides=2), (8, 6, 2)),
        (lambda: layers.Conv2DTranspose(4, 4, strides=2), (8, 6, 2)),
    ],
)
def test_a_layer_of_a_subclassed_model_costs_what_it_costs_in_a_functional_one(
    make: Any, shape: tuple[int, ...]
) -> None:
    subclassed = Row(make())
    subclassed(np.zeros((2, *shape), "float32"))
    assert multiply_adds(subclassed) == multiply_adds(network_of(make(), shape=shape))


def test_a_layer_whose_shapes_cannot_be_known_is_counted_once() -> None:
    class Odd(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(3, 5))

        def compute_output_shape(self, input_shape: Any) -> Any:
            raise NotImplementedError

        def call(self, inputs: Any) -> Any:
            return inputs @ self.kernel

    model = Row(Odd())
    model(np.zeros((2, 3), "float32"))
    assert multiply_adds(model) == 3 * 5


def test_networks_within_a_network_are_counted_too() -> None:
    inner = network_of(keras.layers.Dense(5), shape=(3,))
    assert multiply_adds(network_of(inner, keras.layers.Dense(2), shape=(3,))) == 3 * 5 + 5 * 2


def test_only_what_is_trained_is_a_parameter() -> None:
    model = network_of(keras.layers.Dense(5), keras.layers.BatchNormalization(), shape=(3,))
    assert trainable_parameters(model) == (3 * 5 + 5) + (5 + 5)  # not the moving statistics


# How depth is counted.


def test_layers_count_in_a_depth_where_they_have_weights_and_do_not_only_normalise() -> None:
    layers = keras.layers
    model = network_of(
        layers.Embedding(9, 4),
        layers.LSTM(3),
        layers.BatchNormalization(),
        layers.Dense(5),
        layers.LayerNormalization(),
        layers.ReLU(),
        layers.Dropout(0.5),
        layers.Dense(1),
        shape=(7,),
        dtype="int32",
    )
    assert depth(model) == 3


def test_the_longest_way_counts_and_a_shared_layer_each_time_it_is_used() -> None:
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4)
    x = shared(shared(shared(inputs)))
    shortcut = keras.layers.Dense(4)(inputs)
    model = keras.Model(inputs, keras.layers.Add()([shortcut, x]))
    assert depth(model) == 3
    nested = keras.Sequential([keras.Input((4,)), model, keras.layers.Dense(2)])
    assert depth(nested) == 4


def test_a_depth_leads_to_the_answer_and_not_to_what_only_training_sees() -> None:
    inputs = keras.Input((4,))
    answer = keras.layers.Dense(3)(inputs)
    beside = keras.layers.Dense(4)(keras.layers.Dense(5)(answer))
    assert depth(ManyOutputs(inputs, [answer, beside])) == 1
