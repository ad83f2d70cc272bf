"""Pictures drawn from numbers: curves, matrices, maps of points, words and attention."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.runs.pictures import save

# In which characters are looked for, in this order; those that are not installed are passed over.
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK KR",
    "Noto Sans CJK JP",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
)
History = Mapping[str, Sequence[float]]
"""Values of each column of history.csv, one for each epoch."""


def _subplots(*shape: int, size: tuple[float, float]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(*shape, squeeze=False)


def curves(histories: Mapping[str, History], path: Path) -> None:
    """Draw the learning curves of one or several runs, one panel for each score.

    Args:
        histories: By the run's name. If there is a ``val_x``, ``x`` is a thin line beside it.
        path: The picture to write.
    """
    skipped = ("epoch", "seconds", "learning_rate")
    names: dict[str, None] = {}
    for history in histories.values():
        names |= {key.removeprefix("val_"): None for key in history if key not in skipped}
    columns = min(3, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    figure, axes = _subplots(rows, columns, size=(4.6 * columns, 3.4 * rows))
    for panel in axes.flat[len(names) :]:
        panel.set_visible(False)
    for name, panel in zip(names, axes.flat, strict=False):
        for number, (run, history) in enumerate(histories.items()):
            colour = f"C{number % 10}"
            epochs = history["epoch"]
            marker = "o" if len(epochs) == 1 else None
            both = name in history and f"val_{name}" in history
            if name in history:
                style = {"alpha": 0.45, "linewidth": 1.0} if both else {}
                label = "training" if len(histories) == 1 else (None if both else run)
                panel.plot(epochs, history[name], color=colour, label=label, marker=marker, **style)
            if f"val_{name}" in history:
                label = "validation" if len(histories) == 1 else run
                values = history[f"val_{name}"]
                panel.plot(epochs, values, color=colour, label=label, marker=marker)
        panel.set_title(name.replace("_", " "))
        panel.set_xlabel("epoch")
        _whole_epochs(panel)
        panel.grid(alpha=0.3)
    # The legend in the first panel names every run, also those without a curve in that panel.
    lines = {
        label: line
        for panel in axes.flat
        for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if lines:
        axes.flat[0].legend(lines.values(), lines.keys(), fontsize="small")
    save(figure, path)


def _whole_epochs(panel: Any) -> None:
    """Put the ticks of the horizontal axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    low, high = panel.get_xlim()
    if high - low < 1:  # a single epoch
        middle = (low + high) / 2
        panel.set_xlim(middle - 0.6, middle + 0.6)


def regression(truth: np.ndarray, answers: np.ndarray, path: Path, unit: str = "") -> None:
    """Draw a model's answers against the true values; exact answers lie on the diagonal.

    Args:
        truth: True values (N,).
        answers: The model's answers (N,) or (N, 1), in the same order and unit.
        path: The picture to write.
        unit: The unit of both, shown beside the axes' names.
    """
    truth, answers = np.ravel(truth), np.ravel(answers)
    finite = np.isfinite(truth) & np.isfinite(answers)
    truth, answers = truth[finite], answers[finite]
    figure, axes = _subplots(1, 1, size=(4.8, 4.8))
    panel = axes[0, 0]
    both = np.concatenate([truth, answers]) if len(truth) else np.array([0.0, 1.0])
    margin = 0.05 * (float(np.ptp(both)) or 1.0)
    ends = (float(both.min()) - margin, float(both.max()) + margin)
    panel.plot(ends, ends, color="0.6", linewidth=1.0, label="exact")
    panel.scatter(truth, answers, s=14, alpha=0.6, linewidths=0, label="examples")
    panel.set_xlim(ends)
    panel.set_ylim(ends)
    panel.set_aspect("equal")
    panel.set_xlabel(f"truth ({unit})" if unit else "truth")
    panel.set_ylabel(f"answer ({unit})" if unit else "answer")
    if len(truth):
        error = float(np.abs(answers - truth).mean())
        panel.set_title(f"mean absolute error {error:.4g}" + f" {unit}" * bool(unit))
    panel.grid(alpha=0.3)
    save(figure, path)


def forecasts(truth: Sequence[float], answers: Sequence[float], path: Path) -> None:
    """Draw a series, a model's forecasts of its values, and by how much they are wrong.

    Args:
        truth: Successive values (N,).
        answers: The forecasts (N,), each made from the values before it.
        path: The picture to write.
    """
    errors = np.asarray(answers) - np.asarray(truth)
    figure, axes = _subplots(2, 1, size=(9.0, 5.0))
    above, below = axes[:, 0]
    above.plot(truth, color="0.6", linewidth=2.5, label="truth")
    above.plot(answers, color="C0", linewidth=1.0, label="forecast one step ahead")
    above.set_title(f"mean squared error {float(np.mean(errors**2)):.4g}")
    above.legend(fontsize="small")
    below.plot(errors, color="C3", linewidth=1.0)
    below.set_ylabel("error")
    below.set_xlabel("step")
    for panel in (above, below):
        panel.set_xlim(0, max(1, len(errors) - 1))
        panel.grid(alpha=0.3)
    save(figure, path)


def scatter_map(points: np.ndarray, labels: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Draw points of a plane, each in the colour of its class.

    Args:
        points: (N, 2).
        labels: Their classes (N,).
        names: Of the classes; none where there are no classes.
        path: The picture to write.
    """
    figure, axes = _subplots(1, 1, size=(6.4, 5.4))
    panel = axes[0, 0]
    for label in np.unique(labels):
        own = points[labels == label]
        name = names[label] if len(names) else None
        panel.scatter(*own.T, s=12, linewidths=0, color=f"C{label % 10}", label=name)
        if name is not None:
            panel.text(*own.mean(axis=0), name, weight="bold", ha="center", va="center")
    panel.set_title("means of the codes of test examples")
    panel.set_aspect("equal")
    panel.grid(alpha=0.3)
    save(figure, path)


def confusion_matrix(matrix: np.ndarray, names: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix.

    Args:
        matrix: Counts (classes, classes), rows are the true classes.
        names: The classes' names.
        path: The picture to write.
    """
    side = max(4.5, 0.36 * len(names) + 2.0)
    figure, axes = _subplots(1, 1, size=(side, side))
    panel = axes[0, 0]
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    panel.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    ticks = range(len(names))
    panel.set_xticks(ticks, names, rotation=90 if max(map(len, names)) > 3 else 0)
    panel.set_yticks(ticks, names)
    panel.set_xlabel("answer")
    panel.set_ylabel("truth")
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = "white" if share[row, column] > 0.5 else "black"
        panel.text(column, row, matrix[row, column], ha="center", va="center", color=colour)
    right = int(np.trace(matrix))
    panel.set_title(f"{right} of {int(matrix.sum())} right")
    save(figure, path)


def attention_map(
    weights: np.ndarray, read: Sequence[str], written: Sequence[str], path: Path
) -> None:
    """Draw how much each written token looked at each token that was read.

    Args:
        weights: (written, read), in [0, 1].
        read: The source's tokens, drawn along the top.
        written: The answer's tokens, drawn from top to bottom.
        path: The picture to write.
    """
    import warnings

    from matplotlib import font_manager

    names = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [name for name in FONTS if name in names]
    size = (1.2 + 0.28 * len(read), 1.0 + 0.28 * len(written))
    figure, axes = _subplots(1, 1, size=size)
    panel = axes[0, 0]
    panel.imshow(weights, cmap="Greys", vmin=0.0, vmax=1.0, aspect="auto")
    shown = {"fontfamily": fonts, "fontsize": 11}
    panel.set_xticks(range(len(read)), [_visible(token) for token in read], **shown)
    panel.set_yticks(range(len(written)), [_visible(token) for token in written], **shown)
    panel.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    panel.set_xlabel("read")
    panel.xaxis.set_label_position("top")
    panel.set_ylabel("written")
    with warnings.catch_warnings():
        # Where no font has a character, a box stands for it; matplotlib warns of each.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        save(figure, path)


def _visible(token: str) -> str:
    """Return a token with a sign for a space; a dollar would begin a formula."""
    return {" ": "␣", "$": r"\$"}.get(token, token)


def word_map(points: np.ndarray, words: Sequence[str], path: Path, marked: int = 0) -> None:
    """Draw words where their vectors lie in a plane.

    Args:
        points: (N, 2).
        words: Their names (N,).
        path: The picture to write.
        marked: The first so many are drawn apart from the rest.
    """
    side = min(14.0, max(6.0, 1.1 * math.sqrt(len(words))))
    figure, axes = _subplots(1, 1, size=(side, side))
    panel = axes[0, 0]
    colours = ["C3" if at < marked else "C0" for at in range(len(words))]
    panel.scatter(points[:, 0], points[:, 1], s=10, c=colours, linewidths=0)
    for word, (across, up), colour in zip(words, points, colours, strict=True):
        panel.annotate(
            _visible(word),
            (across, up),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize="small",
            color=colour if colour == "C3" else "0.15",
        )
    panel.set_xlabel("first principal component")
    panel.set_ylabel("second principal component")
    panel.margins(0.12)
    low, high = panel.get_xlim()
    panel.set_xlim(low, high + 0.12 * (high - low))  # names stand to the right of their points
    panel.grid(alpha=0.3)
    save(figure, path)


def shares(counts: Mapping[str, Sequence[int]], path: Path) -> None:
    """Draw the share of right answers for each kind of question.

    Args:
        counts: By kind: right answers, and questions.
        path: The picture to write.
    """
    figure, axes = _subplots(1, 1, size=(6.0, 1.0 + 0.4 * len(counts)))
    panel = axes[0, 0]
    kinds = list(counts)
    values = [right / max(asked, 1) for right, asked in counts.values()]
    panel.barh(kinds, values, color="C0")
    for at, (right, asked) in enumerate(counts.values()):
        panel.text(values[at] + 0.01, at, f"{right:,} of {asked:,}", va="center", fontsize="small")
    panel.invert_yaxis()
    panel.set_xlim(0.0, 1.15)
    panel.set_xlabel("share of right answers")
    save(figure, path)
