"""A table of one's own: dlzoo's default training beside scikit-learn's HistGradientBoosting.

    python -m benchmarks.own_tables

Tables are generated: numbers with gaps, categories, a date, and columns that tell nothing. What is
asked for depends on them by steps, curves, products or seasons, with noise. dlzoo is given the file
and nothing else. The boosted trees learn from the same rows, the validation split's too. Both are
scored on 4,000 rows that neither has seen, by accuracy or R².
"""

from __future__ import annotations

import argparse
import csv
import datetime
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

CITIES = ("Rome", "Oslo", "Lima", "Pune", "Kyiv")
LEVELS = 20
KINDS = ("people", "curves", "products", "boxes", "seasons", "levels", "linear")
NOISE = {"people": 0.4, "boxes": 0.4, "linear": 0.7}
"""Standard deviation of what no column tells; 0.5 elsewhere."""
UNSEEN = 4_000
HEADER = ("id", "a", "b", "c", "age", "city", "day", "level", "flag", "noise")


def table(kind: str, rows: int, seed: int) -> tuple[list[list[str]], np.ndarray]:
    """Return cells (N, columns) with gaps, and the numbers that are asked for (N,)."""
    draw = np.random.default_rng([KINDS.index(kind), seed])
    a, b = draw.normal(size=rows), draw.uniform(0.0, 10.0, rows)
    c, age = np.exp(draw.normal(0.0, 0.8, rows)), draw.integers(0, 100, rows)
    city, level = draw.integers(0, len(CITIES), rows), draw.integers(0, LEVELS, rows)
    since = draw.integers(0, 2_000, rows)
    days = [datetime.date(2018, 1, 1) + datetime.timedelta(int(one)) for one in since]
    turn = 2.0 * np.pi * np.array([day.timetuple().tm_yday for day in days]) / 365.25
    weekday = np.array([day.weekday() for day in days])
    month = np.array([day.month for day in days])
    fixed = np.random.default_rng(99)
    effect, slope = fixed.normal(size=LEVELS), fixed.normal(size=len(CITIES))
    asked = {
        "people": 1.5 * (age > 45)
        + 1.2 * (c > 1.2)
        + (city < 2) * (age < 60)
        - 1.3 * np.isin(month, (6, 7, 8)),
        "curves": np.sin(b) + 0.5 * a + 0.3 * np.log(c) + 0.02 * age + 0.4 * np.sin(turn),
        "products": a * (b - 5.0) / 3.0 + slope[city] * (age - 50) / 30.0 + 0.4 * c * (city == 1),
        "boxes": 2.0 * ((age > 30) & (age < 70) & (b > 4.0))
        + 1.0 * ((a > 0.0) & (city < 2))
        - 1.5 * ((c > 1.0) & (since > 1_000))
        + 0.5 * (b > 8.0),
        "seasons": 1.5 * np.sin(turn - 1.4) + 0.8 * (weekday >= 5) + 0.0008 * since + 0.3 * a,
        "levels": effect[level] + 0.7 * a * (level < 10) + slope[city] + 0.01 * age,
        "linear": a + 0.3 * b - 0.5 * c + 0.02 * age + slope[city],
    }[kind] + NOISE.get(kind, 0.5) * draw.normal(size=rows)
    gap = draw.random((5, rows)) < np.array([[0.1], [0.05], [0.05], [0.03], [0.05]])
    cells = [
        [
            str(at),
            "" if gap[0, at] else f"{a[at]:.4f}",
            f"{b[at]:.3f}",
            "NA" if gap[1, at] else f"{c[at]:.4f}",
            "" if gap[4, at] else str(age[at]),
            "" if gap[2, at] else CITIES[city[at]],
            "" if gap[3, at] else days[at].isoformat(),
            f"L{level[at]}",
            ("no", "yes")[int(draw.integers(2))],
            f"{draw.normal():.3f}",
        ]
        for at in range(rows)
    ]
    return cells, asked


def _numbers(cells: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the rows as the trees take them: gaps are NaN, categories and dates numbers."""

    def row(given: Sequence[str]) -> list[float]:
        _, a, b, c, age, city, day, level, flag, noise = given
        numbers = [float(one.replace("NA", "") or "nan") for one in (a, b, c, age, noise)]
        date = datetime.date.fromisoformat(day) if day else None
        parts = (
            (date.toordinal(), date.timetuple().tm_yday, date.month, date.weekday())
            if date
            else (np.nan,) * 4
        )
        place = float(CITIES.index(city)) if city else np.nan
        return [place, float(level[1:]), float(flag == "yes"), *numbers, *parts]

    return np.array([row(one) for one in cells], np.float64)


def _write(path: Path, cells: Sequence[Sequence[str]], answers: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*HEADER, "answer"])
        out.writerows([*row, answer] for row, answer in zip(cells, answers, strict=True))


def compare(
    kind: str, rows: int, seed: int, classes: int, overrides: dict[str, Any]
) -> tuple[float, float]:
    """Return dlzoo's score and the trees', by accuracy, or by R² where `classes` is 0."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    import zoo
    from zoo.training.progress import Silent

    cells, asked = table(kind, rows + UNSEEN, seed)
    edges = np.quantile(asked, {0: [], 2: [0.6], 3: [0.35, 0.75]}[classes])
    names = np.array(["basic", "gold", "silver"])[np.searchsorted(edges, asked)]
    answers = [f"{one:.4f}" for one in asked] if not classes else names.tolist()
    with tempfile.TemporaryDirectory() as folder:
        path, unseen = Path(folder) / "known.csv", Path(folder) / "unseen.csv"
        _write(path, cells[:rows], answers[:rows])
        _write(unseen, cells[rows:], answers[rows:])
        run = zoo.train(
            "mlp",
            dataset=f"csv:{path}",
            target="answer",
            run_dir=Path(folder) / "runs",
            reporter=Silent(),
            overrides=overrides,
        )
        own = run.evaluate_on(f"csv:{unseen}").metrics["accuracy" if classes else "r2_score"]
        splits = run.splits or {}
    # "line 2" is the first row.
    known = [int(key.split()[1]) - 2 for name in ("train", "validation") for key in splits[name]]
    numbers, truth = _numbers(cells), np.array(answers) if classes else asked
    model = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    trees = model(categorical_features=[0, 1, 2], random_state=seed)
    trees.fit(numbers[known], truth[known])
    return own, float(trees.score(numbers[rows:], truth[rows:]))


def main() -> None:
    """Print a line for each table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[600, 1_500, 4_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--classes", type=int, nargs="+", choices=(0, 2, 3), default=[0, 2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--set", nargs="*", default=[], dest="assignments")
    given = parser.parse_args()
    from recipes.overrides import assignment

    overrides = dict(assignment(text) for text in given.assignments)
    print("rows   kind      classes  seed  dlzoo   trees   difference", flush=True)
    for rows in given.rows:
        for kind in given.kinds:
            for classes in given.classes:
                for seed in given.seeds:
                    own, trees = compare(kind, rows, seed, classes, overrides)
                    what = f"{rows:5d}  {kind:8s}  {classes:7d}  {seed:4d}"
                    print(f"{what}  {own:.4f}  {trees:.4f}  {own - trees:+.4f}", flush=True)


if __name__ == "__main__":
    main()
