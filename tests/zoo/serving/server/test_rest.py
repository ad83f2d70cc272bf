"""TensorFlow Serving's JSON, read and written."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from zoo.serving.server import rest
from zoo.serving.server.engine import Signature, Tensor
from zoo.serving.server.rest import RequestError

TWO = Signature(
    {"width": Tensor((None,), "float32"), "count": Tensor((None, 2), "int32")},
    {"value": Tensor((None, 1), "float32")},
)
TEXT = Signature({"text": Tensor((None,), "string")}, {"labels": Tensor((None,), "string")})
ONE = Signature({"x": Tensor((None, 2), "float32")}, {"y": Tensor((None,), "float32")})


def test_the_row_form_is_a_list_of_objects() -> None:
    rows = [{"width": 1.5, "count": [1, 2]}, {"width": 2, "count": [3, 4]}]
    inputs, is_rows = rest.read_predict({"instances": rows}, TWO)
    assert is_rows
    np.testing.assert_array_equal(inputs["width"], [1.5, 2.0])
    np.testing.assert_array_equal(inputs["count"], [[1, 2], [3, 4]])
    assert [inputs[name].dtype for name in inputs] == ["float32", "int32"]


def test_the_columnar_form_has_a_list_for_each_input() -> None:
    columns = {"width": [1.5], "count": [[1, 2]]}
    inputs, is_rows = rest.read_predict({"inputs": columns}, TWO)
    assert not is_rows
    assert inputs["count"].tolist() == [[1, 2]]


def test_the_only_input_needs_no_name() -> None:
    assert rest.read_predict({"instances": [[1, 2]]}, ONE)[0]["x"].tolist() == [[1.0, 2.0]]
    assert rest.read_predict({"inputs": [[1, 2]]}, ONE)[0]["x"].tolist() == [[1.0, 2.0]]


def test_bytes_and_texts() -> None:
    picture = base64.b64encode(b"\xff\x00").decode()
    inputs, _ = rest.read_predict({"instances": [{"b64": picture}, "Köln"]}, TEXT)
    assert inputs["text"].tolist() == [b"\xff\x00", "Köln".encode()]


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"instances": [], "inputs": []},
        {"instances": []},
        {"instances": {}},
        {"instances": "a"},
        {"instances": None},
        {"instances": [1]},
        {"instances": [[1, 2], [3]]},
        {"instances": [[1, 2, 3]]},
        {"instances": [["a", "b"]]},
        {"instances": [[True, False]]},
        {"instances": [[None, 1]]},
        {"instances": [{"z": [1, 2]}]},
        {"instances": [{"x": [1, 2], "z": 1}]},
        {"instances": [{"b64": "AAAA"}]},
        {"instances": [[[1, 2]]]},
        {"inputs": 5},
        {"inputs": {"x": 5}},
        {"inputs": {"x": []}},
        {"inputs": {"x": [[]]}},
        {"inputs": {"z": [[1, 2]]}},
        {"inputs": {}},
    ],
)
def test_what_does_not_fit_is_the_client_s_mistake(request_: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as caught:
        rest.read_predict(request_, ONE)
    assert caught.value.status == 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("count", [[1.5, 2], [2**40, 0], [-(2**31) - 1, 0]])
def test_whole_numbers_are_not_rounded_or_wrapped(count: list[float]) -> None:
    with pytest.raises(RequestError, match="count"):
        rest.read_predict({"instances": [{"width": 1, "count": count}]}, TWO)


def test_batches_of_different_sizes_are_refused() -> None:
    with pytest.raises(RequestError, match="different batch sizes: width: 1, count: 2"):
        rest.read_predict({"inputs": {"width": [1], "count": [[1, 2], [3, 4]]}}, TWO)


@pytest.mark.parametrize("text", ["not base64!", 5])
def test_bytes_that_are_none_are_refused(text: Any) -> None:
    with pytest.raises(RequestError):
        rest.read_predict({"instances": [{"b64": text}]}, TEXT)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"5", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError, match="JSON"):
        rest.parse(body)


def written(outputs: dict[str, np.ndarray], rows: bool) -> Any:
    """What a client reads."""
    return json.loads(rest.dumps(rest.write_predict(outputs, rows)))


def test_answers_have_the_form_of_the_request() -> None:
    one = {"value": np.array([[1.0], [2.0]])}
    assert written(one, True) == {"predictions": [[1.0], [2.0]]}
    assert written(one, False) == {"outputs": [[1.0], [2.0]]}
    two = {"id": np.array([3]), "label": np.array(["drei"])}
    assert written(two, True) == {"predictions": [{"id": 3, "label": "drei"}]}
    assert written(two, False) == {"outputs": {"id": [3], "label": ["drei"]}}
    turned = {"value": np.arange(6.0).reshape(2, 3).T, "of": np.array([1, 2, 3], np.longlong)}
    assert written(turned, True)["predictions"][1] == {"value": [1.0, 4.0], "of": 2}


def test_what_is_no_number_is_written_as_tensorflow_serving_does() -> None:
    values = {"value": np.array([np.nan, np.inf, 0.1], np.float32)}
    text = rest.dumps(rest.write_predict(values, True)).decode()
    assert text.startswith('{"predictions": [NaN, Infinity, 0.1')
    assert rest.parse(b'{"instances": [NaN, -Infinity]}')["instances"][1] == -np.inf
    assert rest.dumps({"error": "a half: \ud800"}) == b'{"error": "a half: ?"}'
    short = np.full(1, 0.1, np.float32)
    assert rest.dumps(rest.write_predict({"value": short}, True)) == b'{"predictions":[0.1]}'
    assert rest.dumps({"label": "null", "names": None}) == b'{"label": "null", "names": null}'


def test_bytes_are_written_as_base64() -> None:
    answer = rest.write_predict({"image_bytes": np.array([b"\xff\x01"])}, True)
    assert answer == {"predictions": [{"b64": "/wE="}]}


def test_classes_and_numbers() -> None:
    outputs = {"probabilities": np.array([[0.25, 0.75]])}
    labels = np.array(["no", "yes"])
    told = {"result": [[["no", 0.25], ["yes", 0.75]]]}
    assert rest.write_classify(outputs, labels) == {**told, "results": told["result"]}
    regressed = rest.write_regress({"value": np.array([[2.0], [3.0]])})
    assert regressed == {"result": [2.0, 3.0], "results": [2.0, 3.0]}
    with pytest.raises(RequestError, match="does not classify"):
        rest.write_classify({"value": np.zeros((1, 1))}, None)
    with pytest.raises(RequestError, match="no regression"):
        rest.write_regress(outputs)


def test_the_context_is_part_of_each_example() -> None:
    request = {"context": {"width": 1}, "examples": [{"count": [1, 2]}, {"count": [3, 4]}]}
    assert rest.read_examples(request, TWO)["width"].tolist() == [1.0, 1.0]
    several: tuple[dict[str, Any], ...] = (
        {},
        {"examples": []},
        {"examples": [1]},
        {"examples": [{}], "context": 1},
    )
    for wrong in several:
        with pytest.raises(RequestError):
            rest.read_examples(wrong, TWO)
