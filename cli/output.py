"""Shared rendering: tables, facts, JSON and hints, in a terminal and in a pipe."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.base.streams import discard

if TYPE_CHECKING:
    from zoo.runs.folder import RunFolder

GAP = 2
"""Spaces between two columns."""
SHORTEST = 10
"""A column that may be shortened is left out if fewer characters than this remain for it."""


def emit_json(value: Any) -> None:
    """Print one JSON document on standard output; infinities and NaN become null."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    shorten: Sequence[str] = (),
) -> None:
    """Print a table.

    In a pipe, every cell is whole. In a terminal, the table is fitted to the width: cells of text
    are wrapped between words, numbers and the first column never are. If that is not enough, each
    row becomes a block of one line per cell.

    Args:
        columns: The headings.
        rows: The cells; each is printed as `str` gives it.
        right: The columns of numbers, aligned on the right.
        shorten: Columns that a terminal may cut off with an ellipsis, the first of them first, so
            that every row fits on one line. What becomes shorter than `SHORTEST` is left out.
    """
    cells = [[" ".join(str(cell).splitlines()) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(columns, *cells, strict=True)]
    shown = list(range(len(columns)))
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns
        numbers = {0, *(at for at, column in enumerate(columns) if column in right)}
        if shorten:
            shown = _shorten(widths, [columns.index(column) for column in shorten], room)
            numbers.update(shown)  # nothing is wrapped
        if not _wrap(widths, shown, numbers, [columns, *cells], room):
            _blocks([columns[at] for at in shown], [[row[at] for at in shown] for row in cells])
            return
    for number, row in enumerate([columns, *cells]):
        parts = [
            [_cut(row[at], widths[at])] if columns[at] in shorten else _lines(row[at], widths[at])
            for at in shown
        ]
        for line in range(max(map(len, parts))):
            texts = [
                _padded(part[line] if line < len(part) else "", widths[at], columns[at] in right)
                for part, at in zip(parts, shown, strict=True)
            ]
            click.echo(_styled(texts, is_heading=number == 0))


def _shorten(widths: list[int], columns: Sequence[int], room: int) -> list[int]:
    """Reduce the widths of `columns` until the table fits; return the columns that remain."""
    shown = list(range(len(widths)))
    for left_out in range(len(columns) + 1):
        remaining = columns[left_out:]
        shown = [at for at in range(len(widths)) if at not in columns[:left_out]]
        least = {at: min(widths[at], SHORTEST) for at in remaining}
        over = sum(widths[at] for at in shown) + GAP * (len(shown) - 1) - room
        if over <= sum(widths[at] - least[at] for at in remaining):
            for at in remaining:
                cut = max(0, min(over, widths[at] - least[at]))
                widths[at] -= cut
                over -= cut
            break
    return shown


def _wrap(
    widths: list[int],
    shown: Sequence[int],
    fixed: set[int],
    rows: Sequence[Sequence[str]],
    room: int,
) -> bool:
    """Reduce the widths of columns that are not `fixed`; return whether the table fits then."""
    words = {
        at: max((_width(word) for row in rows for word in row[at].split(" ")), default=0)
        for at in shown
        if at not in fixed
    }
    while sum(widths[at] for at in shown) + GAP * (len(shown) - 1) > room:
        wide = [at for at in words if widths[at] > words[at]]
        if not wide:
            return False
        widths[max(wide, key=lambda at: widths[at])] -= 1
    return True


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            click.echo()
        facts(dict(zip(columns, row, strict=True)))


def _lines(text: str, width: int) -> list[str]:
    """Return a cell in lines, broken between words."""
    if _width(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        line = f"{lines[-1]} {word}".strip()
        if _width(line) <= width:
            lines[-1] = line
        else:
            lines.append(word)
    return [line for line in lines if line]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) >= width:
        text = text[:-1]
    return text.rstrip() + "…"


def _padded(text: str, width: int, on_the_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if on_the_right else text + space


def _styled(texts: list[str], *, is_heading: bool) -> str:
    gap = " " * GAP
    line = gap.join(texts).rstrip()
    if not colour():
        return line
    if is_heading:
        return click.style(line, bold=True)
    return click.style(texts[0], fg="cyan") + line[len(texts[0]) :]


def facts(pairs: Mapping[str, Any]) -> None:
    """Print names and values below each other, wrapped to the width of a terminal."""
    width = max(len(name) for name in pairs)
    room = shutil.get_terminal_size().columns - width - GAP
    for name, value in pairs.items():
        label = click.style(name.ljust(width), fg="cyan") if colour() else name.ljust(width)
        lines = str(value).splitlines() or [""]
        if sys.stdout.isatty() and room > 0:
            lines = [part for line in lines for part in _wrapped(line, room)]
        first, *more = lines
        click.echo(f"{label}{' ' * GAP}{first}".rstrip())
        for line in more:
            click.echo(" " * (width + GAP) + line)


def _wrapped(line: str, room: int) -> list[str]:
    """Return a line in parts that fit, the later ones indented; an address is never broken."""
    return textwrap.wrap(
        line, room, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    ) or [""]


def colour() -> bool:
    """Return whether standard output is a terminal that wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def heading(text: str) -> None:
    """Print a line, in bold in a terminal."""
    click.echo(click.style(text, bold=True) if colour() else text)


def note(text: str) -> None:
    """Print a line on standard error; if nobody reads it any more, go on without it."""
    try:
        click.echo(text, err=True)
    except OSError:
        discard(sys.stderr)


def next_command(*words: object, run_dir: Path | None = None) -> str:
    """Return a `dlzoo` command that can be pasted into a shell.

    Args:
        words: What follows ``dlzoo``; words with spaces, brackets or wildcards are quoted.
        run_dir: The folder of runs, if the command looks a run up; named unless it is the default.

    Example:
        >>> next_command("evaluate", "latest", run_dir=Path("my runs"))
        "dlzoo evaluate latest --run-dir 'my runs'"
    """
    texts = ["dlzoo", *map(str, words)]
    if run_dir is not None:
        from zoo.runs.folder import RUNS

        texts += ["--run-dir", str(run_dir)] * (Path(run_dir) != RUNS)
    return shlex.join(texts)


def run_command(command: str, run: RunFolder, run_dir: Path, *more: object) -> str:
    """Return a `dlzoo` command about a run that can be pasted into a shell.

    Args:
        command: Such as ``"evaluate"``; or ``"train --resume"``.
        run: Which run.
        run_dir: The folder of runs that was named or is the default.
        more: Words that follow.
    """
    if run.path.parent.absolute() == run_dir.absolute():
        return next_command(*command.split(), run.name, *more, run_dir=run_dir)
    return next_command(*command.split(), run.path, *more)


def hint(*commands: str | Sequence[str]) -> None:
    """Print on standard error what to type next.

    Args:
        commands: Each as it is typed, see `next_command`, or as a list of words to be quoted.
    """
    for number, command in enumerate(commands):
        text = command if isinstance(command, str) else shlex.join(command)
        note(f"{'next: ' if number == 0 else '      '}{text}")


def number(value: float) -> str:
    """Return a score as text: four decimals, or four digits if it is large or tiny."""
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"
