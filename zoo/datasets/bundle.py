"""Makes the bundled data sets: `python -m zoo.datasets.bundle`.

The files in `bundled/` are made once and shipped, so that scikit-learn and Babel, from which they
come, are needed only to make them again. Nothing here depends on the clock, the machine or the
order of a set: the same versions of the two packages (`MADE_WITH`) give the same bytes.
"""

import csv
import gzip
import hashlib
import importlib
import io
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

BUNDLED = Path(__file__).parent / "bundled"
MADE_WITH = "scikit-learn 1.9.1 and Babel 2.18.0 (CLDR 47)"
SEED = 0  # of every split; never chosen by a result

LOCALES = (  # of languages written in the Latin script
    "en de fr es it pt nl sv da fi pl cs hu ro tr vi id et lv lt hr sk sl eu ca is ga sq"
)

CC_BY = "CC BY 4.0"
UCI = "UCI Machine Learning Repository"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A data set's file and what `index.toml` says of it.

    Attributes:
        name: The data set's name.
        header: The columns of the file, the first of which is `split`.
        rows: The rows of the file, each beginning with its split.
        kind: What a sample is: "image", "table" or "text".
        target: What is asked for: "class" or "number".
        title: The name in words.
        description: One line on what is asked of a model.
        source: Where the data come from, their authors and year, and what was changed.
        url: The page of the source.
        licence: The licence of the data.
        citation: How the source asks to be cited.
        classes: The classes' names, in the order of their indices; empty for a number.
        compressed: Whether the file is compressed with gzip.
        image_shape: Height, width and channels of an image.
        value_range: The least and the greatest value of a pixel.
    """

    name: str
    header: list[str]
    rows: list[list[str]]
    kind: str
    target: str
    title: str
    description: str
    source: str
    url: str
    licence: str
    citation: str
    classes: list[str]
    compressed: bool = False
    image_shape: list[int] | None = None
    value_range: list[int] | None = None

    @property
    def file(self) -> str:
        """The file's name in `bundled/`."""
        return f"{self.name}.csv.gz" if self.compressed else f"{self.name}.csv"


class Facts(TypedDict):
    """The texts of an `Entry` that a table's loader cannot tell."""

    title: str
    description: str
    source: str
    url: str
    licence: str
    citation: str


def split_names(
    strata: Sequence[Hashable], *, validation: int | None = None, test: int | None = None
) -> list[str]:
    """Deals samples into train, validation and test so that each has the classes in proportion.

    Args:
        strata: Each sample's class; one and the same for all where there are none.
        validation: The size of the validation split; a tenth of the samples if not given.
        test: The size of the test split; a fifth of the samples if not given.

    Returns:
        Each sample's split, in the order of `strata`.
    """
    generator = random.Random(SEED)  # noqa: S311
    # Every version of Python promises the same sequence from random(), but not from shuffle().
    shuffled = sorted(range(len(strata)), key=[generator.random() for _ in strata].__getitem__)
    members: dict[Hashable, list[int]] = {stratum: [] for stratum in strata}
    for index in shuffled:
        members[strata[index]].append(index)

    names = ["train"] * len(strata)
    sizes = {
        "test": round(len(strata) / 5) if test is None else test,
        "validation": round(len(strata) / 10) if validation is None else validation,
    }
    for name, size in sizes.items():
        counts = {stratum: strata.count(stratum) for stratum in members}
        for stratum, share in proportional(counts, size).items():
            dealt, members[stratum] = members[stratum][:share], members[stratum][share:]
            for index in dealt:
                names[index] = name
    return names


def proportional(counts: dict[Hashable, int], size: int) -> dict[Hashable, int]:
    """Shares `size` among strata in proportion to their counts, by the largest remainders."""
    total = sum(counts.values())
    shares = {stratum: size * count // total for stratum, count in counts.items()}
    by_remainder = sorted(counts, key=lambda stratum: -(size * counts[stratum] % total))
    for stratum in by_remainder[: size - sum(shares.values())]:
        shares[stratum] += 1
    return shares


def digits() -> Entry:
    """The 1,797 images of the UCI test set, 8x8 pixels in 0..16."""
    data = importlib.import_module("sklearn.datasets").load_digits()
    labels = [str(label) for label in data.target]
    splits = split_names(labels, validation=180, test=360)
    return Entry(
        name="digits",
        header=["split", "label", *(f"p{pixel}" for pixel in range(64))],
        rows=[
            [split, label, *(str(int(pixel)) for pixel in image)]
            for split, label, image in zip(splits, labels, data.data, strict=True)
        ],
        kind="image",
        target="class",
        title="Handwritten digits",
        description="Which digit is it? 8x8 grey images, written by 13 people.",
        source="Optical Recognition of Handwritten Digits, the 1,797 images of its test set, "
        f"E. Alpaydin and C. Kaynak, {UCI}, 1998; split anew",
        url="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        licence=CC_BY,
        citation="Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits "
        f"[Dataset]. {UCI}. https://doi.org/10.24432/C50P49",
        classes=[str(digit) for digit in range(10)],
        compressed=True,
        image_shape=[8, 8, 1],
        value_range=[0, 16],
    )


def iris() -> Entry:
    """Fisher's irises."""
    return table(
        "iris",
        importlib.import_module("sklearn.datasets").load_iris(),
        title="Iris",
        description="Which of three species is the flower? Four lengths in centimetres.",
        source=f"Iris, R. A. Fisher, 1936, {UCI}, 1988; two flowers as Fisher's paper has them, "
        "split anew",
        url="https://archive.ics.uci.edu/dataset/53/iris",
        licence=CC_BY,
        citation=f"Fisher, R. A. (1936). Iris [Dataset]. {UCI}. https://doi.org/10.24432/C56C76",
    )


def wine() -> Entry:
    """Wines of three cultivars."""
    return table(
        "wine",
        importlib.import_module("sklearn.datasets").load_wine(),
        classes=["cultivar_1", "cultivar_2", "cultivar_3"],
        title="Wine",
        description="Which of three cultivars is the wine from? Thirteen chemical measurements.",
        source=f"Wine, S. Aeberhard and M. Forina, {UCI}, 1992; split anew",
        url="https://archive.ics.uci.edu/dataset/109/wine",
        licence=CC_BY,
        citation=f"Aeberhard, S. and Forina, M. (1992). Wine [Dataset]. {UCI}. "
        "https://doi.org/10.24432/C5PC7J",
    )


def breast_cancer() -> Entry:
    """Cell nuclei of breast masses, Wisconsin."""
    return table(
        "breast-cancer",
        importlib.import_module("sklearn.datasets").load_breast_cancer(),
        title="Breast cancer, Wisconsin (diagnostic)",
        description="Malignant or benign? Thirty measurements of the cell nuclei in an image.",
        source="Breast Cancer Wisconsin (Diagnostic), W. H. Wolberg, O. L. Mangasarian and "
        f"W. N. Street, {UCI}, 1995; split anew",
        url="https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic",
        licence=CC_BY,
        citation="Wolberg, W., Mangasarian, O., Street, N. and Street, W. (1993). Breast Cancer "
        f"Wisconsin (Diagnostic) [Dataset]. {UCI}. https://doi.org/10.24432/C5DW2B",
    )


def diabetes() -> Entry:
    """The diabetes patients of the least-angle-regression paper, in their own units."""
    return table(
        "diabetes",
        importlib.import_module("sklearn.datasets").load_diabetes(scaled=False),
        title="Diabetes",
        description="How far will the disease be in a year? Ten measurements of a patient.",
        source="The 442 patients of Least Angle Regression, B. Efron, T. Hastie, I. Johnstone and "
        "R. Tibshirani, 2004, as distributed with scikit-learn; split anew",
        url="https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        licence="no licence stated by its authors; distributed with scikit-learn (BSD 3-Clause)",
        citation="Efron, B., Hastie, T., Johnstone, I. and Tibshirani, R. (2004). Least Angle "
        "Regression. Annals of Statistics 32(2), 407-499. https://doi.org/10.1214/009053604000000067",
    )


def table(
    name: str, data: Any, *, classes: list[str] | None = None, **facts: Unpack[Facts]
) -> Entry:
    """One of scikit-learn's tables.

    Args:
        name: The data set's name.
        data: What scikit-learn's loader returned.
        classes: Names for the classes, where scikit-learn's say nothing.
        **facts: What the loader cannot tell.

    Returns:
        The table, with the classes' names as labels, or with numbers if it has no classes.
    """
    names = classes or [str(name) for name in getattr(data, "target_names", ())]
    if names:
        answers = [names[label] for label in data.target]
        splits = split_names(answers)
    else:
        answers = [number(value) for value in data.target]
        splits = split_names([name] * len(answers))
    return Entry(
        name=name,
        header=[
            "split",
            *(snake_case(feature) for feature in data.feature_names),
            "label" if names else "target",
        ],
        rows=[
            [split, *(number(value) for value in features), answer]
            for split, features, answer in zip(splits, data.data, answers, strict=True)
        ],
        kind="table",
        target="class" if names else "number",
        classes=names,
        **facts,
    )


def snake_case(feature: str) -> str:
    """'sepal length (cm)' -> 'sepal_length_cm'."""
    words = "".join(letter if letter.isalnum() else " " for letter in feature)
    return "_".join(words.split())


def number(value: float) -> str:
    """The shortest text that reads back as the value, without an exponent for the values here."""
    return repr(float(value)).removesuffix(".0")


def truth_table(name: str, outputs: Sequence[int]) -> Entry:
    """A Boolean function of two inputs.

    Args:
        name: The function's name.
        outputs: Its values for (0, 0), (0, 1), (1, 0) and (1, 1).

    Returns:
        The four rows, in the split `all`: a truth table is its own train, validation and test set.
    """
    inputs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    return Entry(
        name=name,
        header=["split", "x1", "x2", "label"],
        rows=[
            ["all", str(x1), str(x2), str(output)]
            for (x1, x2), output in zip(inputs, outputs, strict=True)
        ],
        kind="table",
        target="class",
        title=f"Truth table of {name.upper()}",
        description=f"x1 {name} x2, all four cases; the same rows to train, validate and test on.",
        source="The Boolean function itself",
        url="",
        licence="public domain",
        citation="",
        classes=["0", "1"],
    )


def languages() -> Entry:
    """Names of countries, languages, currencies, months and days in 28 languages.

    A name that is in several of the languages tells nothing and is left out; upper and lower case
    are one name for that, and go to the same split.
    """
    locale_class = importlib.import_module("babel").Locale
    locales = [locale_class.parse(code) for code in LOCALES.split()]
    spellings: dict[str, set[str]] = defaultdict(set)  # lower-cased name -> its spellings
    languages_of: dict[str, set[str]] = defaultdict(set)  # lower-cased name -> languages
    for locale in locales:
        label = str(locale.get_display_name("en"))
        for name in names_in(locale):
            spellings[name.lower()].add(name)
            languages_of[name.lower()].add(label)

    kept = sorted(name for name, labels in languages_of.items() if len(labels) == 1)
    labels = [next(iter(languages_of[name])) for name in kept]
    rows = [
        [split, spelling, label]
        for name, label, split in zip(kept, labels, split_names(labels), strict=True)
        for spelling in sorted(spellings[name])
    ]
    return Entry(
        name="languages",
        header=["split", "text", "label"],
        rows=rows,
        kind="text",
        target="class",
        title="Languages",
        description="Which of 28 languages in Latin script is the name of a country, language, "
        "currency, month or day in?",
        source="Unicode Common Locale Data Repository (CLDR) 47, Unicode, Inc., 2025, "
        "through Babel; names that several of the languages share left out",
        url="https://cldr.unicode.org",
        licence="Unicode License v3",
        citation="Unicode, Inc. (2025). Unicode Common Locale Data Repository, version 47. "
        "https://cldr.unicode.org",
        classes=sorted(set(labels)),
        compressed=True,
    )


def names_in(locale: Any) -> set[str]:
    """A locale's names of territories, languages, currencies, months and days.

    Months and days are those written in full. They have one form for use in a date ("format") and
    one for use alone, which differ in many languages; both are names here.
    """
    groups: list[Iterable[Any]] = [
        locale.territories.values(),
        locale.languages.values(),
        locale.currencies.values(),
    ]
    for calendar in (locale.months, locale.days):
        groups += [calendar[form]["wide"].values() for form in ("format", "stand-alone")]
    return {str(name).strip() for group in groups for name in group}


def entries() -> list[Entry]:
    """Every bundled data set, in the order of the index."""
    return [
        digits(),
        truth_table("and", [0, 0, 0, 1]),
        truth_table("or", [0, 1, 1, 1]),
        truth_table("xor", [0, 1, 1, 0]),
        iris(),
        wine(),
        breast_cancer(),
        diabetes(),
        languages(),
    ]


def content(entry: Entry) -> bytes:
    """The bytes of a data set's file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(entry.header)
    writer.writerows(entry.rows)
    raw = text.getvalue().encode()
    if not entry.compressed:
        return raw
    # Some versions of gzip.compress write the platform into the header; GzipFile does not.
    compressed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=compressed, mtime=0) as stream:
        stream.write(raw)
    return compressed.getvalue()


def index_table(entry: Entry, data: bytes) -> str:
    """A data set's table in `index.toml`."""
    counts = Counter(row[0] for row in entry.rows)
    order = [split for split in ("all", "train", "validation", "test") if split in counts]
    facts: dict[str, Any] = {
        "file": entry.file,
        "sha256": hashlib.sha256(data).hexdigest(),
        "title": entry.title,
        "description": entry.description,
        "kind": entry.kind,
        "target": entry.target,
        "rows": len(entry.rows),
        "classes": entry.classes,
        "image_shape": entry.image_shape,
        "value_range": entry.value_range,
        "source": entry.source,
        "url": entry.url,
        "licence": entry.licence,
        "citation": entry.citation,
    }
    # A JSON string, number or list of them is also a TOML value.
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in facts.items()
        if value is not None
    ]
    splits = ", ".join(f"{split} = {counts[split]}" for split in order)
    return "\n".join([f"[{entry.name}]", *lines, f"splits = {{ {splits} }}"]) + "\n"


def main(folder: Path = BUNDLED) -> None:
    """Writes every data set's file and the index into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for entry in entries():
        data = content(entry)
        (folder / entry.file).write_bytes(data)
        tables.append(index_table(entry, data))
        print(f"{entry.file:20} {len(entry.rows):6,} rows {len(data):8,} bytes", file=sys.stderr)
    header = "# The bundled data sets. Written by `python -m zoo.datasets.bundle` from\n"
    index = f"{header}# {MADE_WITH}.\n\n" + "\n".join(tables)
    (folder / "index.toml").write_text(index, encoding="utf-8")


if __name__ == "__main__":
    main()
