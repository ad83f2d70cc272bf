"""The server answers as TensorFlow Serving's REST interface says."""

from __future__ import annotations

import base64
import io
import json
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from zoo.base.errors import DlzooError, UsageError
from zoo.serving.server.models import Limits, Model, Models

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from zoo.serving.server.app import Measurements, create_app

FLOWER = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}


@pytest.fixture(scope="module")
def folder(shared_run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of a table, an image, a text and a generator."""
    output = tmp_path_factory.mktemp("exports")
    for kind in ("image", "text", "vae"):
        tiny.run(kind, shared_run_dir).export(output, name=kind, formats=("savedmodel",))
    run = tiny.run("table", shared_run_dir)
    run.export(output, name="table", formats=("savedmodel", "onnx"))
    return output


def client(*folders: Path, engine: str = "auto", limits: Limits = Limits()) -> TestClient:  # noqa: B008
    measurements = Measurements()
    models = Models([Model(one, engine, limits, measurements.batched) for one in folders])
    return TestClient(create_app(models, limits, measurements))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[TestClient]:
    with client(*(folder / kind for kind in ("table", "image", "text", "vae"))) as one:
        yield one


def predicted(response: Any) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["predictions"]


def test_a_row_by_column_names(server: TestClient, shared_run_dir: Path) -> None:
    (answer,) = predicted(server.post("/v1/models/table:predict", json={"instances": [FLOWER]}))
    wanted = tiny.run("table", shared_run_dir).predict(list(FLOWER.values()))[0]
    np.testing.assert_allclose(answer["probabilities"], wanted, atol=1e-5)
    assert answer["class_ids"] == wanted.argmax()
    assert answer["labels"] == ["setosa", "versicolor", "virginica"][wanted.argmax()]


def test_the_columnar_form_and_the_version(server: TestClient) -> None:
    asked = {"inputs": {name: [value] for name, value in FLOWER.items()}}
    response = server.post("/v1/models/table/versions/1:predict", json=asked)
    assert response.status_code == 200
    assert len(response.json()["outputs"]["probabilities"]) == 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_an_image_of_any_size_as_a_file(
    form: str, server: TestClient, shared_run_dir: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (50, 40), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, quality=80)
    asked = {
        "signature_name": "serving_bytes",
        "instances": [{"image_bytes": {"b64": base64.b64encode(file.getvalue()).decode()}}],
    }
    (answer,) = predicted(server.post("/v1/models/image:predict", json=asked))
    file.seek(0)
    with Image.open(file) as read:  # what a JPEG keeps of them
        wanted = tiny.run("image", shared_run_dir).predict(np.asarray(read))[0]
    np.testing.assert_allclose(answer["probabilities"], wanted, atol=1e-3)


def picture(form: str, mode: str, **options: Any) -> bytes:
    """A file of noise."""
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, form, **options)
    return file.getvalue()


def test_odd_images_are_answered_as_documented_or_refused(server: TestClient) -> None:
    def ask(content: bytes) -> Any:
        row = {"image_bytes": {"b64": base64.b64encode(content).decode()}}
        asked = {"signature_name": "serving_bytes", "instances": [row]}
        return server.post("/v1/models/image:predict", json=asked)

    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: 90 degrees
    plain = predicted(ask(picture("JPEG", "RGB")))
    assert predicted(ask(picture("JPEG", "RGB", exif=turned))) == plain
    assert predicted(ask(picture("JPEG", "CMYK")))[0]["labels"]
    opaque = predicted(ask(picture("PNG", "RGB")))
    assert predicted(ask(picture("PNG", "RGBA"))) == opaque
    huge = io.BytesIO()
    Image.new("L", (30_000, 30_000)).save(huge, "PNG")
    whole = picture("PNG", "RGB")
    for wrong in (b"", b"AAA", picture("TIFF", "RGB"), whole[: len(whole) // 2], huge.getvalue()):
        response = ask(wrong)
        assert response.status_code == 400
        assert response.json()["error"]


def test_classify_gives_labels_with_scores(server: TestClient) -> None:
    response = server.post("/v1/models/table:classify", json={"examples": [FLOWER, FLOWER]})
    result = response.json()["result"]
    assert len(result) == 2
    assert response.json()["results"] == result
    assert [name for name, _ in result[0]] == ["setosa", "versicolor", "virginica"]
    assert sum(score for _, score in result[0]) == pytest.approx(1.0)
    assert server.post("/v1/models/table:regress", json={"examples": [FLOWER]}).status_code == 400


def test_texts_and_latents(server: TestClient) -> None:
    answers = predicted(server.post("/v1/models/text:predict", json={"instances": ["Köln", ""]}))
    assert len(answers) == 2
    assert isinstance(answers[0]["labels"], str)
    latent = [[0.0] * 8]
    images = predicted(server.post("/v1/models/vae:predict", json={"instances": latent}))
    assert np.shape(images) == (1, 8, 8, 1)


def test_status_and_metadata(server: TestClient) -> None:
    (status,) = server.get("/v1/models/table").json()["model_version_status"]
    assert (status["version"], status["state"]) == ("1", "AVAILABLE")
    told = server.get("/v1/models/table/metadata").json()
    assert told["model_spec"] == {"name": "table", "signature_name": "", "version": "1"}
    signature = told["metadata"]["signature_def"]["signature_def"]["serving_default"]
    one = signature["inputs"]["sepal_length_cm"]
    assert one["dtype"] == "DT_FLOAT"
    assert one["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert server.get("/healthz").json()["status"] == "ok"
    assert "petal" in server.get("/v1/models").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/nobody", 404),
        ("POST", "/v1/models/nobody:predict", 404),
        ("POST", "/v1/models/table/versions/7:predict", 404),
        ("POST", "/v1/models/table/versions/x:predict", 400),
        ("POST", "/v1/models/table:guess", 400),
        ("POST", "/v1/models/table", 400),
        ("POST", "/v1/models/table/metadata:predict", 400),
        ("GET", "/v1/models/table:predict", 400),
        ("GET", "/v1/models/table/versions/7", 404),
        ("GET", "/v1/models/table/labels/stable", 400),
        ("POST", "/v1/models/table/labels/stable:predict", 400),
        ("POST", "/v1/models/", 404),
        ("GET", "/elsewhere", 404),
        ("PUT", "/v1/models/table:predict", 400),
        ("DELETE", "/v1/models/table", 400),
    ],
)
def test_wrong_addresses(method: str, path: str, status: int, server: TestClient) -> None:
    response = server.request(method, path, json={"instances": [FLOWER]})
    assert response.status_code == status
    assert set(response.json()) == {"error"}


def test_what_is_not_there_is_said_in_tensorflow_serving_s_words(server: TestClient) -> None:
    body = {"instances": [FLOWER]}
    said = {
        server.get("/v1/models/nobody").json()["error"],
        server.get("/v1/models/table/versions/7").json()["error"],
        server.post("/v1/models/nobody:predict", json=body).json()["error"],
        server.post("/v1/models/table/versions/7:predict", json=body).json()["error"],
        server.post("/v1/models/table/labels/stable:predict", json=body).json()["error"],
        server.post("/v1/models/table:predict", json={**body, "signature_name": 5}).json()["error"],
    }
    assert said == {
        "Could not find any versions of model nobody",
        "Could not find version 7 of model table",
        "Servable not found for request: Latest(nobody)",
        "Servable not found for request: Specific(table, 7)",
        "Unrecognized servable version label: stable",
        "'signature_name' key must be a string value.",
    }


def test_a_message_can_quote_what_is_no_text(server: TestClient) -> None:
    body = b'{"signature_name": "\\ud800", "instances": [1]}'
    assert server.post("/v1/models/table:predict", content=body).status_code == 400


def test_a_request_that_is_larger_than_the_queue_is_refused(folder: Path) -> None:
    with client(folder / "table", limits=Limits(batch=2, queue=5)) as small:
        several = {"instances": [FLOWER] * 5}
        assert len(predicted(small.post("/v1/models/table:predict", json=several))) == 5
        more = {"instances": [FLOWER] * 6}
        assert small.post("/v1/models/table:predict", json=more).status_code == 413


def test_a_thousand_malformed_bodies_get_4xx(server: TestClient) -> None:
    draw = random.Random(0)  # noqa: S311  (the same bodies in every run)
    good = json.dumps({"instances": [FLOWER]}).encode()
    for at in range(1000):
        body = bytearray(good)
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(body))
            kind = draw.random()
            if kind < 0.4:
                body[place] = draw.randrange(256)
            elif kind < 0.7:
                del body[place : place + draw.randint(1, 20)]
                body += b" " * (not body)
            else:
                body[place:place] = bytes(draw.choice([b'"', b"[", b"}", b"null", b"1e999", b"{"]))
        verb = ("predict", "classify", "regress")[at % 3]
        response = server.post(f"/v1/models/table:{verb}", content=bytes(body))
        assert 200 <= response.status_code < 500, (body, response.text)
    assert server.post("/v1/models/table:predict", json={"instances": [FLOWER]}).status_code == 200


def test_a_body_that_is_too_large_is_refused(folder: Path) -> None:
    with client(folder / "table", limits=Limits(body=1000)) as small:
        response = small.post("/v1/models/table:predict", content=b" " * 2000)
        assert response.status_code == 413
        assert "larger than 1,000 bytes" in response.json()["error"]


def test_64_clients_at_once_get_their_own_answers(server: TestClient, shared_run_dir: Path) -> None:
    run = tiny.run("table", shared_run_dir)
    draw = np.random.default_rng(0)
    rows = draw.normal([5.8, 3.0, 3.7, 1.2], 1.0, size=(64, 4)).astype("float32")
    wanted = run.predict(rows)

    def ask(row: np.ndarray) -> list[float]:
        instance = dict(zip(FLOWER, row.tolist(), strict=True))
        response = server.post("/v1/models/table:predict", json={"instances": [instance]})
        found: list[float] = predicted(response)[0]["probabilities"]
        return found

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(ask, rows))
    np.testing.assert_allclose(answers, wanted, atol=1e-5)


def test_the_measurements_count_requests(server: TestClient) -> None:
    server.post("/v1/models/table:predict", json={"instances": [FLOWER]})
    server.post("/v1/models/table:predict", content=b"{")
    text = server.get("/metrics").text
    assert 'dlzoo_requests_total{code="400",model="table"}' in text
    assert 'dlzoo_version{model="table"} 1.0' in text
    assert 'dlzoo_batch_examples_count{model="table"}' in text


def test_the_page_loads_nothing_from_elsewhere(server: TestClient) -> None:
    response = server.get("/")
    assert response.status_code == 200
    for word in ("http://", "https://", "//cdn", "@import"):
        assert word not in response.text
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_the_fastest_engine_is_taken_and_answers_the_same(folder: Path) -> None:
    answers = []
    for engine, taken in (("auto", "onnx"), ("tensorflow", "tensorflow"), ("onnx", "onnx")):
        with client(folder / "table", engine=engine) as one:
            assert one.get("/v1/models").json()["models"][0]["engine"] == taken
            answers.append(
                predicted(one.post("/v1/models/table:predict", json={"instances": [FLOWER]}))[0]
            )
    for answer in answers[1:]:
        assert answer["labels"] == answers[0]["labels"]
        np.testing.assert_allclose(answer["probabilities"], answers[0]["probabilities"], atol=1e-4)
    with pytest.raises(UsageError, match="cannot be served by openvino: it holds savedmodel"):
        Model(folder / "table", "openvino", Limits())
    with pytest.raises(UsageError, match="inputs are texts"):
        Model(folder / "text", "onnx", Limits())


def test_a_new_version_takes_over_and_a_bad_one_does_not(folder: Path, tmp_path: Path) -> None:
    served = tmp_path / "table"
    shutil.copytree(folder / "table" / "1", served / "1")
    model = Model(served, "auto", Limits())
    assert not model.look()
    bad = served / "2"
    shutil.copytree(served / "1", bad)
    facts = json.loads((bad / "export.json").read_text())
    (bad / "export.json").write_text(json.dumps({**facts, "version": 2}))
    (bad / "model.onnx").write_bytes(b"damaged")
    assert not model.look()
    assert model.served.model.version == 1
    good = served / "3"
    shutil.copytree(served / "1", good)
    assert model.look()  # a copy is the version that its folder is called
    assert model.served.model.version == 3
    assert not model.look()
    half = served / "4"
    half.mkdir()
    (half / "model.onnx").write_bytes(b"")
    (served / "²").mkdir()
    assert not model.look()
    again = Model(served, "auto", Limits())  # the highest good one, also at the start
    assert again.served.model.version == 3
    shutil.rmtree(bad)
    shutil.rmtree(good)
    assert model.look()
    assert model.served.model.version == 1
    written = (served / "1" / "export.json").read_text()
    (served / "1" / "export.json").unlink()
    (served / "1" / "export.json").write_text(written)
    assert model.look()  # written anew


def test_two_models_of_one_name_are_refused(folder: Path) -> None:
    several = [Model(folder / "table", "auto", Limits()) for _ in range(2)]
    with pytest.raises(DlzooError, match="the same name"):
        Models(several)


def test_warm_up_requests_are_what_tensorflow_serving_reads(folder: Path) -> None:
    prediction_log_pb2 = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    import tensorflow as tf

    path = folder / "image" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    signatures = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        signatures.append(request.model_spec.signature_name)
        (name,) = request.inputs
        values = tf.make_ndarray(request.inputs[name])
        if name == "image":
            assert values.shape == (1, 32, 32, 1)
            assert 0 <= values.min() < values.max() <= 255
        else:
            assert values[0].startswith(b"\x89PNG")
    assert signatures == ["serving_default"] * 4 + ["serving_bytes"] * 4
