"""The stage table: how layers are grouped, what is said of them, and what they cost."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import zoo
from zoo.anatomy.counts import multiply_adds, trainable_parameters
from zoo.anatomy.stages import Stage, published, stages
from zoo.layers.convolution import Conv2D
from zoo.layers.training_outputs import ManyOutputs


def of(*row: keras.layers.Layer, shape: tuple[int, ...] = (12, 12, 4)) -> list[Stage]:
    """The stages of layers in a row."""
    return stages(keras.Sequential([keras.Input(shape), *row]))


def test_layers_that_share_the_first_part_of_their_name_are_one_stage() -> None:
    found = of(
        layers.ZeroPadding2D(1, name="conv1_pad"),
        layers.Conv2D(6, 3, strides=2, use_bias=False, name="conv1_conv"),
        layers.BatchNormalization(name="conv1_norm"),
        layers.ReLU(name="conv1_relu"),
        layers.Conv2D(8, 1, name="conv2_1"),
        layers.Conv2D(8, 3, padding="same", name="conv2_2"),
        layers.Conv2D(8, 3, padding="same", name="conv2_3"),
        layers.MaxPooling2D(3, strides=2, name="conv2_pool"),
        layers.GlobalAveragePooling2D(name="pool"),
        layers.Dense(5, name="probabilities"),
    )
    assert [(stage.name, stage.made_of, stage.output_shape) for stage in found] == [
        ("conv1", "conv 3×3 /2", (6, 6, 6)),
        ("conv2", "3 conv 1×1, 3×3 + max pool 3×3 /2", (2, 2, 8)),
        ("pool", "global average pool", (8,)),
        ("probabilities", "dense", (5,)),
    ]
    assert found[0].parameters == 3 * 3 * 4 * 6 + 2 * 6
    assert found[0].macs == (6 * 6) * (3 * 3 * 4 * 6)


@pytest.mark.parametrize(
    ("layer", "made_of"),
    [
        (layers.Conv2D(4, (5, 3), strides=(2, 1)), "conv 5×3 /2×1"),
        (Conv2D(4, 3, groups=2), "conv 3×3 in 2 groups"),
        (layers.DepthwiseConv2D(3), "depthwise conv 3×3"),
        (layers.Conv2DTranspose(4, 4, strides=2), "transposed conv 4×4 /2"),
        (layers.AveragePooling2D(2), "average pool 2×2"),
        (layers.MaxPooling2D(3, strides=1), "max pool 3×3 /1"),
        (layers.Reshape((16, 36)), "reshape"),
    ],
)
def test_a_stage_is_told_by_its_kinds_sizes_and_strides(
    layer: keras.layers.Layer, made_of: str
) -> None:
    assert [stage.made_of for stage in of(layer)] == [made_of]


def test_what_changes_nothing_but_the_form_is_no_stage_unless_it_has_weights() -> None:
    found = of(layers.Dropout(0.5), layers.Flatten(), layers.BatchNormalization(name="norm"))
    assert [(stage.name, stage.made_of) for stage in found] == [("norm", "batch normalization")]


def test_a_name_that_keras_counted_up_is_shown_without_its_number() -> None:
    layers.Dense(1)  # from here on Keras's own names have numbers
    assert [stage.name for stage in of(layers.Dense(3), shape=(2,))] == ["dense"]


def test_networks_within_a_model_are_told_by_their_names() -> None:
    assert [stage.name for stage in stages(zoo.build("vae", hidden_units=(3,)))] == [
        "encoder/dense",
        "encoder/mean_and_log_variance",
        "decoder/dense",
        "decoder/logits",
        "decoder/reshape",
    ]


def test_what_only_training_uses_comes_last_and_costs_nothing_at_inference() -> None:
    inputs = keras.Input((6,))
    x = layers.Dense(4, name="body")(inputs)
    beside = layers.Dense(7, name="auxiliary_fc")(x)
    beside = layers.Dense(3, name="auxiliary_probabilities")(beside)
    answer = layers.Dense(3, name="probabilities")(layers.Dense(5, name="top")(x))
    model = ManyOutputs(inputs, [answer, beside])
    found = stages(model)
    assert [stage.name for stage in found] == ["body", "top", "probabilities", "auxiliary"]
    assert [stage.training_only for stage in found] == [False, False, False, True]
    assert found[-1] == Stage(
        name="auxiliary",
        made_of="2 dense",
        output_shape=(3,),
        parameters=5 * 7 + 8 * 3,
        macs=0,
        training_only=True,
    )
    assert sum(stage.parameters for stage in found) == trainable_parameters(model)
    assert sum(stage.macs for stage in found) == multiply_adds(model)


def test_the_stages_of_a_classic_are_the_papers() -> None:
    assert [(stage.name, stage.made_of, stage.output_shape) for stage in published("lenet5")] == [
        ("C1", "conv 5×5", (28, 28, 6)),
        ("S2", "average pool 2×2", (14, 14, 6)),
        ("C3", "conv 5×5", (10, 10, 16)),
        ("S4", "average pool 2×2", (5, 5, 16)),
        ("C5", "conv 5×5", (1, 1, 120)),
        ("F6", "dense", (84,)),
        ("probabilities", "dense", (10,)),
    ]
    names = [stage.name for stage in published("resnet50")]
    body = ["conv1", "pool1", "conv2", "conv3", "conv4", "conv5"]
    assert names == [*body, "pool", "probabilities"]


def test_a_model_of_another_distribution_has_no_stages_written_down() -> None:
    assert published("somebody-elses") == []


def test_the_layers_of_a_subclassed_model_are_stages_too() -> None:
    class Reader(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = layers.LSTM(5, name="recurrent")
            self.top = layers.Dense(2, name="top")

        def call(self, inputs: Any) -> Any:
            return self.top(self.recurrent(inputs))

    model = Reader()
    model(np.zeros((2, 7, 3), "float32"))
    assert [(stage.name, stage.made_of, stage.output_shape) for stage in stages(model)] == [
        ("recurrent", "LSTM", (5,)),
        ("top", "dense", (2,)),
    ]
    assert sum(stage.macs for stage in stages(model)) == multiply_adds(model)
