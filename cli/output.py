"""Shared rendering: tables, facts, JSON and hints, in a terminal and in a pipe."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click


def emit_json(value: Any) -> None:
    """Print one JSON document on standard output; what is not finite becomes null."""
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
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = ()
) -> None:
    """Print a table: fitted to the width of a terminal, aligned and whole in a pipe.

    Args:
        columns: The headings.
        rows: Cells, made text as they are.
        right: The columns of numbers.
    """
    cells = [[str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for at, column in enumerate(columns):
            drawn.add_column(
                column,
                justify="right" if column in right else "left",
                style="cyan" if at == 0 else None,
                no_wrap=at == 0,
                overflow="fold",
            )
        for row in cells:
            drawn.add_row(*(Text(cell) for cell in row))
        Console().print(drawn)
        return
    widths = [
        max(len(column), *(len(row[at]) for row in cells)) if cells else len(column)
        for at, column in enumerate(columns)
    ]
    for row in [list(columns), *cells]:
        parts = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        click.echo("  ".join(parts).rstrip())


def facts(pairs: Mapping[str, Any]) -> None:
    """Print names and values below each other: fitted to the width of a terminal."""
    width = max(len(name) for name in pairs)
    room = shutil.get_terminal_size().columns - width - 2
    for name, value in pairs.items():
        label = click.style(name.ljust(width), fg="cyan") if colour() else name.ljust(width)
        lines = str(value).splitlines() or [""]
        if sys.stdout.isatty() and room > 0:
            lines = [part for line in lines for part in _wrapped(line, room)]
        first, *more = lines
        click.echo(f"{label}  {first}".rstrip())
        for line in more:
            click.echo(" " * (width + 2) + line)


def _wrapped(line: str, room: int) -> list[str]:
    """Return a line in parts that fit, the later ones set in; an address stays whole."""
    return textwrap.wrap(
        line, room, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    ) or [""]


def colour() -> bool:
    """Return whether standard output is a terminal that wants colours."""
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def heading(text: str) -> None:
    """Print a line that stands out in a terminal."""
    click.echo(click.style(text, bold=True) if colour() else text)


def hint(*commands: str) -> None:
    """Say on standard error what to type next, so that standard output stays what was asked for."""
    for number, text in enumerate(commands):
        click.echo(f"{'next: ' if number == 0 else '      '}{text}", err=True)


def number(value: float) -> str:
    """Return a score as text: four decimals, or more digits where it is large or tiny."""
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.4g}"
