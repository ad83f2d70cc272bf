"""Makes the bundled data sets: `python -m tools.bundle`.

They come from scikit-learn, Babel and CPython's own documentation. The files are made once and
shipped, so users need none of the three, and every version of Python has the same text. Nothing
here depends on the clock, the machine or the order of a set: the same versions (`MADE_WITH`) give
the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib
import io
import json
import keyword
import random
import re
import sys
import sysconfig
import tokenize
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack

from tools import docstrings as documentation
from zoo.datasets.sources.bundled import FOLDER

MADE_WITH = "scikit-learn 1.9.1, Babel 2.18.0 (CLDR 47) and CPython 3.11.7"
SEED = 0  # of every split; never chosen by a result

LOCALES = (  # of languages written in the Latin script
    "en de fr es it pt nl sv da fi pl cs hu ro tr vi id et lv lt hr sk sl eu ca is ga sq"
)

# Of dates: English as it is written in America and in Britain, and 21 other languages.
DATE_LOCALES = "en en_GB de fr es it pt nl sv da fi pl cs hu ro tr el uk ru vi ko ja zh"
DATES = 12_000
FIRST_YEAR, LAST_YEAR = 1900, 2049

CC_BY = "CC BY 4.0"
UCI = "UCI Machine Learning Repository"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A data set's file and what `index.toml` says of it."""

    name: str
    header: list[str]
    """The columns of the file; the first is `split`."""
    rows: list[list[str]]
    """The rows of the file; each begins with its split."""
    features: dict[str, dict[str, Any]]
    """The input, and the target if there is one, for `zoo.datasets.features.from_dict`."""
    title: str
    """The name in words."""
    question: str
    """What is asked of an example, in a line."""
    source: str
    """Where the data come from, their authors and year, and what was changed."""
    url: str
    """The page of the source."""
    licence: str
    citation: str
    """How the source asks to be cited."""
    compressed: bool = False
    """Whether the file is compressed with gzip."""
    divisors: dict[str, float] = field(default_factory=dict)
    """By feature: the file's numbers are divided by it."""
    note: str = ""
    """What to compare a score with."""

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.csv.gz" if self.compressed else f"{self.name}.csv"


class Facts(TypedDict):
    """The texts of an `Entry` that scikit-learn's loader does not give."""

    title: str
    question: str
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
        features={
            "image": {"type": "image", "raw_shape": [8, 8, 1]},
            "label": label_feature([str(digit) for digit in range(10)]),
        },
        divisors={"image": 16},
        title="Handwritten digits",
        question="Which digit is it? 8x8 grey images, written by 13 people.",
        source="Optical Recognition of Handwritten Digits, the 1,797 images of its test set, "
        f"E. Alpaydin and C. Kaynak, {UCI}, 1998; split anew",
        url="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        licence=CC_BY,
        citation="Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits "
        f"[Dataset]. {UCI}. https://doi.org/10.24432/C50P49",
        compressed=True,
    )


def iris() -> Entry:
    """Fisher's irises."""
    return table(
        "iris",
        importlib.import_module("sklearn.datasets").load_iris(),
        title="Iris",
        question="Which of three species is the flower? Four lengths in centimetres.",
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
        question="Which of three cultivars is the wine from? Thirteen chemical measurements.",
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
        question="Malignant or benign? Thirty measurements of the cell nuclei in an image.",
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
        question="How far will the disease be in a year? Ten measurements of a patient.",
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
        **facts: What the loader does not give.

    Returns:
        The table, with the classes' names as labels, or with numbers if it has no classes.
    """
    names = classes or [str(name) for name in getattr(data, "target_names", ())]
    columns = [snake_case(column) for column in data.feature_names]
    features = {"features": {"type": "table", "names": columns}}
    if names:
        answers = [names[at] for at in data.target]
        splits = split_names(answers)
        target, features["label"] = "label", label_feature(names)
    else:
        answers = [number(value) for value in data.target]
        splits = split_names([name] * len(answers))
        target, features["target"] = "target", {"type": "number"}
    return Entry(
        name=name,
        header=["split", *columns, target],
        rows=[
            [split, *(number(value) for value in values), answer]
            for split, values, answer in zip(splits, data.data, answers, strict=True)
        ],
        features=features,
        **facts,
    )


def label_feature(names: list[str]) -> dict[str, Any]:
    """The feature of a column that names one of several classes, in the order of their numbers."""
    return {"type": "label", "names": names}


def snake_case(column: str) -> str:
    """'sepal length (cm)' -> 'sepal_length_cm'."""
    words = "".join(letter if letter.isalnum() else " " for letter in column)
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
        features={
            "features": {"type": "table", "names": ["x1", "x2"]},
            "label": label_feature(["0", "1"]),
        },
        title=f"Truth table of {name.upper()}",
        question=f"x1 {name} x2, all four cases; the same rows to train, validate and test on.",
        source="The Boolean function itself",
        url="",
        licence="public domain",
        citation="",
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
        features={"text": {"type": "text"}, "label": label_feature(sorted(set(labels)))},
        title="Languages",
        question="Which of 28 languages in Latin script is the name of a country, language, "
        "currency, month or day in?",
        source="Unicode Common Locale Data Repository (CLDR) 47, Unicode, Inc., 2025, "
        "through Babel; names that several of the languages share left out",
        url="https://cldr.unicode.org",
        licence="Unicode License v3",
        citation="Unicode, Inc. (2025). Unicode Common Locale Data Repository, version 47. "
        "https://cldr.unicode.org",
        note="Logistic regression on character 1- to 4-grams names the language of 0.824 of the "
        "test names, 0.811 if all are in lower case, naive Bayes on the same counts of 0.740, and "
        "a table of the training part's whole words of 0.381. No name is in two parts, whatever "
        "its case; a name in another language that differs by accents alone is in the training "
        "part for 4.9 % of the test names.",
        compressed=True,
    )


def dates() -> Entry:
    """Dates as people write them, each date once.

    A year has four digits here, and the American order of numbers (5/3/1979) is left out: both
    would have to be guessed. White space of any kind is a plain space.
    """
    babel = importlib.import_module("babel")
    formatter = importlib.import_module("babel.dates")
    locales = [babel.Locale.parse(code) for code in DATE_LOCALES.split()]
    generator = random.Random(SEED)  # noqa: S311
    first = date(FIRST_YEAR, 1, 1)
    days = (date(LAST_YEAR, 12, 31) - first).days + 1
    order = sorted(range(days), key=[generator.random() for _ in range(days)].__getitem__)
    rows = []
    strata = []
    for number, day in enumerate(order[:DATES]):
        locale = locales[number % len(locales)]
        patterns = date_patterns(locale)
        pattern = patterns[number // len(locales) % len(patterns)]
        written = formatter.format_date(first + timedelta(day), pattern, locale)
        rows.append([" ".join(written.split()), (first + timedelta(day)).isoformat()])
        strata.append(str(locale))
    return Entry(
        name="dates",
        header=["split", "text", "date"],
        rows=[[split, *row] for split, row in zip(split_names(strata), rows, strict=True)],
        title="Dates",
        question="Which day is it, as ISO 8601 writes it? "
        "A date as people write it in 22 languages.",
        source="Formats and names of months and days of the Unicode Common Locale Data Repository "
        "(CLDR) 47, Unicode, Inc., 2025, through Babel; the dates are random",
        url="https://cldr.unicode.org",
        licence="Unicode License v3",
        citation="Unicode, Inc. (2025). Unicode Common Locale Data Repository, version 47. "
        "https://cldr.unicode.org",
        features={"text": {"type": "text"}, "date": {"type": "text"}},
        note="Each date occurs once, so that no date of the test part was trained on; its years "
        "and its days of the year were. A table of the training part's patterns, which copies the "
        "numbers and knows the words of whole patterns, writes 0.829 of the test dates. No program "
        "has to guess: a year has four digits, and dates like 5/3/1979 have the day first.",
        compressed=True,
    )


LONG_LINE = 40  # characters; shorter lines are common phrases and headings


def pydoc() -> Entry:
    """CPython's topics, a row each. No paragraph or long line stands in two splits.

    The topics repeat each other word for word. Whole topics are dealt to the splits; then every
    paragraph is dropped that stands in an earlier one of test, validation and train, or shares a
    long line with it.
    """
    topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    splits = topic_splits({name: len(text) for name, text in topics.items()})
    seen: set[str] = set()
    texts: dict[str, str] = {}
    for split in ("test", "validation", "train"):
        marks: set[str] = set()
        for name in (name for name in sorted(topics) if splits[name] == split):
            kept = []
            for paragraph in filter(str.strip, topics[name].split("\n\n")):
                its = marks_of(paragraph)
                if not its & seen:
                    kept.append(paragraph.strip("\n"))
                    marks |= its
            texts[name] = "\n\n".join(kept) + "\n" if kept else ""
        seen |= marks
    return Entry(
        name="pydoc",
        header=["split", "text"],
        rows=[[splits[name], text] for name, text in texts.items() if text],
        features={"text": {"type": "text"}},
        title="Python's topics",
        question="Which character comes next? Pages of the Python language reference.",
        source="The topics of Python's help(), pydoc_data.topics of CPython 3.11.7, Python "
        "Software Foundation; split anew, without paragraphs and long lines that stand in two "
        "splits",
        url="https://docs.python.org/3/reference/",
        licence="Python Software Foundation License Version 2",
        citation="Python Software Foundation (2023). The Python Language Reference, version 3.11. "
        "https://docs.python.org/3.11/reference/",
        note="A Kneser-Ney character 8-gram scores 1.99 bits per character on the test split "
        "(python -m tools.ngram pydoc). No paragraph and no line of 40 characters or more is in "
        "two parts; of the test part's lines, 4.7 % are short ones that the training part has "
        "too, 1.7 % of its characters.",
        compressed=True,
    )


def date_patterns(locale: Any) -> list[str]:
    """The different patterns of whole dates that a locale has, in CLDR's notation."""
    patterns = [locale.date_formats[size].pattern for size in ("full", "long", "medium", "short")]
    skeletons = ("yMMMEd", "yMMMd", "yMEd", "yMd")
    patterns += [locale.datetime_skeletons[one].pattern for one in skeletons]
    whole = [re.sub(r"\byy\b", "y", pattern) for pattern in patterns]
    return [pattern for pattern in dict.fromkeys(whole) if "M/d/" not in pattern]


def topic_splits(sizes: dict[str, int]) -> dict[str, str]:
    """Deals topics so that test and validation each have about a tenth of the characters."""
    generator = random.Random(SEED)  # noqa: S311
    places = {name: generator.random() for name in sorted(sizes)}
    share = sum(sizes.values()) / 10
    dealt = {"test": 0, "validation": 0}
    names: dict[str, str] = {}
    for name in sorted(sizes, key=places.__getitem__):
        room = [
            split
            for split, size in dealt.items()
            if size < share and size + sizes[name] <= 1.2 * share
        ]
        names[name] = room[0] if room else "train"
        if room:
            dealt[room[0]] += sizes[name]
    return names


def marks_of(paragraph: str) -> set[str]:
    """What a paragraph must not share with another split: itself and its long lines.

    Indentation and line breaks do not count.
    """
    lines = [" ".join(line.split()) for line in paragraph.split("\n")]
    return {" ".join(paragraph.split()), *(line for line in lines if len(line) >= LONG_LINE)}


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


# The classes of characters in Python's source, by letter.
TOKEN_CLASSES = {
    "w": "white space",
    "k": "keyword",
    "n": "name",
    "d": "number",
    "s": "string",
    "c": "comment",
    "o": "operator",
}
_LETTERS = {
    tokenize.NUMBER: "d",
    tokenize.STRING: "s",
    tokenize.COMMENT: "c",
    tokenize.OP: "o",
}
WINDOW = 128
"""Characters of an example."""
MODULE_CHARACTERS = range(2_000, 60_001)
"""Modules of other lengths are left out, so that none is most of the data."""
SOURCE_CHARACTERS = {"test": 200_000, "validation": 100_000, "train": 1_000_000}
"""In each split at least."""
LIBRARY = "3.11.7"
PACKAGES = "asyncio collections concurrent ctypes email html http importlib json logging "
PACKAGES += "multiprocessing re sqlite3 tkinter tomllib unittest urllib wsgiref xml zoneinfo"


def python_tokens() -> Entry:
    """Windows of the standard library's source, with the class of each character.

    Each module is in one split only.
    """
    if sys.version.split()[0] != LIBRARY:
        raise SystemExit(f"python-tokens is made from the library of CPython {LIBRARY}")
    library = Path(sysconfig.get_path("stdlib"))
    paths = [*library.glob("*.py")]
    for package in PACKAGES.split():
        paths += [path for path in (library / package).rglob("*.py") if "test" not in path.parts]
    sources = {}
    for path in sorted(paths):
        source = path.read_text(encoding="utf-8")
        if len(source) in MODULE_CHARACTERS and source.isascii():
            sources[path.relative_to(library).as_posix()] = source
    generator = random.Random(SEED)  # noqa: S311
    keys = {name: generator.random() for name in sources}
    order = sorted(sources, key=keys.__getitem__)
    rows = []
    for split, least in SOURCE_CHARACTERS.items():
        taken = 0
        while taken < least:
            source = sources[order.pop()]
            classes = character_classes(source)
            taken += len(source)
            for at in range(0, len(source), WINDOW):
                rows.append([split, source[at : at + WINDOW], classes[at : at + WINDOW]])
    return Entry(
        name="python-tokens",
        header=["split", "text", "tags"],
        rows=rows,
        features={
            "text": {"type": "text"},
            "tags": {
                "type": "tags",
                "letters": "".join(TOKEN_CLASSES),
                "names": list(TOKEN_CLASSES.values()),
            },
        },
        title="Python tokens",
        question=f"Which kind of token is each character of Python source in? Windows of {WINDOW} "
        "characters.",
        note="A table of how each character is classed with the five before and after it knows "
        "0.75 of the characters. No module is in two parts; of the test part's whole lines of at "
        "least 30 characters, 0.7 % are in the training part too.",
        source=f"Modules of the standard library of CPython {LIBRARY}, Python Software Foundation, "
        "cut into windows; the classes are those of its tokenize module",
        url="https://github.com/python/cpython/tree/v3.11.7/Lib",
        licence="Python Software Foundation License Version 2",
        citation="Python Software Foundation (2023). CPython, version 3.11.7. "
        "https://www.python.org",
        compressed=True,
    )


def docstrings() -> Entry:
    """The words of the documentation in CPython: see `tools.docstrings`."""
    if sys.version.split()[0] != LIBRARY:
        raise SystemExit(f"docstrings is made from the library of CPython {LIBRARY}")
    return Entry(
        name="docstrings",
        header=["split", "text"],
        rows=[[split, text] for split, text in documentation.rows()],
        features={"text": {"type": "text"}},
        title="Words of Python's documentation",
        question="Which words stand near a word? Docstrings, comments and topics, a module a row.",
        source=f"The topics of help() in CPython {LIBRARY}, and the docstrings and comments of its "
        "standard library, Python Software Foundation: words in lower case, a line a paragraph, "
        "without paragraphs that repeat",
        url=f"https://github.com/python/cpython/tree/v{LIBRARY}/Lib",
        licence="Python Software Foundation License Version 2",
        citation="Python Software Foundation (2023). CPython, version 3.11.7. "
        "https://www.python.org",
        note=documentation.NOTE,
        compressed=True,
    )


def character_classes(source: str) -> str:
    """A letter of `TOKEN_CLASSES` for each character of Python source."""
    starts = [0]  # of each line
    for line in io.StringIO(source):
        starts.append(starts[-1] + len(line))
    letters = ["w"] * len(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        letter = _LETTERS.get(token.type, "w")
        if token.type == tokenize.NAME:
            letter = "k" if keyword.iskeyword(token.string) else "n"
        begin = starts[token.start[0] - 1] + token.start[1]
        end = starts[token.end[0] - 1] + token.end[1] if letter != "w" else begin
        letters[begin:end] = letter * (end - begin)
    return "".join(letters)


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
        python_tokens(),
        dates(),
        pydoc(),
        docstrings(),
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
    """A data set's tables in `index.toml`."""
    counts = Counter(row[0] for row in entry.rows)
    order = [split for split in ("all", "train", "validation", "test") if split in counts]
    given, *asked = entry.features
    facts: dict[str, Any] = {
        "file": entry.file,
        "sha256": hashlib.sha256(data).hexdigest(),
        "title": entry.title,
        "question": entry.question,
        "rows": len(entry.rows),
        "inputs": [given],
        "targets": asked,
        "source": entry.source,
        "url": entry.url,
        "licence": entry.licence,
        "citation": entry.citation,
        "splits": {split: counts[split] for split in order},
    }
    if entry.note:
        facts["note"] = entry.note
    if entry.divisors:
        facts["divisors"] = entry.divisors
    tables = {entry.name: facts}
    tables |= {f"{entry.name}.features.{name}": one for name, one in entry.features.items()}
    return "\n".join(
        "".join([f"[{name}]\n", *(f"{key} = {toml(value)}\n" for key, value in values.items())])
        for name, values in tables.items()
    )


def toml(value: Any) -> str:
    """A value in TOML; a JSON string, number or list of them is one already."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def main(folder: Path = FOLDER) -> None:
    """Writes every data set's file and the index into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for entry in entries():
        data = content(entry)
        (folder / entry.file).write_bytes(data)
        tables.append(index_table(entry, data))
        print(f"{entry.file:20} {len(entry.rows):6,} rows {len(data):8,} bytes", file=sys.stderr)
    header = "# The bundled data sets. Written by `python -m tools.bundle` from\n"
    index = f"{header}# {MADE_WITH}.\n\n" + "\n".join(tables)
    (folder / "index.toml").write_text(index, encoding="utf-8")


if __name__ == "__main__":
    main()
