"""Sources of one's own that are wrong in one way each."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests import own

HEADER = "age,city,plan\n"
ROWS = "".join(
    f"{20 + n},{'Rome' if n % 2 else 'Oslo'},{'a' if n % 3 else 'b'}\n" for n in range(30)
)


def parquet(**columns: list[Any]) -> bytes:
    """The bytes of a parquet file."""
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


FILES: dict[str, bytes] = {
    "good.csv": (HEADER + ROWS).encode(),
    "empty.csv": b"",
    "blank.csv": b"\n\n",
    "headed.csv": HEADER.encode(),
    "twice.csv": b"a,a,b\n1,2,3\n",
    "numbers.csv": b"1,2,3\n4,5,6\n7,8,9\n",
    "nul.csv": b"a\0,b\n1,2\n",
    "latin.csv": b"caf\xe9,b\n1,2\n",
    "latin_row.csv": HEADER.encode() + b"1,caf\xe9,a\n" + ROWS.encode(),
    "short.csv": (HEADER + ROWS + "31,Rome\n").encode(),
    "long.csv": (HEADER + ROWS + "31,Rome,a,b\n").encode(),
    "gap.csv": (HEADER + ROWS + "31,Rome,\n").encode(),
    "infinite.csv": (HEADER + ROWS + "inf,Rome,a\n").encode(),
    "quote.csv": (HEADER + '31,"Rome,a\n').encode(),
    "word.csv": ("age,city,price\n" + "1,Rome,10\n2,Oslo,12\n" * 9 + "3,Rome,dear\n").encode(),
    "same.csv": (HEADER + "".join(f"{n},Rome,a\n" for n in range(30))).encode(),
    "ids.csv": ("id,plan\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(30))).encode(),
    "names.csv": ("age,city,name\n" + "".join(f"{n},R,n{n}\n" for n in range(30))).encode(),
    "few.csv": (HEADER + "1,Rome,a\n2,Oslo,b\n").encode(),
    "one_group.csv": (
        "age,who,plan\n" + "".join(f"{n},x,{'ab'[n % 2]}\n" for n in range(30))
    ).encode(),
    "cut.csv.gz": gzip.compress((HEADER + ROWS).encode())[:40],
    "fake.csv.gz": b"no gzip",
    "fake.parquet": b"PAR1 and no more",
    "fake.npz": b"PK\x03\x04 and no more",
    "utf16.csv": (HEADER + ROWS).encode("utf-16"),
    "mac.csv": (HEADER + ROWS).replace("\n", "\r").encode(),
    "nul_row.csv": (HEADER + ROWS + "31,Ro\0me,a\n").encode(),
    "spaces.csv": (HEADER + ROWS).replace(",", " ").encode(),
    "unasked.csv": (HEADER + "1,Rome,\n2,Oslo,NA\n").encode(),
    "large.csv": (HEADER + ROWS + "1e31,Rome,a\n").encode(),
    "many.csv": ("age,name\n" + "".join(f"{n},n{n // 2}\n" for n in range(2_004))).encode(),
    "alone.csv": b"plan\na\nb\n",
    "unnamed.csv": b"a,,,plan\n1,2,3,a\n",
    "wide.csv": (HEADER + f"1,{'y' * 10_000_001},a\n").encode(),
    "tiny.csv": ("x,y\n" + "".join(f"{n},{n}e-20\n" for n in range(40))).encode(),
    "nested.parquet": parquet(a=[[1, 2]] * 30, plan=["a", "b"] * 15),
    "table.parquet": parquet(a=[{"k": 1}] * 30, plan=["a", "b"] * 15),
    "none.parquet": parquet(a=[], plan=[]),
    "empty.txt": b"",
    "latin.txt": b"caf\xe9\n",
    "tiny.txt": b"a few words\n",
    "ragged.txt": b"one\ttwo\nthree\n",
    "blank_part.txt": b"one\ttwo\nthree\t \n",
    "one_class.txt": b"good\ta\nbad\ta\nfine\ta\n",
    "broken.py": b"import nothing_like_it\n",
    "no_builder.py": b"x = 1\n",
    "syntax.py": b"def (\n",
    "target.toml": b'epochs = 1\n[data]\nname = "csv:good.csv"\ntarget = 3\n',
    "group.toml": b'epochs = 1\n[data]\nname = "csv:good.csv"\ntarget = "plan"\ngroup = "town"\n',
    "notes.md": b"no image",
}


def _huge() -> bytes:
    """A PNG whose header tells of 900 million pixels."""
    file = io.BytesIO()
    Image.new("1", (1, 1)).save(file, "PNG")
    content = bytearray(file.getvalue())
    content[16:24] = (30_000).to_bytes(4) * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4)
    return bytes(content)


HUGE = _huge()


def write_all() -> None:
    """Write them all into the working directory, with a few good ones beside."""
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    for name in ("hollow", "papers/a", "alone/circle", "loose/a", "loose/b", "zero/square"):
        Path(name).mkdir(parents=True)
    for name in ("mixed/train/a", "mixed/more", "bad/a", "bad/b", "cut/square", "pair/a", "pair/b"):
        Path(name).mkdir(parents=True)
    for name in ("zero/circle", "text/circle", "text/square", "cut/circle"):
        Path(name).mkdir(parents=True)
    for name in ("only_test/train/a", "only_test/train/b", "only_test/test/square"):
        Path(name).mkdir(parents=True)
    own.photos(Path("photos"), 3)
    Path("papers/a/notes.txt").write_text("no image")
    for number in range(6):
        picture = own.shape("circle", number)
        for where in ("alone/circle", "loose/a", "loose/b", "mixed/train/a", "mixed/more"):
            picture.save(f"{where}/{number}.png")
        for where in ("zero/square", "text/square", "only_test/test/square"):
            picture.save(f"{where}/{number}.png")
        for place, where in enumerate(("only_test/train/a", "only_test/train/b", "cut/square")):
            own.shape("cross", number + 10 * place).save(f"{where}/{number}.png")
        own.shape("square", number).save(f"cut/circle/{number}.jpg")
    own.shape("circle", 0).save("loose/0.png")
    own.shape("circle", 0).save("pair/a/0.png")
    own.shape("circle", 1).save("pair/b/0.png")
    Path("zero/circle/empty.png").touch()
    Path("text/circle/text.png").write_text("this is no picture")
    for name in ("dead", "loop", "huge"):
        own.photos(Path(name), 1)
    Path("dead/circle/gone.png").symlink_to("nowhere.png")
    Path("loop/circle/self.png").symlink_to("self.png")
    Path("loop/circle/folder").symlink_to("..")
    Path("huge/circle/huge.png").write_bytes(HUGE)
    for name in ("bad/a/0.png", "bad/b/0.png"):
        Path(name).write_text("this is no picture")
    whole = Path("cut/square/0.png").read_bytes()
    Path("cut/circle/cut.png").write_bytes(whole[: len(whole) // 2])
    x, y = np.arange(120.0).reshape(30, 4), np.arange(30) % 3
    np.savez("good.npz", x=x, y=y)
    np.savez("lengths.npz", x=x, y=y[1:])
    np.savez("objects.npz", x=np.array([{}, None], object), y=y)
    np.savez("nan.npz", x=np.where(x == 12.0, np.nan, x), y=y)
    np.savez("negative.npz", x=x, y=np.where(np.arange(30) == 4, -1, y))
    np.savez("names.npz", a=x, b=y)
    np.savez("complex.npz", x=x + 1j, y=y)
    np.savez("one.npz", x=x, y=0 * y)
    np.savez("number.npz", x=3.0, y=y)
    np.savez("unlike.npz", x_train=x, y_train=y, x_test=x[:, 1:], y_test=y)
    np.savez("onehot.npz", x=x, y=np.eye(3)[y])
    np.savez("pixels.npz", image=np.full((30, 8, 8, 3), -4.0), y=y)
