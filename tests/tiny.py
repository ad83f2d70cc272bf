"""The smallest trainings there are, one of each kind, each done once in a session.

Call `run` with the session's `shared_run_dir`. What it returns is shared: a test that changes a run
works on a `copy`.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import zoo
from recipes.recipe import parse
from zoo.run import Run
from zoo.training.progress import Silent

# Several steps at a time are traced twice: one kind, "image", is enough for that.
STEP: dict[str, Any] = {"steps_per_execution": 1}
LSTM: dict[str, Any] = {
    "model": "lstm",
    "epochs": 1,
    "batch_size": 1024,
    "arguments": {"embedding_dim": 4, "units": 4},
    "data": {"name": "languages", "text": {"length": 8}},
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
    **STEP,
}
GAN = {**STEP, "arguments.generator_units": [8], "arguments.discriminator_units": [4]}
VAE = {**STEP, "arguments.hidden_units": [16]}
DDPM = {
    **STEP,
    "arguments.width": 8,
    "arguments.multipliers": [1],
    "arguments.groups": 4,
    "arguments.attention": [],
    "arguments.timesteps": 12,
    "arguments.steps": 3,
}

# kind -> what `zoo.train` is called with, beside one epoch
TRAININGS: dict[str, dict[str, Any]] = {
    "table": {"model": "mlp", "recipe": "mlp-iris"},
    "two-classes": {"model": "mlp", "recipe": "mlp-breast-cancer"},
    "numbers": {"model": "mlp", "recipe": "mlp-diabetes"},
    "image": {"model": "lenet5", "batch_size": 256},
    "text": {"recipe": parse(LSTM, source="tests/tiny.py")},
    "series": {
        "model": "gru",
        "recipe": "gru-mackey-glass",
        "batch_size": 512,
        "overrides": {**STEP, "arguments.units": 4, "data.series.length": 4},
    },
    "tags": {
        "model": "bilstm-tagger",
        "batch_size": 1024,
        "overrides": {
            **STEP,
            "arguments.units": 4,
            "arguments.embedding_dim": 4,
            "data.text.length": 8,
        },
    },
    "translation": {
        "model": "seq2seq-attention",
        "batch_size": 1024,
        "overrides": {
            "arguments.embedding_dim": 4,
            "arguments.units": 8,
            "arguments.alignment_units": 8,
            "arguments.output_units": 8,
        },
    },
    "words": {
        "model": "word2vec",
        "batch_size": 512,
        "overrides": {**STEP, "arguments.width": 8, "data.text.vocabulary_size": 1500},
    },
    "experts": {
        "model": "moe-transformer",
        "batch_size": 512,
        "overrides": {
            **STEP,
            "arguments.width": 8,
            "arguments.num_layers": 2,
            "arguments.num_heads": 2,
            "arguments.num_experts": 3,
            "data.text.length": 32,
        },
    },
    "rbm": {
        "model": "rbm",
        "batch_size": 256,
        "overrides": {**STEP, "arguments.hidden_units": 16, "arguments.gibbs_steps": 30},
    },
    "vae": {"model": "vae", "batch_size": 256, "overrides": VAE},
    "gan": {"model": "gan", "batch_size": 256, "overrides": GAN},
    "ddpm": {"model": "ddpm", "batch_size": 512, "overrides": DDPM},
    "conditional-vae": {
        "model": "conditional-vae",
        "batch_size": 256,
        "overrides": VAE,
    },
}


@cache
def run(kind: str, folder: Path) -> Run:
    """The trained run of a kind, which all tests share."""
    return zoo.train(**TRAININGS[kind], epochs=1, run_dir=folder, reporter=Silent())


def copy(of: Run, folder: Path, name: str | None = None) -> Run:
    """A copy of a run in another folder of runs, to be changed at will."""
    return Run(Path(shutil.copytree(of.path, folder / (name or of.name))))
