"""A table of one's own: dlzoo's default training beside scikit-learn's HistGradientBoosting.

    python -m benchmarks.own_tables

Tables are generated: numbers with gaps, a category, a date, and a target that depends on them by
steps, products and noise. Both learn from the training split of the same run; the boosted trees
take its validation split too.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

CITIES = ("Rome", "Oslo", "Lima", "Pune", "Kyiv")


def people(path: Path, rows: int, seed: int, *, number: bool) -> None:
    """Write a table of people with the plan they chose, or what they paid."""
    draw = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "age", "income", "city", "joined", "answer"])
        for row in range(rows):
            age, city = int(draw.integers(18, 80)), str(draw.choice(CITIES))
            income = float(np.exp(draw.normal(10.0, 0.6)))
            joined = datetime.date(2018, 1, 1) + datetime.timedelta(int(draw.integers(0, 2000)))
            score = (
                1.5 * (age > 45)
                + 1.2 * (income > 25_000)
                + 1.0 * (city in ("Rome", "Oslo")) * (age < 60)
                - 1.3 * (joined.month in (6, 7, 8))
                + draw.normal(0.0, 0.4)
            )
            plan = "gold" if score > 2.2 else "silver" if score > 1.2 else "basic"
            out.writerow(
                [
                    row,
                    "" if draw.random() < 0.1 else age,
                    "NA" if draw.random() < 0.05 else f"{income:.2f}",
                    "" if draw.random() < 0.05 else city,
                    joined.isoformat(),
                    f"{10.0 * score:.3f}" if number else plan,
                ]
            )


def _numbers(rows: list[dict[str, str]]) -> np.ndarray:
    """Return the rows as the trees take them: gaps are NaN, the category is a number."""
    found = []
    for row in rows:
        date = datetime.date.fromisoformat(row["joined"])
        found.append(
            [
                float(row["age"] or "nan"),
                float(row["income"].replace("NA", "nan")),
                float(CITIES.index(row["city"])) if row["city"] else np.nan,
                float(date.toordinal()),
                float(date.timetuple().tm_yday),
            ]
        )
    return np.array(found)


def trees(path: Path, splits: dict[str, list[str]], *, number: bool, seed: int) -> float:
    """Return the test score of HistGradientBoosting on a run's splits: accuracy, or R²."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # "line 2" is the first row.
    picked = {
        name: [rows[int(key.split()[1]) - 2] for key in keys] for name, keys in splits.items()
    }
    train = picked["train"] + picked["validation"]
    kind = HistGradientBoostingRegressor if number else HistGradientBoostingClassifier
    model = kind(categorical_features=[2], random_state=seed)
    answers = {
        name: [float(row["answer"]) if number else row["answer"] for row in chosen]
        for name, chosen in (("train", train), ("test", picked["test"]))
    }
    model.fit(_numbers(train), answers["train"])
    return float(model.score(_numbers(picked["test"]), answers["test"]))


def compare(rows: int, seed: int, overrides: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield for a classification and a regression its name, dlzoo's score and the trees'."""
    import zoo
    from zoo.training.progress import Silent

    for number in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "people.csv"
            people(path, rows, seed, number=number)
            run = zoo.train(
                "mlp",
                dataset=f"csv:{path}",
                target="answer",
                run_dir=Path(folder) / "runs",
                reporter=Silent(),
                overrides=overrides,
            )
            score = "r2_score" if number else "accuracy"
            splits = run.splits or {}
            beside = trees(path, splits, number=number, seed=seed)
            yield score, run.metrics["test"][score], beside


def main() -> None:
    """Print a line for each table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 4000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[], dest="assignments")
    given = parser.parse_args()
    from recipes.overrides import assignment

    overrides = dict(assignment(text) for text in given.assignments)
    print("rows  seed  score     dlzoo   trees   difference", flush=True)
    for rows in given.rows:
        for seed in range(given.seeds):
            for name, own, beside in compare(rows, seed, overrides):
                line = f"{rows:5d}  {seed:4d}  {name:8s}  {own:.4f}  {beside:.4f}"
                print(f"{line}  {own - beside:+.4f}", flush=True)


if __name__ == "__main__":
    main()
