"""Bad sources, files, rows and flags of the user's own: one line each, and the right exit code."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests import odd as sources
from tests.cli.conftest import Dlzoo

# What is typed, the exit code, and what the line must hold.
CASES = [
    # References.
    (
        "train --dataset fodler:photos",
        2,
        "unknown kind of source 'fodler:'. Did you mean 'folder'?",
    ),
    ("train --dataset http://x.org/y.csv", 2, "unknown kind of source 'http:'."),
    ("train --dataset folder:", 2, "'folder:' names no file: expected folder:DIR"),
    ("train --dataset 'csv: '", 2, "names no file: expected csv:FILE"),
    (r"train --dataset 'csv:x\0.csv'", 2, "names no file"),
    ("train --dataset photos", 2, "there is no data set 'photos'. Did you mean 'folder:photos'?"),
    (
        "train --dataset good.csv",
        2,
        "there is no data set 'good.csv'. Did you mean 'csv:good.csv'?",
    ),
    (
        "train mlp --dataset digits --target label",
        2,
        "target (--target) is for sources of your own",
    ),
    ("train --dataset folder:photos --target x", 2, "folder:photos takes no target (--target)"),
    ("train --dataset csv:good.csv --data-dir x", 2, "takes no data_dir (--data-dir)"),
    ("train --dataset csv:good.csv --group", 2, "requires an argument"),
    # Folders.
    ("train --dataset folder:missing", 2, "missing is not there (folder:missing, seen from"),
    ("train --dataset folder:notes.md", 2, "notes.md is a file, not a folder"),
    ("train --dataset folder:hollow", 2, "there are no images in hollow; it takes .png"),
    ("train --dataset folder:papers", 2, "there are no images in papers"),
    ("train --dataset folder:alone", 2, "has images of one class alone, 'circle'"),
    ("train --dataset folder:loose", 2, "1 images in loose are in no class's folder: 0.png"),
    ("train --dataset folder:mixed", 2, "has folders of splits and others beside them: more"),
    (
        "train --dataset folder:zero",
        1,
        "zero/circle/empty.png: is empty (0 bytes); --skip-bad-files",
    ),
    ("train --dataset folder:text", 1, "text/circle/text.png: is not a readable image: its format"),
    ("train --dataset folder:bad --skip-bad-files", 2, "none of the 2 images in bad can be read"),
    ("train lenet5 --dataset folder:cut", 1, "circle/cut.png of folder:cut is not a readable"),
    ("train --dataset folder:only_test", 2, "class 'square' is in the test split and never in the"),
    ("train --dataset folder:pair", 2, "folder:pair: the validation split would be empty"),
    ("train --dataset folder:dead", 1, "dead/circle/gone.png: No such file or directory; --skip"),
    ("train --dataset folder:loop", 1, "loop/circle/self.png: Too many levels of symbolic links"),
    ("train --dataset folder:huge", 1, "circle/huge.png: is too large: it has more than 178,956,9"),
    (
        "train lenet5 --dataset folder:photos/circle",
        2,
        "needs a class for each example; folder:photos/ci",
    ),
    # Tables: the file.
    ("train --dataset csv:missing.csv", 2, "there is no file missing.csv (csv:missing.csv)"),
    ("train --dataset csv:photos", 2, "there is no file photos (csv:photos)"),
    ("train --dataset csv:empty.csv", 2, "empty.csv is empty, or its first line is"),
    ("train --dataset csv:blank.csv", 2, "blank.csv is empty, or its first line is"),
    ("train --dataset csv:headed.csv", 2, "headed.csv has a header and no rows"),
    ("train --dataset csv:twice.csv", 2, "twice.csv: the header names the column 'a' twice"),
    ("train --dataset csv:numbers.csv", 2, "numbers.csv, line 1: expected the columns' names"),
    ("train --dataset csv:nul.csv", 2, "nul.csv is no text file: its first line holds a NUL"),
    ("train --dataset csv:latin.csv", 2, "latin.csv, line 1: not UTF-8 text"),
    ("train --dataset csv:latin_row.csv --target plan", 1, "latin_row.csv, line 2: not UTF-8 text"),
    ("train --dataset csv:quote.csv --target plan", 1, "quote.csv, line 2: not CSV: "),
    ("train --dataset csv:utf16.csv --target plan", 2, "utf16.csv is UTF-16 text; save it as UTF"),
    ("train --dataset csv:mac.csv --target plan", 2, "mac.csv: its lines end in CR alone"),
    ("train --dataset csv:nul_row.csv --target plan", 1, "nul_row.csv, line 32: a cell holds a N"),
    ("train --dataset csv:spaces.csv --target plan", 2, "has one column alone, 'age city plan': a"),
    ("train --dataset csv:unnamed.csv --target plan", 2, "the header names the column '' twice"),
    ("train --dataset csv:wide.csv --target plan", 1, "wide.csv, line 2: not CSV: field larger"),
    ("train --dataset csv:none.parquet --target plan", 2, "none.parquet is no text file"),
    ("train --dataset parquet:good.csv --target plan", 1, "good.csv is not a readable parquet fil"),
    ("train --dataset parquet:none.parquet --target plan", 2, "none.parquet has a header and no r"),
    ("train --dataset parquet:nested.parquet --target plan", 2, "column a holds list<element: int"),
    ("train --dataset parquet:table.parquet --target plan", 2, "column a holds struct<k: int64>"),
    ("train --dataset csv:cut.csv.gz", 1, "cut.csv.gz cannot be unpacked"),
    ("train --dataset csv:fake.csv.gz", 1, "fake.csv.gz cannot be unpacked"),
    ("train --dataset parquet:fake.parquet", 1, "fake.parquet is not a readable parquet file"),
    # Tables: columns and rows.
    (
        "train --dataset csv:good.csv",
        2,
        "which column of good.csv is asked for? Say --target COLUMN",
    ),
    ("train --dataset csv:good.csv --target pln", 2, "'pln'. Did you mean 'plan'?"),
    ("train --dataset csv:good.csv --target plan:clas", 2, "'clas'. Did you mean 'class'?"),
    ("train --dataset csv:good.csv --target plan --group cty", 2, "'cty'. Did you mean 'city'?"),
    (
        "train --dataset csv:good.csv --target plan:number",
        1,
        "line 2: the target plan must be a nu",
    ),
    (
        "train --dataset csv:short.csv --target plan",
        1,
        "line 32: expected 3 cells, as in the header",
    ),
    (
        "train --dataset csv:long.csv --target plan",
        1,
        "line 32: expected 3 cells, as in the header",
    ),
    ("train --dataset csv:gap.csv --target plan", 1, "line 32: the target plan is missing"),
    (
        "train --dataset csv:infinite.csv --target plan",
        1,
        "line 32: age is infinite or beyond 1e+30",
    ),
    (
        "train --dataset csv:word.csv --target price:number",
        1,
        "line 20: the target price must be a",
    ),
    ("train --dataset csv:large.csv --target plan", 1, "line 32: age is infinite or beyond 1e+30"),
    ("train --dataset csv:tiny.csv --target y", 2, "have a standard deviation of 1.2e-19; write"),
    ("train --dataset csv:unasked.csv --target plan", 1, "line 2: the target plan is missing; --s"),
    ("train --dataset csv:unasked.csv --target plan --skip-bad-files", 2, "has no row that can be"),
    ("train --dataset csv:many.csv --target name", 2, "has 1002 classes; 1000 are the most"),
    ("train --dataset csv:alone.csv --target plan", 2, "no column beside plan can be learnt from"),
    ("train --dataset csv:same.csv --target plan", 2, "the target plan is 'a' in every row"),
    ("train --dataset csv:ids.csv --target plan", 2, "no column beside plan can be learnt from"),
    ("train --dataset csv:names.csv --target name", 2, "has 30 different texts in 30 rows"),
    (
        "train mlp --dataset csv:few.csv --target plan",
        2,
        "few.csv: the target plan has 2 different",
    ),
    ("train mlp --dataset csv:one_group.csv --target plan --group who", 2, "split would be empty"),
    ("train lenet5 --dataset csv:good.csv --target plan", 2, "Models for csv:good.csv: "),
    ("train gru --dataset csv:good.csv --target plan", 2, "csv:good.csv gives a record"),
    ("train mlp --dataset csv:good.csv --target plan --set data.row.size=3", 2, "data.row.size"),
    ("train mlp --recipe target.toml", 2, "target.toml: data.target: must be "),
    ("train mlp --recipe group.toml", 2, "unknown column of good.csv for group 'town'"),
    # Texts.
    ("train --dataset text:missing.txt", 2, "there is no file missing.txt"),
    ("train --dataset text:empty.txt", 2, "empty.txt is empty"),
    ("train --dataset text:latin.txt", 2, "latin.txt is not UTF-8 text"),
    ("train --dataset text:tiny.txt", 2, "tiny.txt is too short for three splits"),
    ("train --dataset text:ragged.txt", 1, "line 2: expected 2 texts with one TAB between, got 1"),
    ("train --dataset text:blank_part.txt", 1, "line 2: a text is empty"),
    ("train --dataset text:one_class.txt", 2, "one_class.txt: every line has one class, 'a'"),
    ("train --dataset text:ragged.txt --target x --skip-bad-files", 2, "'label' (classes) or 'tar"),
    # Arrays.
    ("train --dataset npz:fake.npz", 1, "fake.npz is not a readable .npz file"),
    ("train --dataset npz:objects.npz", 2, "holds Python objects, which are never unpickled"),
    ("train --dataset npz:lengths.npz", 2, "differ in length: x 30, y 29"),
    ("train --dataset npz:nan.npz", 1, "nan.npz, row 3: x is not finite (NaN or infinite)"),
    ("train --dataset npz:negative.npz", 1, "row 4: the label -1 of y is out of range"),
    ("train --dataset npz:onehot.npz", 2, "expected one class or number a row, not one-hot"),
    ("train --dataset npz:pixels.npz", 2, "images are bytes, or numbers in [0, 1]"),
    ("train --dataset npz:names.npz", 2, "names.npz holds several arrays: a, b; call the one that"),
    ("train --dataset npz:complex.npz", 2, "x holds complex128; expected numbers or texts"),
    ("train --dataset npz:one.npz", 2, "y has 1 different values; classes are 2 to 1000"),
    ("train --dataset npz:number.npz", 2, "x is a single number, not a row for each example"),
    (
        "train --dataset npz:unlike.npz",
        2,
        "the splits differ in shape: x_train (30, 4), y_train (3",
    ),
    ("train --dataset npz:good.npz --target z", 2, "unknown array of good.npz for target 'z'"),
    # tensorflow-datasets.
    ("train lenet5 --dataset tfds:mnits", 2, "has no data set 'mnits'. Did you mean 'mnist'?"),
    ("train lenet5 --dataset tfds:missing.py", 2, "there is no file missing.py"),
    (
        "train lenet5 --dataset tfds:broken.py",
        2,
        "broken.py cannot be imported: ModuleNotFoundError",
    ),
    ("train lenet5 --dataset tfds:syntax.py", 2, "syntax.py cannot be imported: SyntaxError"),
    ("train lenet5 --dataset tfds:no_builder.py", 2, "must define one tensorflow-datasets builder"),
    (
        "train lenet5 --dataset tfds:mnist --data-dir notes.md",
        2,
        "notes.md is a file, not a folder",
    ),
    # Other commands.
    ("datasets check", 2, "Missing argument 'SOURCE'"),
    ("datasets check folder:missing", 2, "missing is not there"),
    ("datasets check csv:good.csv --target pln", 2, "Did you mean 'plan'?"),
    ("datasets show csv:good.csv --target plan --preview x.png", 2, "--preview draws images"),
    ("evaluate latest --target plan", 2, "--target goes with --dataset SOURCE"),
    ("evaluate latest --worst x.png", 2, "--worst goes with --dataset SOURCE"),
    ("evaluate latest --dataset folder:photos --worst x.gif", 2, "must end in .png, .jpg or .jpeg"),
]


@pytest.fixture
def odd(dlzoo: Dlzoo) -> Dlzoo:
    """`dlzoo`, in a folder of odd sources."""
    sources.write_all()
    return dlzoo


@pytest.mark.parametrize(("typed", "code", "line"), CASES, ids=[case[0] for case in CASES])
def test_what_is_bad_gets_one_line_and_leaves_nothing(
    typed: str, code: int, line: str, odd: Dlzoo
) -> None:
    result = odd(*(word.replace(r"\0", "\0") for word in shlex.split(typed)))
    assert result.code == code, (result.out, result.err)
    last = result.err.splitlines()[-1]
    assert last.startswith("dlzoo: ")
    assert line in last
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


def test_there_are_at_least_sixty() -> None:
    assert len({case[0] for case in CASES}) >= 60
