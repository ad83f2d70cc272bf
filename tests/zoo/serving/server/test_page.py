"""The page, in a real browser: drawing, typing, moving through latents, on a phone, by keyboard."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from zoo.serving.server.models import Limits, Model, Models

pytest.importorskip("playwright.sync_api")
pytest.importorskip("starlette")
import uvicorn
from playwright.sync_api import sync_playwright

from zoo.serving.server.app import Measurements, create_app

BROWSER = shutil.which("chromium")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KINDS = ("image", "table", "vae", "conditional-vae", "text", "translation", "series")
PHONE = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def address(shared_run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server with a model of each kind."""
    output = tmp_path_factory.mktemp("exports")
    for kind in KINDS:
        tiny.run(kind, shared_run_dir).export(output, name=kind, formats=("savedmodel",))
    measurements = Measurements()
    models = Models([Model(output / kind, "auto", Limits(), lambda *_: None) for kind in KINDS])
    app = create_app(models, Limits(), measurements)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, which may ask for nothing from elsewhere and may not fail by itself."""
    context = browser.new_context(viewport={"width": 800, "height": 900})
    opened = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda one: asked.append(one.url))
    opened.goto(address)
    opened.wait_for_selector("#form *")
    yield opened
    context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("data:", "blob:", address))] == []


def choose(page: Any, kind: str) -> None:
    page.select_option("#model", kind)


def shares(page: Any) -> list[str]:
    """The names in the bars of the answer, once they are there."""
    page.wait_for_selector("#answer .bar")
    return [str(one) for one in page.locator("#answer .bar span:first-child").all_inner_texts()]


def ink(page: Any) -> int:
    """How many pixels of the canvas are white."""
    script = """() => { const one = document.getElementById("draw");
      const data = one.getContext("2d").getImageData(0, 0, one.width, one.height).data;
      let count = 0; for (let at = 0; at < data.length; at += 4) count += data[at] > 128;
      return count; }"""
    return int(page.evaluate(script))


def test_a_digit_is_drawn_and_its_classes_appear(page: Any) -> None:
    choose(page, "image")
    box = page.locator("#draw").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 200, steps=5)
    page.mouse.up()
    names = shares(page)
    assert sorted(names) == [str(digit) for digit in range(10)]
    assert ink(page) > 500
    page.get_by_role("button", name="Clear").click()
    assert ink(page) == 0


def test_a_digit_is_drawn_by_the_keyboard(page: Any) -> None:
    choose(page, "image")
    page.locator("#draw").focus()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    assert len(shares(page)) == 10
    assert ink(page) > 500


def test_a_file_is_classified_and_one_that_is_none_is_said(page: Any, tmp_path: Path) -> None:
    choose(page, "image")
    Image.fromarray(np.eye(40, dtype=np.uint8) * 255).save(tmp_path / "digit.png")
    page.set_input_files("#file", tmp_path / "digit.png")
    assert len(shares(page)) == 10
    (tmp_path / "digit.png").write_text("no image")
    page.set_input_files("#file", [])
    page.set_input_files("#file", tmp_path / "digit.png")
    page.wait_for_selector("#error:not(:empty)")
    assert "image" in page.locator("#error").inner_text().lower()


def test_a_row_begins_with_a_real_example(page: Any) -> None:
    choose(page, "table")
    field = page.get_by_label("sepal_length_cm")
    assert 4.0 < float(field.input_value()) < 8.0
    page.get_by_role("button", name="Ask").click()
    assert sorted(shares(page)) == ["setosa", "versicolor", "virginica"]
    choose(page, "series")
    page.get_by_role("button", name="Ask").click()
    page.wait_for_selector("#answer pre")
    page.locator("input[id^=in-]").fill("[1, 2")
    page.get_by_role("button", name="Ask").click()
    assert "this is not JSON" in page.locator("#error").inner_text()


def test_latents_move_and_samples_are_drawn(page: Any) -> None:
    choose(page, "vae")
    page.wait_for_selector("#images canvas:nth-child(16)")
    before = page.locator("#images canvas").first.screenshot()
    page.get_by_label("latent 0").fill("3")
    page.wait_for_selector("#images canvas:only-child")
    assert page.locator("#images canvas").first.screenshot() != before
    choose(page, "conditional-vae")
    page.wait_for_selector("#images canvas:nth-child(16)")
    page.get_by_label("of").select_option("7")
    page.wait_for_selector("#images canvas:nth-child(16)")


def test_a_text_is_answered_and_the_attention_is_shown(page: Any) -> None:
    choose(page, "text")
    page.get_by_label("Type a text").fill("Köln")
    page.get_by_label("Type a text").press("Enter")
    page.wait_for_selector("#answer .bar")
    choose(page, "translation")
    page.get_by_label("Type a text").fill("5 May 1979")
    page.get_by_role("button", name="Ask").click()
    page.wait_for_selector("#answer table")
    heads = page.locator("#answer tr").first.locator("th").all_inner_texts()
    assert "".join(heads).replace(" ", "") in "5May1979"


def test_it_fits_a_phone(page: Any) -> None:
    page.set_viewport_size(PHONE)
    for kind in KINDS:
        choose(page, kind)
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], kind


def test_every_field_has_a_name_for_screen_readers(page: Any) -> None:
    for kind in KINDS:
        choose(page, kind)
        fields = page.locator("input, textarea, select, #draw")
        for at in range(fields.count()):
            field = fields.nth(at)
            named = field.evaluate(
                "one => Boolean((one.labels && one.labels.length) || one.ariaLabel)"
            )
            assert named, (kind, field.evaluate("one => one.outerHTML"))
