"""From what was asked for to one recipe, without TensorFlow."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from recipes import library
from zoo.base.errors import UsageError
from zoo.run import Run
from zoo.training.resolve import describe, resolve


def test_a_family_is_its_default_member_with_its_own_recipe() -> None:
    recipe = resolve("resnet")
    assert recipe.model == "resnet20"
    assert recipe.name == "resnet20-digits"
    assert recipe == library.load("resnet20-digits")


def test_flags_and_overrides_win_over_the_recipe() -> None:
    recipe = resolve(
        "lenet5", epochs=3, seed=7, learning_rate=0.25, overrides={"optimizer.beta_1": 0.5}
    )
    assert (recipe.epochs, recipe.seed) == (3, 7)
    assert recipe.optimizer is not None
    assert recipe.optimizer.arguments == {"learning_rate": 0.25, "beta_1": 0.5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 3, "overrides": {"epochs": 4}}, "epochs is given twice"),
        (
            {"learning_rate": 0.5, "overrides": {"optimizer.learning_rate": 0.25}},
            "optimizer.learning_rate is given twice",
        ),
        ({"overrides": {"model": "mlp"}}, "model is given twice"),
        ({"dataset": "digits", "overrides": {"data.name": "mnist"}}, "data.name is given twice"),
    ],
)
def test_contradictions_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve("lenet5", **arguments)


def test_the_learning_rate_is_set_for_each_of_several_optimizers() -> None:
    rates = {
        named.arguments["learning_rate"]
        for named in resolve("gan", learning_rate=0.01).all_optimizers.values()
    }
    assert rates == {0.01}


def test_a_data_set_brings_the_pairs_own_recipe() -> None:
    assert resolve("perceptron", dataset="xor") == library.load("perceptron-xor")


def test_a_data_set_without_a_recipe_leaves_loss_and_target_to_the_task() -> None:
    recipe = resolve("lenet5-1998", dataset="digits")
    assert recipe.target is not None
    recipe = resolve("logistic-regression", dataset="wine")
    assert recipe.data.name == "wine"
    assert recipe.loss is None
    assert recipe.target is None


def test_a_member_of_the_family_is_trained_by_the_familys_recipe() -> None:
    recipe = resolve("resnet110")
    assert recipe.model == "resnet110"
    assert recipe.target is None, "it was measured with another member"


def test_a_recipe_of_another_family_is_refused() -> None:
    with pytest.raises(UsageError, match=r"is for lenet5, not for mlp\..*recipe file"):
        resolve("mlp", recipe="lenet5-digits")
    assert resolve(None, recipe="mlp-digits", overrides={"epochs": 1}).model == "mlp"


def test_a_file_that_names_no_model_is_laid_over_the_models_recipe(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('epochs = 2\n[optimizer]\nname = "SGD"\nlearning_rate = 0.5\n')
    recipe = resolve("lenet5", recipe=path)
    assert recipe.epochs == 2
    assert recipe.optimizer is not None
    assert recipe.optimizer.name == "SGD"
    assert recipe.data == library.load("lenet5-digits").data


def test_a_file_that_names_its_model_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'model = "lenet5"\nepochs = 2\noptimizer = "SGD"\n'
        '[data]\nname = "digits"\nimage.size = [32, 32]\n'
    )
    recipe = resolve(None, recipe=path)
    assert recipe.schedule is None
    assert recipe.augmentation == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "resnte"}, "unknown model 'resnte'. Did you mean 'resnet'"),
        ({"model": "mlp", "dataset": "digit"}, "unknown data set 'digit'. Did you mean 'digits'"),
        ({"model": "mlp", "recipe": "mlp-digit"}, "unknown recipe 'mlp-digit'. Did you mean"),
        ({"model": "mlp", "recipe": "none.toml"}, "cannot read none.toml: No such file"),
        ({"model": "mlp", "overrides": {"epoch": 3}}, "unknown key 'epoch'. Did you mean 'epochs'"),
        ({"model": "lstm", "dataset": "digits"}, "reads texts; digits gives an image"),
        ({"model": "lenet5", "dataset": "iris"}, "reads images; iris gives a table"),
        ({"model": "mlp", "dataset": "languages"}, "gives a text. Models for languages: rnn, lstm"),
        ({"model": "lenet5", "overrides": {"data.text.length": 3}}, "unknown column of digits"),
        ({"model": "lenet5", "overrides": {"data.image.unit": "word"}}, "data.image.unit: unknown"),
        ({"model": "lenet5", "overrides": {"data.image.size": "big"}}, "data.image.size: must be"),
        ({"model": "mlp", "overrides": {"task": "regresion"}}, "Did you mean 'regression'?"),
        (
            {"model": "vae", "overrides": {"data.image.scaling": "centred"}},
            "generators make images in [0, 1]; set data.image.scaling = 'unit'",
        ),
        ({"model": "perceptron", "dataset": "diabetes"}, "dlzoo train mlp --dataset diabetes"),
        ({"model": None}, "name a model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(**arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A folder of runs: lenet5-digits-1 has ended, lenet5-digits-2 has not."""
    for number, name in enumerate(("lenet5-digits-1", "lenet5-digits-2")):
        run = tmp_path / "runs" / name
        (run / "checkpoints").mkdir(parents=True)
        (run / "recipe.toml").write_text(library.load("lenet5-digits").to_toml())
        (run / "environment.json").write_text(f'{{"started": {number}}}')
    for file in ("model.keras", "metrics.json"):
        (tmp_path / "runs" / "lenet5-digits-1" / file).touch()
    return tmp_path / "runs"


@pytest.mark.parametrize("given", ["lenet5-digits-1", "{runs}/lenet5-digits-1"])
def test_a_run_to_start_from_is_written_down_as_its_folder(given: str, started: Path) -> None:
    folder = started / "lenet5-digits-1"
    recipe = resolve("lenet5", init_from=given.format(runs=started), run_dir=started)
    assert recipe.init_from == str(folder)
    assert resolve("lenet5", init_from=Run(folder)).init_from == str(folder)
    assert resolve("lenet5", init_from=folder / "model.keras").init_from == f"{folder}/model.keras"
    shutil.rmtree(started / "lenet5-digits-2")
    for word in ("latest", "lenet"):
        latest = resolve("lenet5", overrides={"init_from": word}, run_dir=started)
        assert latest.init_from == str(folder)


def test_weights_to_start_from_and_layers_to_freeze_arrive_in_the_recipe() -> None:
    recipe = resolve("resnet50", init_from="imagenet", freeze="conv[1-4]*")
    assert (recipe.init_from, recipe.freeze) == ("imagenet", ["conv[1-4]*"])
    assert describe(recipe).endswith(", seed 0, from imagenet, conv[1-4]* frozen")
    assert resolve(None, recipe=recipe) == recipe
    assert resolve(None, recipe=recipe, freeze=["a", "b"]).freeze == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("imagenet", "there are no imagenet weights for lenet5, only for vgg16, vgg19, resnet50"),
        ("imagent", "init_from: there is no file or run 'imagent'. Did you mean 'imagenet'?"),
        ("lenet5-digits-3", "init_from: there is no run 'lenet5-digits-3' in "),
        ("lenet5-digits-2", "init_from: run lenet5-digits-2 has not finished training"),
        ("lenet5.keras", "there are no weights lenet5.keras"),
        ("lenet5.h5", "files that end in .keras or .weights.h5, got lenet5.h5"),
        ("lenet5.pt", "files that end in .keras or .weights.h5, got lenet5.pt"),
        ("..", "init_from: there is no run '..'"),
    ],
)
def test_weights_that_are_not_there_are_told_before_anything_starts(
    given: str, message: str, started: Path
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        resolve("lenet5", init_from=given, run_dir=started)


def test_a_recipe_is_described_in_one_line() -> None:
    assert describe(resolve("perceptron")) == (
        "perceptron on and: 20 epochs, batches of 1, SGD at 1.0, seed 0"
    )
    assert describe(resolve("gan", learning_rate=0.5, epochs=1)) == (
        "gan on digits: 1 epoch, batches of 32, generator Adam, discriminator Adam at 0.5, seed 0"
    )


def test_a_whole_split_is_no_batch_where_memory_does_not_hold_it() -> None:
    with pytest.raises(UsageError, match="memory does not hold that of imagenet; say how many"):
        resolve("resnet50", dataset="imagenet", batch_size="full")


def test_a_size_has_to_be_given_where_the_data_have_none() -> None:
    with pytest.raises(UsageError, match=r"--set 'data.image.size=\[224,224\]'"):
        resolve("lenet5", dataset="imagenet", overrides={"data.image.size": None})


@pytest.mark.parametrize(("model", "dataset"), [("resnet20", "cifar10"), ("lenet5", "mnist")])
def test_a_data_set_is_enough_to_name_the_papers_recipe(model: str, dataset: str) -> None:
    assert resolve(model, dataset=dataset) == library.load(f"{model}-{dataset}")
