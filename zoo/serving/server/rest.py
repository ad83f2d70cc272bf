"""TensorFlow Serving's JSON: requests to arrays, arrays to answers, and its words for mistakes.

Source: https://www.tensorflow.org/tfx/serving/api_rest.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from zoo.serving.server.engine import Loaded, Signature, Tensor


class RequestError(Exception):
    """A request that cannot be answered.

    Args:
        message: What is wrong, for the client.
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def parse(body: bytes) -> dict[str, Any]:
    """Return a request's JSON object.

    Raises:
        RequestError: It is none.
    """
    try:
        request = orjson.loads(body)
    except ValueError:  # or it has NaN or infinities, which TensorFlow Serving takes too
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            raise RequestError("JSON Parse error: the body is not JSON") from None
    if not isinstance(request, dict):
        raise RequestError("JSON Parse error: the body is not a JSON object")
    return request


def signature_of(request: Mapping[str, Any], model: Loaded) -> str:
    """Return the name of the signature that is asked.

    Raises:
        RequestError: The model has none of that name.
    """
    name = request.get("signature_name", "") or "serving_default"
    if name == "serving_default" and name not in model.signatures:
        return model.default
    if not isinstance(name, str):
        raise RequestError("'signature_name' key must be a string value.")
    if name not in model.signatures:
        raise RequestError(f'Serving signature name: "{name}" not found in signature def')
    return name


def read_predict(
    request: Mapping[str, Any], signature: Signature
) -> tuple[dict[str, np.ndarray], bool]:
    """Return inputs (B, …) by name, and whether the request is in the row form.

    Raises:
        RequestError: They do not fit the signature.
    """
    rows, columns = request.get("instances"), request.get("inputs")
    if (rows is None) == (columns is None):
        raise RequestError("Missing 'inputs' or 'instances' key: give one of them")
    if rows is not None:
        if not isinstance(rows, list) or not rows:
            raise RequestError("'instances' must be a list of at least one example")
        values = _columns(rows, signature)
    else:
        values = _named(columns, signature)
    inputs = {name: _array(name, values[name], one) for name, one in signature.inputs.items()}
    sizes = {len(one) for one in inputs.values()}
    if len(sizes) > 1:
        told = ", ".join(f"{name}: {len(one)}" for name, one in inputs.items())
        raise RequestError(f"inputs have different batch sizes: {told}")
    if sizes == {0}:
        raise RequestError("the batch is empty")
    return inputs, rows is not None


def _columns(rows: Sequence[Any], signature: Signature) -> dict[str, list[Any]]:
    """Return lists by input from the row form: objects by name, or values of the one input."""
    names = list(signature.inputs)
    if all(isinstance(row, dict) and "b64" not in row for row in rows):
        for at, row in enumerate(rows):
            if set(row) != set(names):
                raise RequestError(
                    f"instance {at} has the inputs {sorted(row)}; expected {sorted(names)}"
                )
        return {name: [row[name] for row in rows] for name in names}
    if len(names) != 1:
        raise RequestError(f"each instance must be an object with the inputs {sorted(names)}")
    return {names[0]: list(rows)}


def _named(columns: Any, signature: Signature) -> dict[str, Any]:
    """Return values by input from the columnar form."""
    names = list(signature.inputs)
    if isinstance(columns, dict) and "b64" not in columns:
        if not set(names) <= set(columns):
            raise RequestError(f"got the inputs {sorted(columns)}; expected {sorted(names)}")
        return columns
    if len(names) != 1:
        raise RequestError(f"'inputs' must be an object with {sorted(names)}")
    return {names[0]: columns}


def _array(name: str, values: Any, wanted: Tensor) -> np.ndarray:
    if not isinstance(values, list):
        raise RequestError(f"input '{name}' must be a list, one entry for each example")
    try:
        array = _strings(values) if wanted.dtype == "string" else _numbers(values, wanted.dtype)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise RequestError(f"input '{name}' is not a tensor of {wanted.dtype}: {error}") from None
    fits = len(array.shape) == len(wanted.shape) and all(
        want is None or have == want for have, want in zip(array.shape, wanted.shape, strict=True)
    )
    if not fits:
        shape = ", ".join("?" if side is None else str(side) for side in wanted.shape)
        raise RequestError(f"input '{name}' has the shape {list(array.shape)}; expected [{shape}]")
    return array


def _numbers(values: Any, dtype: str) -> np.ndarray:
    array = np.asarray(values)
    whole = dtype.startswith(("int", "uint"))
    if array.dtype.kind not in "biuf":
        raise ValueError("it holds what is not a number")
    if (dtype == "bool") != (array.dtype.kind == "b"):
        raise ValueError("it holds a number" if dtype == "bool" else "it holds true or false")
    if whole and array.dtype.kind == "f":
        raise ValueError("it holds a number with a point")
    with np.errstate(over="raise", invalid="raise"):
        try:
            cast = array.astype(dtype)
        except FloatingPointError:
            raise ValueError("a number is out of range") from None
    if whole and not np.array_equal(cast, array):
        raise ValueError("a number is not whole or out of range")
    return cast


def _strings(values: Any) -> np.ndarray:
    return np.array([_string(value) for value in values], dtype=object)


def _string(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"b64"} and isinstance(value["b64"], str):
        return base64.b64decode(value["b64"], validate=True)
    if isinstance(value, str):
        return value.encode("utf-8")
    raise ValueError('it holds what is neither a text nor {"b64": …}')


def write_predict(outputs: Mapping[str, np.ndarray], rows: bool) -> dict[str, Any]:
    """Return the answer in the form of the request."""
    plain = {name: _plain(name, one) for name, one in outputs.items()}
    if not rows:
        return {"outputs": plain if len(plain) > 1 else next(iter(plain.values()))}
    if len(plain) == 1:
        return {"predictions": next(iter(plain.values()))}
    size = len(next(iter(plain.values())))
    return {"predictions": [{name: one[at] for name, one in plain.items()} for at in range(size)]}


def _plain(name: str, values: np.ndarray) -> Any:
    if values.dtype.kind in "SO" or name.endswith("_bytes"):
        flat = [
            one if isinstance(one, bytes) else str(one).encode("utf-8") for one in values.ravel()
        ]
        told = [{"b64": base64.b64encode(one).decode("ascii")} for one in flat]
        if not name.endswith("_bytes"):
            told = [_text(one) for one in flat]
        return np.array([*told, None], object)[:-1].reshape(values.shape).tolist()
    return values


def _text(content: bytes) -> Any:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(content).decode("ascii")}


def read_examples(request: Mapping[str, Any], signature: Signature) -> dict[str, np.ndarray]:
    """Return inputs (B, …) from the ``examples`` of classify and regress.

    Raises:
        RequestError: They do not fit the signature.
    """
    examples = request.get("examples")
    if not isinstance(examples, list) or not examples:
        raise RequestError("'examples' must be a list of at least one example")
    context = request.get("context", {})
    if not isinstance(context, dict) or not all(isinstance(one, dict) for one in examples):
        raise RequestError("'context' and each of 'examples' must be objects")
    rows = [{**context, **one} for one in examples]
    return read_predict({"instances": rows}, signature)[0]


def write_classify(outputs: Mapping[str, np.ndarray], labels: np.ndarray | None) -> dict[str, Any]:
    """Return pairs of label and score for each example.

    Raises:
        RequestError: The signature gives no probabilities of classes.
    """
    scores = outputs.get("probabilities")
    if scores is None or scores.ndim != 2:
        raise RequestError("this model does not classify")
    names = [str(at) for at in range(scores.shape[1])] if labels is None else labels.tolist()
    return _result([[[n, s] for n, s in zip(names, row, strict=True)] for row in scores])


def write_regress(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return a number for each example.

    Raises:
        RequestError: The signature gives none.
    """
    values = outputs.get("value", outputs.get("forecast"))
    if values is None or values.size != len(values):
        raise RequestError("this model does no regression to one number")
    return _result(values.reshape(len(values)).tolist())


def _result(values: list[Any]) -> dict[str, Any]:
    """Return an answer under both its names: the documentation's, and the program's."""
    return {"result": values, "results": values}


def dumps(value: Any) -> bytes:
    """Return JSON; NaN and infinities are written as TensorFlow Serving writes them."""
    try:
        text = orjson.dumps(value, _listed, orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # half of a surrogate pair, which a request may quote, is no UTF-8
        text = b"null"
    if b"null" not in text:  # what is no number is null there
        return text
    plain = json.dumps(value, ensure_ascii=False, default=_listed)
    return plain.encode("utf-8", "replace")


def _listed(value: Any) -> Any:
    """Return an array, or a number of NumPy's, as Python's own."""
    return value.tolist()
