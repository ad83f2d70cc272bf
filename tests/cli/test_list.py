"""`dlzoo list`."""

from __future__ import annotations

import pytest

import zoo
from tests.cli.conftest import Dlzoo, Terminal, unstyled


def test_every_model_is_listed_with_its_size_and_what_it_is(dlzoo: Dlzoo) -> None:
    result = dlzoo("list")
    assert result.code == 0
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == zoo.list_models()
    for name, line in zip(zoo.list_models(), lines[1:], strict=True):
        card = zoo.card(name)
        assert f"{card.parameters:,}" in line
        assert str(card.paper.year) in line
        assert line.endswith(card.summary)  # whole, though some are longer than 80 columns
    assert max(map(len, lines)) > 80
    assert result.err.startswith("next: dlzoo info ")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["lenet5"], ["lenet5", "lenet5-1998"]),
        (["resnet1*"], ["resnet18", "resnet101", "resnet110", "resnet152"]),
        (["--family", "vae"], ["vae"]),
        (["*gan*", "--task", "generation"], ["gan", "conditional-gan", "dcgan", "wgan-gp"]),
        (["5", "--family", "lenet"], ["lenet5", "lenet5-1998"]),
    ],
)
def test_a_part_of_the_list(typed: list[str], names: list[str], dlzoo: Dlzoo) -> None:
    result = dlzoo("list", *typed)
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == names


def test_json_holds_the_cards(dlzoo: Dlzoo) -> None:
    found = dlzoo("list", "--json").json
    assert [one["name"] for one in found] == zoo.list_models()
    lenet = next(one for one in found if one["name"] == "lenet5")
    assert lenet["parameters"] == 61_706
    assert lenet["recipe"] == "lenet5-digits"
    assert dlzoo("list", "--json").err == ""


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["lenat5"], "no model is called 'lenat5'. Did you mean 'lenet5'?"),
        (["qqq"], "no model is called 'qqq'. See them all with: dlzoo list"),
        (["gan", "--family", "vae"], "no vae model is called 'gan'. Did you mean 'gan'?"),
        (["--family", "resnt"], "unknown family 'resnt'. Did you mean 'resnet'?"),
        (["--task", "generaton"], "unknown task 'generaton'. Did you mean 'generation'?"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest_name(
    typed: list[str], message: str, dlzoo: Dlzoo
) -> None:
    assert dlzoo("list", *typed).refusal == message


@pytest.mark.parametrize("width", [80, 50])
def test_a_model_is_one_line_of_a_terminal(
    width: int, dlzoo: Dlzoo, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    assert dlzoo("list").code == 0
    lines = unstyled(terminal.getvalue()).splitlines()
    assert max(map(len, lines)) <= width
    for name, line in zip(zoo.list_models(), lines[1:], strict=True):
        assert line.split()[:2] == [name, f"{zoo.card(name).parameters:,}"]
