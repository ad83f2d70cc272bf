"""`dlzoo info`."""

from __future__ import annotations

import pytest

import zoo
from recipes import library
from tests.cli.conftest import Dlzoo


def test_a_card_is_shown_whole(dlzoo: Dlzoo) -> None:
    result = dlzoo("info", "resnet50")
    assert result.code == 0
    for fact in (
        "resnet50",
        "25,557,032",
        "3,857,973,248",
        "224 × 224 × 3",
        "He, Zhang, Ren, Sun, 2015",
        "Deep residual learning for image recognition",
        "https://arxiv.org/abs/1512.03385",
        "zoo.models.resnet:resnet50",
    ):
        assert fact in result.out
    assert result.err.splitlines() == [
        "next: dlzoo recipes show resnet50-digits",
        "      dlzoo train resnet50",
    ]


def test_a_family_means_its_default_member(dlzoo: Dlzoo) -> None:
    assert dlzoo("info", "resnet").out == dlzoo("info", "resnet20").out


@pytest.mark.parametrize("name", zoo.list_models())
def test_every_model_can_be_asked_about(name: str, dlzoo: Dlzoo) -> None:
    told = dlzoo("info", name, "--json").json
    card = zoo.card(name)
    assert told["name"] == name
    assert told["parameters"] == card.parameters
    assert told["input_shape"] == list(card.input_shape)
    assert told["paper"]["year"] == card.paper.year


def test_a_model_s_recipes_are_named_with_their_targets(dlzoo: Dlzoo) -> None:
    told = dlzoo("info", "mlp", "--json").json
    assert told["recipes"].keys() == {name for name in library.names() if name.startswith("mlp-")}
    assert told["recipes"]["mlp-xor"] == "accuracy ≥ 1"
    assert "mlp-xor" in dlzoo("info", "mlp").out


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("resnt50", "unknown model 'resnt50'. Did you mean 'resnet50'?"),
        ("LeNet5", "unknown model 'LeNet5'. Did you mean 'lenet5'?"),
        ("transformer", "unknown model 'transformer'. See them with: dlzoo list"),
    ],
)
def test_an_unknown_model_is_refused(typed: str, message: str, dlzoo: Dlzoo) -> None:
    assert dlzoo("info", typed).refusal == message
