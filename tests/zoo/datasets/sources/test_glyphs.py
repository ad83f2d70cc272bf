"""Glyphs: the same bits on every machine, and no face in two splits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from zoo.base.errors import DlzooError
from zoo.datasets.sources import open_source
from zoo.datasets.sources.glyphs import (
    FACES,
    NAMES,
    SHEET,
    SIZES,
    VARIANTS,
    Glyphs,
    _cells,
    split_of,
)
from zoo.datasets.split import Split


@pytest.fixture(scope="module")
def splits() -> dict[str, Split]:
    return dict(open_source("glyphs").load().splits)  # whose checksum is right


def columns(split: Split) -> dict[str, np.ndarray]:
    (chunk,) = split.chunks(len(split))
    return chunk


def test_it_is_as_large_as_it_is_told(splits: dict[str, Split]) -> None:
    assert {name: len(split) for name, split in splits.items()} == SIZES
    assert sum(SIZES.values()) == 19_656
    test = columns(splits["test"])
    assert test["image"].shape == (SIZES["test"], 28, 28, 1)
    assert test["image"].dtype == np.uint8
    assert set(np.bincount(test["label"])) == {VARIANTS * 4}


def test_no_face_stands_in_two_splits(splits: dict[str, Split]) -> None:
    counts = [sum(split_of(face) == name for face in FACES) for name in SIZES]
    assert counts == [14, 3, 4]
    seen = {
        name: {image.tobytes() for image in columns(split)["image"]}
        for name, split in splits.items()
    }
    assert all(len(seen[name]) == SIZES[name] for name in SIZES)  # no two are the same
    assert not seen["train"] & (seen["validation"] | seen["test"])


def test_symbols_stand_whole_and_in_the_middle(splits: dict[str, Split]) -> None:
    pixels = columns(splits["train"])["image"][..., 0].astype(float)
    ink = pixels.sum(axis=(1, 2))
    assert ink.min() > 255 * 10
    assert (pixels.max(axis=(1, 2)) > 200).all()
    edges = [pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]]
    assert np.mean([edge.any(axis=1) for edge in edges]) < 0.02
    places = np.arange(28) - 13.5
    across = (pixels.sum(axis=1) @ places) / ink
    along = (pixels.sum(axis=2) @ places) / ink
    assert max(abs(across).max(), abs(along).max()) < 7.0


def test_examples_have_the_label_of_their_symbol(splits: dict[str, Split]) -> None:
    train, test = columns(splits["train"]), columns(splits["test"])
    means = np.stack(
        [train["image"][train["label"] == at].mean(axis=0).ravel() for at in range(len(NAMES))]
    )
    flat = test["image"].reshape(len(test["image"]), -1).astype(float)
    distances = (means**2).sum(axis=1) - 2.0 * flat @ means.T
    # The nearest mean is a poor classifier, and far from chance, which is 0.03.
    assert (distances.argmin(axis=1) == test["label"]).mean() > 0.6


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    damaged = tmp_path / "glyphs.png"
    damaged.write_bytes(SHEET.read_bytes()[:-1])
    with pytest.raises(DlzooError, match=r"glyphs is damaged: .* Install dlzoo again"):
        Glyphs(sheet=damaged).load()
    with pytest.raises(DlzooError, match="glyphs cannot be read"):
        dataclasses.replace(Glyphs(), sheet=tmp_path / "none.png").load()


def test_the_shipped_symbols_are_drawn_from_matplotlibs_fonts() -> None:
    from matplotlib import get_data_path

    from tools import glyphs as tool

    assert all((Path(get_data_path()) / "fonts" / "ttf" / f"{face}.ttf").exists() for face in FACES)
    from matplotlib.font_manager import FontProperties

    face, symbol = FACES.index("cmr10"), NAMES.index("B")
    font = FontProperties(fname=str(Path(get_data_path()) / "fonts" / "ttf" / f"{FACES[face]}.ttf"))
    scale = tool.CAPITAL / tool._outline("H", font).get_extents().height
    again = tool._drawn(tool._outline("B", font), scale).astype(int)
    assert abs(again - _cells(SHEET)[face, symbol]).max() <= 16  # other versions may round
