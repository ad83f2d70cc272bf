"""Odd inputs to every command: one line, the right exit code, and nothing left behind."""

from __future__ import annotations

import io
import os
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tests.cli.conftest import Dlzoo

LONG = "x" * 300
HUGE = "9" * 30
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

# Names on a system, what they hold, and what each is there for.
FILES = {
    "taken": b"",
    "mine.csv": b"mine",
    "mine.png": b"mine",
    "notes.txt": b"no picture",
    "empty.csv": b"",
    "nul.csv": b"1,2\x00,3,4\n",
    "latin.csv": b"caf\xe9,1,2,3\n",
    "short.csv": b"1,2,3,4\n1,2\n",
    "header.csv": b"a,b,c,d\n1,2,3,4\n",
    "word.csv": b"1,2,3,four\n",
    "infinite.csv": b"1,2,3,inf\n",
    "quote.csv": b'"1,2,3,4\n',
    "cut.png": b"\x89PNG\r\n\x1a\n\x00\x00",
    "text.png": b"this is no picture",
    "bytes.toml": b"\xff\xfe\x00",
    "broken.toml": b"model = ",
    "list.toml": b"model = 3\n",
    "typed.toml": b'epochs = "three"\n',
    "nested.toml": b"a = " + b"[" * 50 + b"]" * 50,
    "fake.keras": b"PK\x03\x04 and no more",
    "fake.weights.h5": b"\x89HDF and no more",
}

# What is typed, and what the line must hold. The exit code is 2. `~` is an empty folder, `\0` NUL.
LIGHT = [
    # The command itself.
    ("lis", "there is no command 'lis'. Did you mean 'list'?"),
    ("''", "there is no command ''. See them with: dlzoo --help"),
    ("Träin", "there is no command 'Träin'. Did you mean 'train'?"),
    (r"'\0'", r"there is no command '\x00'."),
    (r"'a\nb'", "there is no command 'a"),
    ("--jsno list", "No such option '--jsno'"),
    ("--version=3", "does not take a value"),
    ("-x", "No such option '-x'."),
    ("--debugg list", "Did you mean '--debug'?"),
    # list, info, recipes
    ("list --family ''", "unknown family ''"),
    ("list --family resnetz", "unknown family 'resnetz'. Did you mean 'resnet'?"),
    ("list --task nothing", "unknown task 'nothing'. There are: "),
    ("list 模型", "no model is called '模型'"),
    ("list vae gan", "Got unexpected extra argument (gan)"),
    ("info", "Missing argument 'MODEL'."),
    ("info ''", "unknown model ''"),
    (r"info '\0'", r"unknown model '\x00'"),
    (f"info {HUGE}", f"unknown model '{HUGE}'"),
    ("info lenet5 --jsno", "Did you mean '--json'?"),
    ("info ../lenet5", "Did you mean 'lenet5'?"),
    ("recipes nothing", "unknown model 'nothing'"),
    ("recipes show ''", "unknown recipe ''"),
    ("recipes show broken.toml", "unknown recipe 'broken.toml'"),
    (f"recipes show {LONG}", "unknown recipe 'xxx"),
    # datasets
    ("datasets shw", "datasets has no command 'shw'. Did you mean 'show'?"),
    ("datasets show ''", "unknown data set ''"),
    ("datasets show ~", "there is no data set '~'"),
    ("datasets show digits --preview ''", "'--preview': the path is empty"),
    (r"datasets show digits --preview '\0.png'", "'--preview': a path has no NUL in it"),
    (f"datasets show digits --preview {LONG}.png", "is longer than 200 bytes"),
    ("datasets show digits --preview ~", "~ is a folder; name a file"),
    ("datasets show digits --preview x.gif", "must end in .png, .jpg or .jpeg, got 'x.gif'"),
    ("datasets show digits --preview mine.png", "mine.png exists; --overwrite replaces it"),
    ("datasets show digits --preview taken/x.png", "cannot make the folder taken: "),
    ("datasets show iris --preview x.png", "iris gives a table; --preview draws images"),
    ("datasets show digits --augment lenet5-digits", "--augment says what to draw"),
    ("datasets show digits --preview x.png --augment ~", "unknown recipe '~'"),
    ("datasets show digits --preview x.png --augment broken.toml", "broken.toml is not TOML"),
    # train: names
    ("train", "name a MODEL to train"),
    ("train ''", "unknown model ''"),
    (r"train '\0'", r"unknown model '\x00'"),
    ("train mlp mlp", "Got unexpected extra argument (mlp)"),
    ("train mlp --recipe ''", "unknown recipe ''"),
    ("train mlp --recipe ~/", "cannot read ~: Is a directory"),
    (r"train mlp --recipe 'x\0.toml'", "cannot read 'x"),
    (f"train mlp --recipe {LONG}.toml", "File name too long"),
    ("train mlp --recipe bytes.toml", "bytes.toml is not TOML"),
    ("train mlp --recipe broken.toml", "broken.toml is not TOML"),
    ("train mlp --recipe typed.toml", "typed.toml: epochs: must be a whole number, got 'three'"),
    ("train --recipe list.toml", "list.toml"),
    ("train mlp --recipe nested.toml", "nested.toml: unknown key 'a'"),
    ("train mlp --dataset ''", "unknown data set ''"),
    ("train mlp --dataset languages", "languages gives a text"),
    ("train lenet5 --dataset iris", "lenet5 does image-classification and reads images"),
    ("train vae --dataset iris", "iris gives a table"),
    ("train mlp --name ''", "a run's name may have letters"),
    ("train mlp --name a/b", "a run's name may have letters"),
    ("train mlp --name .hidden", "a run's name may have letters"),
    ("train mlp --name latest", "not be 'latest'"),
    (r"train mlp --name '\0'", "a run's name may have letters"),
    ("train mlp --name 模型", "a run's name may have letters"),
    (f"train mlp --name {LONG}", "200 at most"),
    # train: numbers
    ("train mlp --epochs -1", "-1 is not in the range"),
    ("train mlp --epochs 1e3", "'1e3' is not a valid integer"),
    (f"train mlp --epochs {HUGE}", f"{HUGE} is not in the range"),
    ("train mlp --epochs ''", "'' is not a valid integer"),
    ("train mlp --batch-size -3", "'-3' is neither 'full' nor a whole number above 0"),
    ("train mlp --batch-size ²", "'²' is neither 'full' nor a whole number above 0"),
    ("train mlp --batch-size FULL", "'FULL' is neither 'full' nor a whole number above 0"),
    ("train mlp --learning-rate nan", "learning_rate must be a number above 0, got nan"),
    ("train mlp --learning-rate inf", "learning_rate must be a number above 0, got inf"),
    ("train mlp --learning-rate -0.1", "-0.1 is not in the range"),
    (f"train mlp --seed {HUGE}", f"{HUGE} is not in the range"),
    ("train mlp --devices 0", "0 is not in the range"),
    ("train mlp --devices 100000", "cannot be shared evenly by 100000 devices"),
    ("train mlp --strategy ''", "'' is not one of 'auto', 'one-device', 'mirrored', 'multi"),
    ("train mlp --precision float99", "'float99' is not one of"),
    # train: --set
    ("train mlp --set", "requires an argument"),
    ("train mlp --set ''", "--set takes KEY=VALUE"),
    ("train mlp --set =3", "--set takes KEY=VALUE"),
    (r"train mlp --set '\0=3'", r"unknown key '\x00'"),
    ("train mlp --set epochs=", "epochs: must be a whole number, got ''"),
    ("train mlp --set epochs=true", "epochs: must be a whole number, got True"),
    ("train mlp --set epochs=3.5", "epochs: must be a whole number, got 3.5"),
    ("train mlp --set epochs=[1]", "epochs: must be a whole number, got [1]"),
    (f"train mlp --set epochs={HUGE}", "epochs: must be below 2147483648"),
    ("train mlp --set epochs.x=3", "epochs is a value, not a table"),
    ("train mlp --set a.b.c.d=3", "unknown key 'a'"),
    ("train mlp --set ..=3", "unknown key ''"),
    ("train mlp --set seed=-1", "seed: must be at least 0, got -1"),
    ("train mlp --set jit_compile=False", "Write false."),
    ("train mlp --set 'optimizer={'", "{ is not TOML"),
    ("train mlp --set optimizer.learning_rate=fast", "must be a number, got 'fast'"),
    ("train mlp --set optimizer.nesterov=yes", "'yes' is not a boolean of TOML"),
    ("train mlp --set arguments.hidden_units=16", "must be a list, got 16"),
    ("train mlp --set arguments.hidden_units=[16", "[16 is not TOML"),
    ("train mlp --set callbacks.9.patience=3", "the list has 1 entries, counted from 0"),
    ("train mlp --set callbacks.²=3", "the list has 1 entries, counted from 0"),
    ("train mlp --set data=3", "data: must be a table, got 3"),
    ("train mlp --set data.name=nothing", "unknown data set 'nothing'"),
    ("train mlp --set data.image=3", "data.image: must be a table"),
    ("train mlp --set data.image.size=0", "data.image.size: must be two positive numbers"),
    ("train mlp --set data.image.size=[8,8,8]", "data.image.size: must be two positive numbers"),
    ("train mlp --set data.image.scaling=loud", "must be one of 'unit', 'centred', 'caffe'"),
    ("train mlp --set data.label.x=1", "data.label.x: unknown key. A label takes none."),
    ("train mlp --set data.text.length=4", "unknown column of digits 'text'"),
    ("train mlp --set metrics=accuracy", "metrics: must be a list, got 'accuracy'"),
    ("train mlp --set target.at_least=high", "target.at_least: must be a number, got 'high'"),
    ("train mlp --set variant=A/B", "variant: must be lower-case letters, digits and hyphens"),
    ("train mlp --set task=flying", "unknown task 'flying'. There are: "),
    # train: contradictions, places, weights
    ("train lenet5 --set model=mlp", "model is given twice"),
    ("train mlp --dataset iris --set data.name=wine", "data.name is given twice"),
    ("train mlp --epochs 2 --set epochs=3", "epochs is given twice"),
    ("train mlp --run-dir ''", "'--run-dir': the path is empty"),
    (r"train mlp --run-dir '\0'", "'--run-dir': a path has no NUL in it"),
    ("train mlp --run-dir taken", "cannot make the folder taken: "),
    ("train mlp --run-dir taken/deep", "cannot make the folder taken/deep: "),
    ("train mlp --init-from ''", "there is no run ''"),
    (r"train mlp --init-from '\0'", r"there is no run '\x00'"),
    ("train mlp --init-from imagnet", "Did you mean 'imagenet'?"),
    ("train mlp --init-from nothing.keras", "there are no weights nothing.keras"),
    ("train mlp --init-from notes.txt", "files that end in .keras or .weights.h5"),
    (f"train mlp --init-from {LONG}.keras", "there are no weights"),
    ("train lenet5 --resume mlp-iris-1", "model = mlp cannot become lenet5"),
    ("train --resume latest --dry-run", "--dry-run is for a new training"),
    ("train --resume ''", "there is no run ''"),
    (r"train --resume '\0'", r"there is no run '\x00'"),
    ("train --resume mlp-iris-1", "run mlp-iris-1 has finished its epoch"),
    ("train --resume mlp-iris-1 --epochs 0", "0 is not in the range"),
    # Commands that look a run up.
    ("evaluate", "Missing argument 'RUN'."),
    ("evaluate ''", "there is no run ''"),
    (r"evaluate '\0'", r"there is no run '\x00'"),
    (f"evaluate {LONG}", "there is no run 'xxx"),
    ("evaluate /", "there is no run '/'"),
    ("evaluate ..", "there is no run '..'"),
    ("evaluate ../up", "there is no run '../up'"),
    ("evaluate taken", "there is no run 'taken'"),
    ("evaluate ~", "there is no run '~'"),
    ("evaluate -1", "No such option '-1'."),
    ("evaluate mlp-iris-1 --split ''", "'' is not one of 'train', 'validation', 'test'."),
    ("evaluate mlp-iris-1 --weights middle", "'middle' is not one of 'last', 'best'."),
    ("evaluate mlp-iris-1 --run-dir taken", "there are no runs in taken."),
    ("evaluate mlp-iris-1 mlp-iris-1", "Got unexpected extra argument"),
    ("runs shw", "runs has no command 'shw'. Did you mean 'show'?"),
    ("runs list x", "Got unexpected extra argument (x)"),
    ("runs show ''", "there is no run ''"),
    ("runs rm", "Missing argument 'RUN...'."),
    ("runs rm .. --yes", "there is no run '..'"),
    ("runs rm mlp-iris-1 nothing --yes", "there is no run 'nothing'"),
    ("compare", "Missing argument 'RUN...'."),
    ("compare mlp-iris-1 nothing", "there is no run 'nothing'"),
    ("compare mlp-iris-1 --output x.svg", "must end in .png, .jpg or .jpeg"),
    ("compare mlp-iris-1 --output mine.png", "mine.png exists; --overwrite replaces it"),
    ("compare mlp-iris-1 --output taken/x.png", "cannot make the folder taken: "),
    ("predict mlp-iris-1", "Missing argument 'INPUT...'."),
    ("predict mlp-iris-1 1,2,3,4 --top-k 0", "0 is not in the range"),
    ("predict mlp-iris-1 1,2,3,4 --output x.txt", "--output writes .csv, .jsonl or .parquet files"),
    ("predict mlp-iris-1 1,2,3,4 --output mine.csv", "mine.csv exists; --overwrite replaces it"),
    ("predict mlp-iris-1 1,2,3,4 --output taken/x.csv", "cannot make the folder taken: "),
    ("predict mlp-iris-1 -1,2,3,4", "write -- before rows that begin with a minus sign"),
    ("generate ''", "there is no run ''"),
    ("generate mlp-iris-1 --count 100000000", "100000000 is not in the range"),
    ("generate mlp-iris-1 --count -1", "-1 is not in the range"),
    ("generate mlp-iris-1 --count 1.5", "'1.5' is not a valid integer"),
    (f"generate mlp-iris-1 --seed {HUGE}", f"{HUGE} is not in the range"),
    ("generate mlp-iris-1 --output ''", "the path is empty"),
    ("export ''", "there is no run ''"),
    ("export mlp-iris-1 --version 12345678901234567890", "12345678901234567890 is not in the"),
    ("export mlp-iris-1 --version -1", "-1 is not in the range"),
    ("export mlp-iris-1 --version 1.0", "'1.0' is not a valid integer"),
    ("export mlp-iris-1 --output taken", "cannot make the folder taken: "),
    ("export mlp-iris-1 --output ''", "the path is empty"),
    # JSON: standard output stays empty.
    ("train mlp --json --epochs 0", "0 is not in the range"),
    ("evaluate nothing --json", "there is no run 'nothing'"),
    ("runs show nothing --json", "there is no run 'nothing'"),
    # The machine.
    ("benchmark", "name a MODEL to measure, or --input-pipeline DATASET"),
    ("benchmark nothing", "unknown model 'nothing'"),
    ("benchmark lenet5 --batch-size 0", "0 is not in the range"),
    ("benchmark lenet5 --repeats -1", "-1 is not in the range"),
    ("benchmark lenet5 --output x.txt", "its name must end in .csv, got 'x.txt'"),
    ("benchmark lenet5 --output mine.csv", "mine.csv exists; --overwrite replaces it"),
    ("doctor x", "Got unexpected extra argument (x)"),
    ("doctor --jsn", "Did you mean '--json'?"),
    ("completion", "Missing argument 'SHELL'."),
    ("completion powershell", "'powershell' is not one of 'bash', 'zsh', 'fish'."),
]

# Those that have to load the run's model or build one first.
HEAVY = [
    ("evaluate damaged-1", "run damaged-1 is damaged: "),
    ("predict damaged-1 1,2,3,4", "run damaged-1 is damaged: "),
    ("export damaged-1", "run damaged-1 is damaged: "),
    ("predict mlp-iris-1 ''", "an input is empty; expected a row such as"),
    ("predict mlp-iris-1 ' '", "an input is empty; expected a row such as"),
    (r"predict mlp-iris-1 '\0'", "cannot read '"),
    ("predict mlp-iris-1 1,2,3", "expected 4 numbers"),
    ("predict mlp-iris-1 ,,,", "sepal_length_cm must be a number, got an empty cell"),
    ("predict mlp-iris-1 1,2,3,", "petal_width_cm must be a number, got an empty cell"),
    ("predict mlp-iris-1 1,2,3,1e400", "numbers must be finite"),
    ("predict mlp-iris-1 1,2,3,nan", "numbers must be finite"),
    ("predict mlp-iris-1 '1;2;3;4'", "cannot read 1;2;3;4: No such file"),
    ("predict mlp-iris-1 １,2,3,four", "must be a number, got 'four'"),
    (f"predict mlp-iris-1 {LONG}", "File name too long"),
    ("predict mlp-iris-1 ~", "cannot read ~: Is a directory"),
    ("predict mlp-iris-1 missing.csv", "cannot read missing.csv: No such file"),
    ("predict mlp-iris-1 empty.csv", "empty.csv is empty"),
    ("predict mlp-iris-1 nul.csv", "nul.csv"),
    ("predict mlp-iris-1 latin.csv", "latin.csv is not CSV"),
    ("predict mlp-iris-1 short.csv", "short.csv, line 2: expected 4 numbers"),
    ("predict mlp-iris-1 header.csv", "the header has none of the columns sepal_length_cm, "),
    ("predict mlp-iris-1 word.csv", "word.csv"),
    ("predict mlp-iris-1 infinite.csv", "numbers must be finite"),
    ("predict mlp-iris-1 quote.csv", "quote.csv"),
    ("predict mlp-iris-1 -", "- is empty"),
    ("predict mlp-iris-1 1,2,3,4 --invert", "--invert swaps light and dark in images"),
    ("predict mlp-iris-1 1,2,3 --output new/x.csv", "expected 4 numbers"),
    ("predict lenet5-digits-1 ''", "an input is empty; expected an image file"),
    ("predict lenet5-digits-1 1,2,3", "cannot read 1,2,3: No such file"),
    (r"predict lenet5-digits-1 '\0'", "cannot read '"),
    (f"predict lenet5-digits-1 {LONG}", "File name too long"),
    ("predict lenet5-digits-1 ~", "there are no images in the folder ~"),
    ("predict lenet5-digits-1 taken", "taken is empty (0 bytes)"),
    ("predict lenet5-digits-1 cut.png", "cut.png is not a readable image"),
    ("predict lenet5-digits-1 text.png", "text.png is not a readable image"),
    ("predict lenet5-digits-1 -", "is empty"),
    ("generate mlp-iris-1", "generates nothing; see: dlzoo list --task generation"),
    ("export mlp-iris-1 --name ''", "a model's name may have letters"),
    ("export mlp-iris-1 --name a/b", "a model's name may have letters"),
    (r"export mlp-iris-1 --name '\0'", "a model's name may have letters"),
    (f"export mlp-iris-1 --name {LONG}", "200 at most"),
]

# The trainer tells these after it said what it was asked for.
TOLD_LATER = [
    ("train mlp --freeze ''", "'' matches no layer with weights of mlp"),
    ("train mlp --set optimizer.=3", "optimizer Adam takes no argument ''"),
    ("train mlp --set optimizer=Nothing", "unknown optimizer 'Nothing'"),
    ("train mlp --set loss=", "unknown loss ''"),
    ("train mlp --set 'arguments.hidden_units=[\"a\"]'", "cannot build mlp("),
    ("train mlp --set arguments.nothing=1", "mlp takes no argument 'nothing'"),
    ("train mlp --set 'target={metric=\"x\", at_least=1.0}'", "the target is 'x', which nothing"),
    ("train mlp --set callbacks.0.monitor=x", "watches 'x', which nothing computes"),
    ("train mlp --init-from fake.keras", "fake.keras"),
    ("train mlp --init-from fake.weights.h5", "fake.weights.h5"),
]


def words(typed: str) -> list[str]:
    """Split what is typed as a shell does; no shell can type a NUL."""
    return [word.replace(r"\0", "\0").replace(r"\n", "\n") for word in shlex.split(typed)]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, shared_run_dir: Path) -> Path:
    """A folder with odd files and three runs, one of them damaged."""
    folder = tmp_path_factory.mktemp("odd")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "~").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "black.png")
    for kind in ("table", "image"):
        tiny.copy(tiny.run(kind, shared_run_dir), folder / "runs")
    damaged = tiny.copy(tiny.run("table", shared_run_dir), folder / "runs", "damaged-1")
    (damaged.path / "model.keras").write_bytes(b"PK\x03\x04 and no more")
    return folder


def snapshot(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


@pytest.fixture
def refused(place: Path, dlzoo: Dlzoo, monkeypatch: pytest.MonkeyPatch) -> Dlzoo:
    """Type what is to be refused; nothing may change by it."""
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    return dlzoo


@pytest.mark.parametrize(("typed", "fragment"), [*LIGHT, *HEAVY])
def test_it_is_refused_in_one_line(typed: str, fragment: str, place: Path, refused: Dlzoo) -> None:
    before = snapshot(place)
    result = refused(*words(typed))
    refusal = result.failure if "is damaged" in fragment else result.refusal
    assert fragment in refusal
    assert "Traceback" not in refusal
    assert refusal.isprintable()
    assert snapshot(place) == before


@pytest.mark.parametrize(("typed", "fragment"), TOLD_LATER)
def test_it_is_refused_before_the_first_step(
    typed: str, fragment: str, place: Path, refused: Dlzoo
) -> None:
    before = snapshot(place)
    result = refused(*words(typed))
    assert (result.code, result.out) == (2, "")
    described, refusal = result.err.splitlines()
    assert described.startswith("mlp on digits: ")
    assert refusal.startswith("dlzoo: ")
    assert fragment in refusal
    assert refusal.isprintable()
    assert snapshot(place) == before


def test_there_are_more_than_a_hundred_and_no_two_are_the_same() -> None:
    typed = [row[0] for row in (*LIGHT, *HEAVY, *TOLD_LATER)]
    assert len(set(typed)) == len(typed) > 100


@pytest.mark.skipif(ROOT, reason="root may write and read anywhere")
@pytest.mark.parametrize(
    ("typed", "fragment"),
    [
        ("train mlp --run-dir locked", "permission denied"),
        ("export mlp-iris-1 --output locked", "permission denied"),
        ("predict mlp-iris-1 1,2,3,4 --output locked/x.csv", "permission denied"),
        ("datasets show digits --preview locked/x.png", "permission denied"),
        ("compare mlp-iris-1 --output locked/x.png", "permission denied"),
        ("predict mlp-iris-1 unreadable.csv", "cannot read unreadable.csv: Permission denied"),
        ("train mlp --recipe unreadable.toml", "cannot read unreadable.toml: Permission denied"),
    ],
)
def test_what_may_not_be_written_or_read_is_said(
    typed: str, fragment: str, place: Path, refused: Dlzoo
) -> None:
    (place / "locked").mkdir(mode=0o500, exist_ok=True)
    for name in ("unreadable.csv", "unreadable.toml"):
        (place / name).touch(mode=0o000)
    assert fragment in refused(*words(typed)).refusal
