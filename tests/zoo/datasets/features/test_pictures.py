"""Picture files: each mode as people see it, folders, and what cannot be read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.zoo.datasets.features.reading import names, read, refusal, values
from zoo.base.errors import UsageError
from zoo.datasets.features.image import Image
from zoo.datasets.features.pictures import image

GREY = Image(raw_shape=(8, 8, 1))
COLOUR = Image(raw_shape=(8, 8, 3))


def picture(path: Path, size: tuple[int, int] = (3, 2), mode: str = "L", ink: Any = 51) -> Path:
    """Write an image of one colour and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new(mode, size, ink).save(path)
    return path


def seen(drawn: Any, suffix: str = "PNG", *, grey: bool = True, **options: Any) -> np.ndarray:
    """A picture as a model sees it once it was saved and read: (height, width) or with colours."""
    content = io.BytesIO()
    drawn.save(content, suffix, **options)
    raw = image(content.getvalue(), "x", grey=grey)[0]
    assert raw.dtype == np.float32
    assert 0.0 <= raw.min() <= raw.max() <= 1.0
    return raw[..., 0] if grey else raw


def test_an_image_file_is_scaled_to_0_and_1_and_named_by_its_path(tmp_path: Path) -> None:
    path = str(picture(tmp_path / "a.png"))
    (raw,) = values(GREY, path)
    assert raw.shape == (2, 3, 1)  # its own size: height, width, channels
    np.testing.assert_allclose(raw, 0.2)
    assert names(GREY, path) == [path]


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tiff", "webp", "jpg", "JPEG"])
def test_the_usual_formats_are_read(suffix: str, tmp_path: Path) -> None:
    (raw,) = values(GREY, str(picture(tmp_path / f"a.{suffix}")))
    np.testing.assert_allclose(raw, 0.2, atol=0.01)


# Modes. A stroke: the left half of the picture is ink.


def stroke(ink: Any, ground: Any, dtype: str = "uint8") -> np.ndarray:
    pixels = np.full((4, 6, *np.shape(ink)), ground, dtype)
    pixels[:, :3] = ink
    return pixels


@pytest.mark.parametrize(
    ("drawn", "suffix", "left", "right"),
    [
        # Of transparent pictures what is drawn stays visible: dark on white, light on black.
        (Pillow.fromarray(stroke((0, 0, 0, 255), (0, 0, 0, 0))), "PNG", 0.0, 1.0),
        (Pillow.fromarray(stroke((255, 255, 255, 255), (255, 255, 255, 0))), "PNG", 1.0, 0.0),
        (Pillow.fromarray(stroke((0, 0, 0, 255), (255, 255, 255, 0))), "PNG", 0.0, 1.0),
        (Pillow.fromarray(stroke((255, 255), (0, 0))), "PNG", 1.0, 0.0),  # grey with alpha
        (Pillow.fromarray(stroke((0, 255), (0, 0))), "PNG", 0.0, 1.0),
        (Pillow.fromarray(stroke((255,) * 4, (0,) * 4)), "PNG", 1.0, 0.0),
        # More than 8 bits.
        (Pillow.fromarray(stroke(65535, 13107, "uint16")), "PNG", 1.0, 0.2),
        (Pillow.fromarray(stroke(2**31 - 1, 429496729, "int32")), "TIFF", 1.0, 0.2),
        (Pillow.fromarray(stroke(65535, 13107, "int32")), "TIFF", 1.0, 0.2),
        (Pillow.fromarray(stroke(255, 51, "int32")), "TIFF", 1.0, 0.2),
        (Pillow.fromarray(stroke(1.0, 0.2, "float32")), "TIFF", 1.0, 0.2),
        (Pillow.fromarray(stroke(255.0, 51.0, "float32")), "TIFF", 1.0, 0.2),
        (Pillow.fromarray(stroke(65535.0, 13107.0, "float32")), "TIFF", 1.0, 0.2),
        # Fewer, and other colours.
        (Pillow.fromarray(stroke(255, 0)).convert("1"), "PNG", 1.0, 0.0),
        (Pillow.fromarray(stroke((255, 255, 255), (51, 51, 51))).convert("P"), "PNG", 1.0, 0.2),
        (Pillow.fromarray(stroke((0, 0, 0, 0), (0, 0, 0, 204)), "CMYK"), "TIFF", 1.0, 0.2),
        (Pillow.fromarray(stroke((0, 0, 0, 0), (0, 0, 0, 204)), "CMYK"), "JPEG", 1.0, 0.2),
    ],
)
@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("grey", [True, False], ids=["grey", "colour"])
def test_a_picture_is_what_people_see(
    drawn: Any, suffix: str, left: float, right: float, grey: bool
) -> None:
    found = seen(drawn, suffix, grey=grey)
    np.testing.assert_allclose(found[:, :2], left, atol=0.03)
    np.testing.assert_allclose(found[:, 4:], right, atol=0.03)


def test_a_colour_of_a_palette_may_be_transparent() -> None:
    drawn = Pillow.fromarray(stroke(1, 0)).convert("P")
    drawn.putpalette([200, 200, 200, 0, 0, 0])
    found = seen(drawn, transparency=0)
    np.testing.assert_array_equal(found, stroke(0.0, 1.0, "float32"))


def test_a_camera_says_which_side_is_up() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn a quarter to the right to see it upright
    found = seen(Pillow.fromarray(stroke(255, 0)), "JPEG", exif=exif, quality=100)
    assert found.shape == (6, 4)
    np.testing.assert_allclose(found[:2], 1.0, atol=0.05)  # left became the top
    np.testing.assert_allclose(found[4:], 0.0, atol=0.05)


def test_colour_goes_to_models_that_take_it_and_grey_to_those_that_do_not(tmp_path: Path) -> None:
    red = str(picture(tmp_path / "red.png", mode="RGB", ink=(255, 0, 0)))
    grey = str(picture(tmp_path / "grey.png"))
    assert values(GREY, red)[0].shape == (2, 3, 1)
    np.testing.assert_allclose(values(GREY, red)[0], 0.299, atol=0.01)
    np.testing.assert_array_equal(values(COLOUR, red)[0][0, 0], [1.0, 0.0, 0.0])
    np.testing.assert_allclose(values(COLOUR, grey)[0][0, 0], [0.2, 0.2, 0.2])


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (stroke(-1.0, 0.0, "float32"), "x is not a readable image: it has values below 0"),
        (stroke(np.nan, 0.0, "float32"), "x is not a readable image: it has values below 0 or not"),
        (stroke(1e6, 0.0, "float32"), r"x has values up to 1e\+06, which does not say what white"),
    ],
)
def test_numbers_that_do_not_say_what_white_is_are_refused(
    pixels: np.ndarray, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        seen(Pillow.fromarray(pixels), "TIFF")


# Folders, lists and faults.


def test_a_folder_is_all_its_images_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "deeper/c.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "folder.png").mkdir()
    found = names(GREY, str(tmp_path))
    assert found == [str(tmp_path / name) for name in ("a.JPG", "b.png", "deeper/c.png")]


def test_a_damaged_image_among_others_has_its_fault_and_the_others_are_read(tmp_path: Path) -> None:
    for name in ("a.png", "c.png"):
        picture(tmp_path / name)
    for name, content in (("b.png", b"this is no image"), ("d.png", b"")):
        (tmp_path / name).write_bytes(content)
    found = read(GREY, str(tmp_path))
    assert [Path(one.name).name for one in found] == ["a.png", "b.png", "c.png", "d.png"]
    assert [len(one.raw) for one in found] == [1, 0, 1, 0]
    assert [one.fault for one in found] == [
        "",
        f"{tmp_path / 'b.png'} is not a readable image: its format is unknown",
        "",
        f"{tmp_path / 'd.png'} is empty (0 bytes)",
    ]


def test_standard_input_is_an_image_or_a_list_of_images(tmp_path: Path) -> None:
    paths = [picture(tmp_path / name) for name in ("a.png", "b c.png")]
    content = paths[0].read_bytes()
    assert names(GREY, "-", content) == ["-"]
    np.testing.assert_allclose(values(GREY, "-", content)[0], 0.2)
    listed = "\n".join(map(str, paths)).encode() + b"\n\n"
    assert names(GREY, "-", listed) == [str(path) for path in paths]


def test_a_missing_image_of_a_list_has_its_fault(tmp_path: Path) -> None:
    there, missing = picture(tmp_path / "a.png"), tmp_path / "b.png"
    first, second = read(GREY, "-", f"{there}\n{missing}\n".encode())
    assert not first.fault
    assert second.fault == f"cannot read {missing}: No such file or directory"


def test_one_image_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    empty, text, cut = (tmp_path / name for name in ("empty.png", "text.png", "cut.png"))
    empty.touch()
    text.write_text("this is no image")
    whole = picture(tmp_path / "whole.png", size=(64, 64))
    cut.write_bytes(whole.read_bytes()[:60])
    assert refusal(GREY, str(empty)) == f"{empty} is empty (0 bytes)"
    assert refusal(GREY, str(text)).startswith(f"{text} is not a readable image")
    assert refusal(GREY, str(cut)).startswith(f"{cut} is not a readable image")
    missing = str(tmp_path / "missing.png")
    assert refusal(GREY, missing) == f"cannot read {missing}: No such file or directory"


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_argument_is_refused_and_does_not_mean_the_working_folder(text: str) -> None:
    assert refusal(GREY, text) == "an input is empty; expected an image file or a folder of them"


def test_an_empty_folder_and_an_empty_standard_input_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not an image")
    assert refusal(GREY, str(tmp_path)) == f"there are no images in the folder {tmp_path}"
    assert refusal(GREY, "-") == "- is empty (0 bytes)"
