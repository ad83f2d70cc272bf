"""The data set `dates`: what it holds, what leaks, and what a table of counts scores."""

from __future__ import annotations

import datetime
import gzip
import importlib
import re
from collections import Counter, defaultdict
from functools import cache

import pytest

from tools import bundle
from zoo.datasets.loading import load
from zoo.datasets.sources import open_source
from zoo.datasets.sources.bundled import FOLDER

SPLITS = ("train", "validation", "test")


@cache
def examples(split: str) -> list[tuple[str, str]]:
    """Text and date of each example."""
    found: list[tuple[str, str]] = []
    for chunk in load("dates").split(split).chunks(4096):
        pairs = zip(chunk["text"], chunk["date"], strict=True)
        found += [(text.decode("utf-8"), date.decode("utf-8")) for text, date in pairs]
    return found


def test_no_date_is_in_two_splits_and_none_occurs_twice() -> None:
    dates = [date for split in SPLITS for _, date in examples(split)]
    assert len(dates) == len(set(dates)) == 12_000
    texts = [text for split in SPLITS for text, _ in examples(split)]
    assert len(set(texts)) == len(texts)


def test_every_text_is_a_real_date_with_its_year_and_day() -> None:
    for text, date in examples("test"):
        day = datetime.date.fromisoformat(date)
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        assert {day.year, day.day} <= set(numbers), text


def test_many_locales_write_them_korean_among_them_with_and_without_the_weekday() -> None:
    texts = [text for text, _ in examples("train")]
    assert len(bundle.DATE_LOCALES.split()) >= 12
    for word in ("년", "年", "maggio", "May", "mai", "mayo", "mei", "мая", "Μαΐου", "tháng"):
        assert any(word in text for text in texts), word
    assert any("venerdì" in text for text in texts)
    assert any(re.fullmatch(r"\d+ maggio \d+", text) for text in texts)
    assert not any(re.search(r"[^\S ]", text) for text in texts)  # white space is a plain space


def test_no_text_could_be_two_dates() -> None:
    """Over all days of one year and all patterns of all locales."""
    babel, formatter = importlib.import_module("babel"), importlib.import_module("babel.dates")
    meant: dict[str, int] = {}
    for code in bundle.DATE_LOCALES.split():
        locale = babel.Locale.parse(code)
        for pattern in bundle.date_patterns(locale):
            for number in range(1, 366, 3):
                day = datetime.date(1978, 12, 31) + datetime.timedelta(number)
                text = " ".join(formatter.format_date(day, pattern, locale).split())
                assert meant.setdefault(text, number) == number, text


def test_a_table_of_patterns_scores_what_the_note_says() -> None:
    rules: dict[str, Counter[tuple[str | int, ...]]] = defaultdict(Counter)
    for text, date in examples("train"):
        numbers = [number.zfill(2) for number in re.findall(r"\d+", text)]
        parts = date.split("-")
        rule = tuple(numbers.index(part) if part in numbers else part for part in parts)
        rules[re.sub(r"\d+", "0", text)][rule] += 1
    right = 0
    for text, date in examples("test"):
        numbers = [number.zfill(2) for number in re.findall(r"\d+", text)]
        for rule, _ in rules[re.sub(r"\d+", "0", text)].most_common(1):
            written = [part if isinstance(part, str) else numbers[part] for part in rule]
            right += "-".join(written) == date
    score = f"{right / len(examples('test')):.3f}"
    assert score in open_source("dates").describe().note


def test_the_shipped_file_is_one_that_can_be_made_again() -> None:
    pytest.importorskip("babel")
    if importlib.import_module("babel").__version__ in bundle.MADE_WITH:
        made = bundle.content(bundle.dates())
        shipped = (FOLDER / "dates.csv.gz").read_bytes()
        assert gzip.decompress(made) == gzip.decompress(shipped)
