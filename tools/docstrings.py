"""The words of CPython's documentation: its topics, and its library's docstrings and comments."""

from __future__ import annotations

import ast
import importlib
import io
import random
import re
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

SEED = 0  # of the split; never chosen by a result
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
SHORTEST = 4
"""Words of a paragraph; shorter ones are headings and names."""
LEFT_OUT = ("encodings/", "idlelib/", "lib2to3/", "pydoc_data/", "site-packages/", "turtledemo/")
"""Tables of characters, programs, and what the topics are read from."""
SHARES = {"test": 0.05, "validation": 0.05}
"""Of all words, at least, in whole modules; the rest is for training."""

NOTE = (
    "A table of co-occurrence counts (positive pointwise mutual information, its 100 first "
    "singular vectors, a vocabulary of 4,581) answers 0.382 of the zoo's analogies and correlates "
    "by 0.621 with its ratings of similarity (python -m tools.ppmi). No paragraph is in two "
    "parts; of the test part's sequences of 8 words, 2.0 % are in the training part too."
)
"""What to compare a score with, and what the split holds: an `Entry`'s note."""


def rows() -> list[tuple[str, str]]:
    """Return the split and the words of each module and topic, a line for each paragraph.

    Words are in lower case. A paragraph that stands in several places is kept in the first only,
    counted from the test split on, so that none is in two splits.
    """
    sources = dict(_sources())
    words = {name: [_words(one) for one in parts] for name, parts in sources.items()}
    sizes = {name: sum(map(len, parts)) for name, parts in words.items()}
    splits = _splits(sizes)
    seen: set[str] = set()
    found = []
    for split in (*SHARES, "train"):
        for name in (name for name in sorted(words) if splits[name] == split):
            lines = []
            for paragraph in words[name]:
                line = " ".join(paragraph)
                if len(paragraph) >= SHORTEST and line not in seen:
                    seen.add(line)
                    lines.append(line)
            if lines:
                found.append((split, "\n".join(lines)))
    return found


def _sources() -> Iterator[tuple[str, list[str]]]:
    """Yield the paragraphs of each topic and of each module's docstrings and comments."""
    topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    for name, text in topics.items():
        yield f"topic {name}", _paragraphs(text)
    library = Path(sysconfig.get_path("stdlib"))
    for path in library.rglob("*.py"):
        name = path.relative_to(library).as_posix()
        tested = {"test", "tests"} & set(Path(name).parts)
        if tested or name.startswith(LEFT_OUT):
            continue
        source = path.read_text(encoding="utf-8")
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
        texts = [ast.get_docstring(node) for node in nodes]
        yield name, _paragraphs("\n\n".join([*filter(None, texts), *_comments(source)]))


def _comments(source: str) -> Iterator[str]:
    """Yield comments; those on successive lines are one."""
    block: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if block and token.start[0] != last + 1:
                yield "\n".join(block)
                block = []
            block.append(token.string.lstrip("#"))
            last = token.start[0]
    yield "\n".join(block)


def _paragraphs(text: str) -> list[str]:
    return re.split(r"\n\s*\n", text)


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def _splits(sizes: dict[str, int]) -> dict[str, str]:
    """Return each source's split."""
    generator = random.Random(SEED)  # noqa: S311
    places = {name: generator.random() for name in sorted(sizes)}
    room = {split: share * sum(sizes.values()) for split, share in SHARES.items()}
    names = {}
    for name in sorted(sizes, key=places.__getitem__):
        split = next((split for split, words in room.items() if words > 0), "train")
        names[name] = split
        if split in room:
            room[split] -= sizes[name]
    return names
