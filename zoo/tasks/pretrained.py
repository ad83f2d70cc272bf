"""A GPT-2 as the transformers library saves it: the folder's model, and its task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo import registry
from zoo.datasets.features.byte_pair_text import BytePairText
from zoo.datasets.spec import DatasetSpec
from zoo.tasks.language_modelling import LanguageModelling
from zoo.weights import gpt2


def open_gpt2(folder: Path) -> tuple[LanguageModelling, Any]:
    """Return the task and the model of a folder.

    Args:
        folder: With config.json, model.safetensors, vocab.json and merges.txt.

    Raises:
        UsageError: A file is missing or damaged, or of another architecture.
        DlzooError: The tokenizers library is not installed.
    """
    arguments = gpt2.arguments(folder)
    (length,) = arguments["input_shape"]
    text = BytePairText.from_gpt2(folder, length)
    spec = DatasetSpec(name=folder.name, features={"text": text}, inputs=("text",))
    model = registry.build("gpt", weights=folder / gpt2.FILE, **arguments)
    return LanguageModelling("language-modelling", spec), model
