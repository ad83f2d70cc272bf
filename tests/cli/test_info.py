"""`dlzoo info`."""

from __future__ import annotations

import dataclasses

import pytest

import zoo
from recipes import library
from tests.cli.conftest import Dlzoo, Terminal, unstyled
from zoo.anatomy.stages import Stage


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
        "50 layers with weights",
        "resnet (its default model is resnet20)",
        *zoo.card("resnet50").special,
    ):
        assert fact in result.out
    assert result.err.splitlines() == [
        "next: dlzoo recipes show resnet50-digits",
        "      dlzoo train resnet50",
    ]


def test_a_family_means_its_default_member(dlzoo: Dlzoo) -> None:
    assert dlzoo("info", "resnet").out == dlzoo("info", "resnet20").out


def test_the_stages_are_shown_with_what_they_are_made_of_and_cost(dlzoo: Dlzoo) -> None:
    lines = [" ".join(line.split()) for line in dlzoo("info", "lenet5").out.splitlines()]
    assert "stage made of output parameters multiply-adds" in lines
    assert "C3 conv 5×5 10×10×16 2,416 240,000" in lines
    assert "S4 average pool 2×2 5×5×16 0 0" in lines


def test_what_only_training_uses_is_marked(dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch) -> None:
    head = Stage(
        name="auxiliary",
        made_of="2 dense",
        output_shape=(10,),
        parameters=1234,
        macs=0,
        training_only=True,
    )
    monkeypatch.setattr("cli.info.published", lambda name: [head])
    assert "auxiliary  2 dense  10           1,234  training only" in dlzoo("info", "mlp").out


def test_a_plug_in_without_stages_depth_or_special_lines_leaves_them_out(
    dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in = dataclasses.replace(
        zoo.card("lenet5"), name="lenet6", family="lenet6", depth=0, special=(), recipe="none"
    )
    monkeypatch.setattr("zoo.registry._table", lambda: {"lenet6": plug_in})
    monkeypatch.setattr("cli.info.entries", list)
    result = dlzoo("info", "lenet6")
    assert result.code == 0
    for word in ("stage", "depth", "special", "multiply-adds  0"):
        assert word not in result.out
    assert result.err == "next: dlzoo train lenet6\n"
    told = dlzoo("info", "lenet6", "--json").json
    assert (told["stages"], told["recipes"], told["depth"]) == ([], [], 0)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", ["resnet50", "vae", "mlp"])
def test_in_a_terminal_all_of_it_fits_the_width(
    name: str,
    width: int,
    terminal: Terminal,
    dlzoo: Dlzoo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    assert dlzoo("info", name).code == 0
    shown = unstyled(terminal.getvalue())
    assert max(len(line) for line in shown.splitlines()) <= width
    for words in zoo.card(name).special:
        assert words in " ".join(shown.split())


@pytest.mark.parametrize("name", zoo.list_models())
def test_every_model_can_be_asked_about(name: str, dlzoo: Dlzoo) -> None:
    told = dlzoo("info", name, "--json").json
    card = zoo.card(name)
    assert told["name"] == name
    assert told["parameters"] == card.parameters
    assert told["input_shape"] == list(card.input_shape)
    assert told["paper"]["year"] == card.paper.year
    assert told["depth"] == card.depth
    assert told["special"] == list(card.special)
    assert told["family_default"] == zoo.card(card.family).name
    assert sum(stage["parameters"] for stage in told["stages"]) == card.parameters
    assert sum(stage["macs"] for stage in told["stages"]) == card.macs


def test_a_model_s_recipes_are_shown_with_targets_and_what_they_take(dlzoo: Dlzoo) -> None:
    told = {recipe["name"]: recipe for recipe in dlzoo("info", "mlp", "--json").json["recipes"]}
    assert told.keys() == {name for name in library.names() if name.startswith("mlp-")}
    assert told["mlp-xor"]["target"] == "accuracy ≥ 1"
    assert told["mlp-xor"]["target_source"] == "measured here"
    assert told["mlp-xor"]["takes"].endswith("on two CPU cores; test accuracy 1.0000")
    (line,) = [line for line in dlzoo("info", "mlp").out.splitlines() if "mlp-xor " in line]
    for value in told["mlp-xor"].values():
        assert value in line


def test_a_published_target_is_not_passed_off_as_measured(dlzoo: Dlzoo) -> None:
    lines = dlzoo("info", "lenet5").out.splitlines()
    (line,) = [line for line in lines if line.startswith("lenet5-mnist")]
    assert line.split("  ", 1)[1].split() == (
        ["accuracy", "≥", "0.9905", "published,", "not", "measured", "here"]
    )


def test_a_recipe_that_was_written_for_another_member_says_so(dlzoo: Dlzoo) -> None:
    assert "resnet18-digits (written for resnet18)" in dlzoo("info", "resnet34").out


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("resnt50", "unknown model 'resnt50'. Did you mean 'resnet50'?"),
        ("LeNat5", "unknown model 'LeNat5'. Did you mean 'lenet5'?"),
        ("hopfield", "unknown model 'hopfield'. See them with: dlzoo list"),
    ],
)
def test_an_unknown_model_is_refused(typed: str, message: str, dlzoo: Dlzoo) -> None:
    assert dlzoo("info", typed).refusal == message
