"""Look-ups over the catalogue: patterns, aliases, plug-ins, and errors that help."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo import registry
from zoo.base.errors import UsageError
from zoo.base.names import natural
from zoo.catalog import CARDS, ModelCard
from zoo.registry import tabulate


class Point:
    """What `importlib.metadata` gives for one entry point."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def load(self) -> Any:
        return self.value


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that makes other distributions' cards appear, for one test."""

    def install(*values: Any) -> None:
        def entry_points(*, group: str) -> list[Point]:
            assert group == "dlzoo.models"
            return [Point(value) for value in values]

        monkeypatch.setattr(registry, "entry_points", entry_points)
        registry._table.cache_clear()

    yield install
    registry._table.cache_clear()


def foreign(name: str) -> ModelCard:
    """A card such as another distribution would add."""
    return dataclasses.replace(
        zoo.card("lenet5"), name=name, family="foreign", builder="elsewhere:build"
    )


def test_all_models_are_listed_once() -> None:
    names = zoo.list_models()
    assert sorted(names) == sorted(card.name for card in CARDS)
    assert len(set(names)) == len(names)


def test_numbers_in_names_are_ordered_as_numbers() -> None:
    names = ["resnet110", "resnet20", "lenet5-1998", "lenet5", "resnet9"]
    ordered = ["lenet5", "lenet5-1998", "resnet9", "resnet20", "resnet110"]
    assert sorted(names, key=natural) == ordered


@pytest.mark.parametrize("family", sorted({card.family for card in CARDS}))
def test_a_family_is_listed_in_natural_order(family: str) -> None:
    names = zoo.list_models(family=family)
    assert names == sorted(names, key=natural)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("lenet*", ["lenet5", "lenet5-1998"]),
        ("*1998", ["lenet5-1998"]),
        ("LeNet*", ["lenet5", "lenet5-1998"]),
        ("lenet?", ["lenet5"]),
        ("lenet5", ["lenet5", "lenet5-1998"]),  # a plain word matches anywhere in a name
        ("regression", ["logistic-regression"]),
        ("[lm]*p", ["mlp"]),
        ("no-such-model", []),
    ],
)
def test_models_are_listed_by_pattern(pattern: str, expected: list[str]) -> None:
    assert zoo.list_models(pattern) == expected


def test_models_are_listed_by_family_task_and_pattern_together() -> None:
    assert zoo.list_models(family="lenet") == ["lenet5", "lenet5-1998"]
    assert zoo.list_models(task="text-classification") == ["rnn", "lstm", "gru"]
    assert zoo.list_models("*1998", family="lenet", task="image-classification") == ["lenet5-1998"]
    assert zoo.list_models(family="lenet", task="text-classification") == []


def test_an_unknown_family_or_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown family 'resnets'\. Did you mean 'resnet'\?"):
        zoo.list_models(family="resnets")
    with pytest.raises(UsageError, match=r"unknown task 'clasification'\. Did you mean"):
        zoo.list_models(task="clasification")


@pytest.mark.parametrize(
    ("alias", "name"),
    [("resnet", "resnet20"), ("lenet", "lenet5"), ("mlp", "mlp"), ("resnet110", "resnet110")],
)
def test_a_family_alone_means_its_default_member(alias: str, name: str) -> None:
    assert zoo.card(alias).name == name


def test_an_unknown_model_is_answered_with_the_nearest_or_the_list() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'resnet21'\. Did you mean 'resnet"):
        zoo.card("resnet21")
    with pytest.raises(UsageError, match=r"unknown model 'bert'\. See them with: dlzoo list"):
        zoo.card("bert")


def test_two_cards_of_one_name_are_refused_with_both_builders() -> None:
    mine = zoo.card("mlp")
    other = dataclasses.replace(mine, builder="elsewhere:mlp")
    with pytest.raises(ValueError, match=r"'mlp': zoo\.models\.mlp:mlp and elsewhere:mlp"):
        tabulate([mine, other])


def test_another_distribution_adds_one_card_or_several(plug_in: Any) -> None:
    plug_in(foreign("foreign1"), [foreign("foreign2"), foreign("foreign3")])
    assert zoo.list_models(family="foreign") == ["foreign1", "foreign2", "foreign3"]
    assert zoo.card("foreign").name == "foreign1"
    assert zoo.card("resnet").name == "resnet20"


def test_a_plug_in_cannot_take_the_name_of_a_model(plug_in: Any) -> None:
    plug_in(foreign("lenet5"))
    with pytest.raises(ValueError, match="two models are called 'lenet5'"):
        zoo.list_models()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what one test registers."""
    monkeypatch.setattr(registry, "_registered", [])
    registry._table.cache_clear()
    yield
    registry._table.cache_clear()


@pytest.mark.usefixtures("registered")
def test_a_card_can_be_registered_for_the_rest_of_a_process() -> None:
    registry.register(dataclasses.replace(zoo.card("lenet5"), name="mine", family="own"))
    assert zoo.card("mine").family == "own"
    assert zoo.card("own").name == "mine"
    assert zoo.list_models(family="own") == ["mine"]
    assert zoo.build("mine", classes=3).output_shape == (None, 3)
    with pytest.raises(ValueError, match="two models are called 'mine'"):
        registry.register(foreign("mine"))
    with pytest.raises(ValueError, match="two models are called 'lenet5'"):
        registry.register(foreign("lenet5"))
    assert zoo.list_models(family="own") == ["mine"]


@pytest.mark.parametrize(("typed", "name"), [("ResNet50", "resnet50"), ("LSTM", "lstm")])
def test_upper_and_lower_case_are_the_same(typed: str, name: str) -> None:
    assert zoo.card(typed).name == name
    assert zoo.card("ResNet").name == "resnet20"


def test_a_saved_model_is_restored_by_its_name(tmp_path: Path) -> None:
    model = zoo.build("lenet5-1998")
    model.save(tmp_path / "model.keras")
    restored = registry.restore("lenet5-1998", tmp_path / "model.keras")
    for before, after in zip(model.weights, restored.weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_damaged_file_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    for content in (None, b"", b"no model"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UsageError, match=re.escape(f"{path} cannot be loaded: ")) as caught:
            registry.restore("lenet5", path)
        assert len(str(caught.value).splitlines()) == 1


def test_build_takes_the_builders_arguments_and_an_alias() -> None:
    model = zoo.build("lenet", input_shape=(40, 40, 3), classes=7)
    assert model.input_shape == (None, 40, 40, 3)
    assert model.output_shape == (None, 7)


def test_an_argument_that_the_builder_does_not_take_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"lenet5 takes no argument 'clases'\. .*'classes'\?"):
        zoo.build("lenet5", clases=3)
    with pytest.raises(UsageError, match=r"no argument 'zzz'\. It takes: input_shape, classes"):
        zoo.build("lenet5", zzz=3)


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        ("lenet5", {"classes": 1}),
        ("lenet5", {"activation": "no-such-activation"}),
        ("mlp", {"hidden_units": "wide"}),
        ("mlp", {"kernel_initializer": "no-such-initializer"}),
        ("lstm", {"units": 0}),
    ],
)
def test_a_value_that_cannot_be_built_is_named(model: str, arguments: dict[str, Any]) -> None:
    key, value = next(iter(arguments.items()))
    with pytest.raises(UsageError) as caught:
        zoo.build(model, **arguments)
    message = str(caught.value)
    assert message.startswith(f"cannot build {model}({key}={value!r}): ")
    assert len(message.splitlines()) == 1


def test_looking_things_up_imports_neither_keras_nor_tensorflow() -> None:
    script = (
        "import sys, zoo, zoo.catalog, recipes.recipe, recipes.library;"
        "import zoo.datasets.sources, zoo.training.resolve;"
        "zoo.list_models('resnet*'); zoo.card('resnet'); recipes.library.names();"
        "zoo.training.resolve.resolve('lenet5');"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_package_offers_what_it_names_and_nothing_else() -> None:
    for name in zoo.__all__:
        assert callable(getattr(zoo, name))
    assert set(zoo.__all__) <= set(dir(zoo))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        zoo.trian  # noqa: B018
