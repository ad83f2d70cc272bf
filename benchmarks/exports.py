"""A member of every family, exported in every format: how near the answers are, and how fast.

    python -m benchmarks.exports [--run-dir DIR] [--output docs/formats.md] [RECIPE ...]

The newest finished run of each recipe in DIR is taken; where there is none, one epoch is trained.
Rows of other recipes than those that are asked for stay in the page as they are.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.serving.formats import FORMATS
from zoo.serving.readme import agreed, scored

if TYPE_CHECKING:
    from zoo.run import Run

RECIPES = (
    "perceptron-or",
    "logistic-regression-digits",
    "mlp-digits",
    "mlp-diabetes",
    "lenet5-digits",
    "alexnet-digits",
    "vgg11-digits",
    "googlenet-digits",
    "resnet20-digits",
    "resnet50-digits",
    "capsnet-digits",
    "rnn-adding",
    "lstm-languages",
    "gru-mackey-glass",
    "bilstm-tagger-python-tokens",
    "seq2seq-dates",
    "seq2seq-attention-dates",
    "transformer-dates",
    "gpt-pydoc",
    "moe-transformer-pydoc",
    "show-and-tell-digit-captions",
    "word2vec-docstrings",
    "glove-docstrings",
    "autoencoder-digits",
    "stacked-autoencoder-digits",
    "rbm-digits",
    "dbn-digits",
    "vae-digits",
    "conditional-vae-digits",
    "gan-digits",
    "dcgan-digits",
    "wgan-gp-digits",
    "conditional-gan-digits",
    "ddpm-digits",
)
HEAD = """# Every family in every format

`python -m benchmarks.exports --output docs/formats.md` writes this page. Each row is one signature
of one format, loaded in a fresh process by its own runtime and asked on the test split. The
difference is the largest one from the Keras model's answers, absolute up to 1 and relative above;
"same" is the share of examples with the same class or the same text. Times are medians of five
calls on this machine, which did other work meanwhile: of one example, and of each in a batch of up
to 64.

The models of most rows were trained for one epoch: their scores are no measure of them, but must be
the same in every format.

{machine}

| recipe | format | signature | difference | same | score | kB | ms for one | ms each |
|---|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """One signature of one format, or why there is none."""

    recipe: str
    format: str
    report: dict[str, Any] | None
    fault: str = ""

    def __str__(self) -> str:
        """Return a row of the table."""
        if self.report is None:
            return f"| {self.recipe} | {self.format} | {self.fault} | | | | | | |"
        one = self.report
        return (
            f"| {self.recipe} | {self.format} | {one['signature']} | "
            f"{one['largest_difference']:.0e} | {agreed(one)} | {scored(one)} | "
            f"{one['size'] / 1e3:,.0f} | {one['milliseconds']:.2f} | "
            f"{one['milliseconds_each']:.3f} |"
        )


def measure(run: Run, recipe: str) -> list[Row]:
    """Export a run in each format by itself, and return how each compares with the model."""
    from zoo.base.errors import DlzooError
    from zoo.serving.artefact import Artefact

    rows = []
    for form in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                path = run.export(folder, formats=(form,))
            except DlzooError as error:
                rows.append(Row(recipe, form, None, str(error).split(": ")[0]))
            else:
                reports = Artefact.open(path).facts["reports"]
                rows += [Row(recipe, form, one) for one in reports]
    return rows


def trained(recipe: str, run_dir: Path) -> Run:
    """Return the newest finished run of a recipe, or a run of one epoch."""
    import zoo
    from zoo.runs.folder import list_runs
    from zoo.training.progress import Silent

    for run in reversed(list_runs(run_dir)):
        if run.finished and run.recipe.name == recipe:
            return zoo.load(run.path)
    return zoo.train(recipe=recipe, epochs=1, run_dir=run_dir, reporter=Silent())


def machine() -> str:
    """Return what the times were measured on."""
    import importlib.metadata as installed
    import platform

    packages = ("tensorflow", "keras", "onnxruntime", "ai-edge-litert", "openvino")
    versions = ", ".join(f"{name} {installed.version(name)}" for name in packages)
    return f"{os.cpu_count()} cores ({platform.machine()}), {versions}."


def page(rows: Sequence[Row], before: Path) -> str:
    """Return the page with new rows, and with those of other recipes that it had before."""
    lines: dict[str, list[str]] = {}
    if before.is_file():
        for line in before.read_text(encoding="utf-8").splitlines():
            recipe = line.removeprefix("| ").split(" |")[0]
            if recipe in RECIPES and recipe not in {row.recipe for row in rows}:
                lines.setdefault(recipe, []).append(line)
    for row in rows:
        lines.setdefault(row.recipe, []).append(str(row))
    order = sorted(lines, key=lambda one: RECIPES.index(one) if one in RECIPES else len(RECIPES))
    told = [line for recipe in order for line in lines[recipe]]
    return "\n".join([HEAD.format(machine=machine()).rstrip(), *told, ""])


def main() -> None:
    """Measure all, print the rows, and write the page if a file is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run-dir", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("recipes", nargs="*", default=list(RECIPES), metavar="RECIPE")
    asked = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for recipe in asked.recipes:
            found = measure(trained(recipe, asked.run_dir or Path(scratch)), recipe)
            rows += found
            print("\n".join(map(str, found)), flush=True)
    if asked.output:
        asked.output.write_text(page(rows, asked.output), encoding="utf-8")


if __name__ == "__main__":
    main()
