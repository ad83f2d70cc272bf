"""`dlzoo neighbours`: the words that a run's vectors put near a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.options import (
    PATH,
    RUN,
    json_option,
    overwrite_option,
    run_dir_option,
    tell_unfinished,
    weights_option,
)
from cli.output import emit_json, hint, note, number, run_command, table
from zoo.base.errors import UsageError
from zoo.base.files import writable
from zoo.run import Run, load

SHOWN, NEAREST = 10, 3
"""Words that are shown where none is asked for, and neighbours of each."""


@click.command("neighbours")
@click.argument("run", type=RUN)
@click.argument("words", nargs=-1, metavar="WORD...")
@click.option(
    "--analogy",
    nargs=3,
    metavar="A B C",
    help="A is to B as C is to what? The same as: B - A + C.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1, max=1000),
    default=10,
    show_default=True,
    help="Neighbours to name.",
)
@click.option(
    "--picture",
    type=PATH,
    help="Draw the words and their neighbours in a plane into this picture.",
)
@weights_option
@overwrite_option
@run_dir_option
@json_option
def command(
    run: str,
    words: tuple[str, ...],
    analogy: tuple[str, str, str] | None,
    count: int,
    picture: Path | None,
    weights: Any,
    overwrite: bool,
    run_dir: Path,
    as_json: bool,
) -> None:
    """Name the words that are nearest to WORD in RUN's vectors, with the cosine of the angle.

    Words may be added and subtracted. Without WORD, some words and their neighbours are shown.

    \b
    dlzoo neighbours RUN encode
    dlzoo neighbours RUN encoded - encode + decode
    dlzoo neighbours RUN --analogy encode encoded decode
    """
    plus, minus = _terms(words, analogy)
    if picture is not None:
        from zoo.runs.pictures import require_picture_suffix

        writable(require_picture_suffix(picture), overwrite=overwrite)
    found = load(run, run_dir, weights=weights)
    if not plus:
        if picture is not None:
            raise UsageError("--picture needs a WORD")
        _examples(found, as_json)
        hint(run_command("neighbours", found, run_dir, found.task.example_words()[0]))
        return
    near = found.neighbours(plus, minus, count=count)
    if picture is not None:
        asked = list(dict.fromkeys([*plus, *minus]))
        named = [*asked, *(word for word, _ in near)]
        found.draw_words(named, picture, marked=len(asked))
    question = " + ".join(plus) + "".join(f" - {word}" for word in minus)
    if as_json:
        told: dict[str, Any] = {"run": str(found.path), "words": plus, "subtracted": minus}
        told["neighbours"] = [{"word": word, "similarity": cosine} for word, cosine in near]
        emit_json({**told, **({} if picture is None else {"picture": str(picture)})})
    else:
        rows = [(word, number(cosine)) for word, cosine in near]
        table(("word", "similarity"), rows, right=("similarity",))
    tell_unfinished(found, weights)
    if picture is not None and not as_json:
        note(f"neighbours of {question}: {picture}")
    hint(run_command("export", found, run_dir))


def _examples(found: Run, as_json: bool) -> None:
    """Show some words, each with its nearest ones."""
    shown = {
        word: found.neighbours(word, count=NEAREST) for word in found.task.example_words()[:SHOWN]
    }
    if as_json:
        near = {
            word: [{"word": one, "similarity": cosine} for one, cosine in pairs]
            for word, pairs in shown.items()
        }
        emit_json({"run": str(found.path), "neighbours": near})
        return
    rows = [
        (word, ", ".join(f"{one} {number(cosine)}" for one, cosine in pairs))
        for word, pairs in shown.items()
    ]
    table(("word", "nearest"), rows)


def _terms(
    words: Sequence[str], analogy: tuple[str, str, str] | None
) -> tuple[list[str], list[str]]:
    """Return the words that are added and those that are subtracted.

    Raises:
        UsageError: There are none, or a sign has no word after it.
    """
    if analogy is not None:
        if words:
            raise UsageError("name words or an --analogy, not both")
        first, second, third = analogy
        return [second, third], [first]
    terms: dict[str, list[str]] = {"+": [], "-": []}
    sign = ""
    for word in " ".join(words).split():
        if word in terms:
            if sign:
                raise UsageError(f"a word is missing between '{sign}' and '{word}'")
            sign = word
        else:
            terms[sign or "+"].append(word)
            sign = ""
    if sign:
        raise UsageError(f"a word is missing after '{sign}'")
    if words and not terms["+"]:
        raise UsageError("name at least one word that is not subtracted")
    return terms["+"], terms["-"]
