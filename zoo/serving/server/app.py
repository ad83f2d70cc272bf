"""The server's routes: TensorFlow Serving's REST interface, health, measurements, and a page."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from zoo.base.errors import gist
from zoo.serving.server import rest
from zoo.serving.server.batching import OverloadedError, TooManyError
from zoo.serving.server.engine import Loaded
from zoo.serving.server.metadata import metadata
from zoo.serving.server.models import Limits, Models, Served
from zoo.serving.server.rest import RequestError

logger = logging.getLogger(__name__)

PAGE_POLICY = (
    "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""What the page may load: itself, and nothing from elsewhere."""
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
"""All, so that what is not allowed is said in the interface's own form."""
REFUSALS = ("InvalidArgumentError", "InvalidArgument", "UnimplementedError", "OutOfRangeError")
"""What runtimes raise where the input is to blame."""
MODELS = "/v1/models/"
SLOWEST = 60.0
"""Seconds that a body may take to come."""
LARGE = 65_536
"""Bytes of a body from which on it is read in a thread."""
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Measurements:
    """What `/metrics` tells Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dlzoo_requests", "Requests answered.", ["model", "code"], registry=self.registry
        )
        self.seconds = Histogram(
            "dlzoo_request_seconds", "From request to answer.", ["model"], registry=self.registry
        )
        self.batches = Histogram(
            "dlzoo_batch_examples",
            "Examples computed together.",
            ["model"],
            buckets=SIZES,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "dlzoo_waiting_examples", "Examples that wait.", ["model"], registry=self.registry
        )
        self.version = Gauge(
            "dlzoo_version", "The version that answers.", ["model"], registry=self.registry
        )

    def batched(self, model: str, size: int) -> None:
        """Note a batch."""
        self.batches.labels(model).observe(size)

    def answered(self, model: str, status: int, seconds: float) -> None:
        """Note a request."""
        self.requests.labels(model, str(status)).inc()
        self.seconds.labels(model).observe(seconds)

    def text(self, models: Models) -> bytes:
        """Return all measurements in Prometheus's text form."""
        for one in models:
            depth = sum(batcher.depth for batcher in one.served.batchers.values())
            self.waiting.labels(one.name).set(depth)
            self.version.labels(one.name).set(one.served.model.version)
        return bytes(generate_latest(self.registry))


def create_app(models: Models, limits: Limits, measurements: Measurements) -> ASGIApp:
    """Return the application.

    Args:
        models: Loaded.
        limits: Of a request's body.
        measurements: Where requests are counted.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        models.close()

    server = _Server(models, limits, measurements)
    others = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", server.page),
            Route("/healthz", server.health),
            Route("/metrics", server.measured),
            Route("/v1/models", server.names),
            Route("/{rest:path}", server.model, methods=METHODS),
        ],
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Without Starlette's routes and layers, which take longer than many models do.
        if scope["type"] == "http" and scope["path"].startswith(MODELS):
            response = await server.model(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


class _Server:
    def __init__(self, models: Models, limits: Limits, measurements: Measurements) -> None:
        self.models = models
        self.limits = limits
        self.measurements = measurements

    async def page(self, request: Request) -> Response:
        text = importlib.resources.files("zoo.serving.server").joinpath("page.html").read_text()
        return HTMLResponse(text, headers={"Content-Security-Policy": PAGE_POLICY})

    async def health(self, request: Request) -> Response:
        return _json({"status": "ok", "models": [one.name for one in self.models]})

    async def measured(self, request: Request) -> Response:
        return Response(self.measurements.text(self.models), media_type="text/plain; version=0.0.4")

    async def names(self, request: Request) -> Response:
        """List the models with what the page has to know of them."""
        return _json({"models": [one.served.model.described for one in self.models]})

    async def model(self, request: Request) -> Response:
        """Answer ``/v1/models/NAME[/versions/N][/metadata]`` and ``…:VERB``."""
        began = time.perf_counter()
        name = "none"
        try:
            path, _, verb = request.scope["path"][1:].partition(":")
            parts = path.split("/")
            if parts[0] != "v1":
                raise RequestError(f"there is nothing at {request.url.path}", 404)
            if request.method not in ("GET", "POST") or parts[1:2] != ["models"] or len(parts) < 3:
                raise RequestError(_malformed(request))
            model = self.models.get(parts[2])
            if model is None:
                raise _unknown(request, parts[2])
            name = model.name
            response = await self._answer(request, model.served, parts[3:], verb)
        except RequestError as error:
            response = _json({"error": str(error)}, error.status)
        except TooManyError as error:
            response = _json({"error": str(error)}, 413)
        except OverloadedError:
            response = _json({"error": "The server is overloaded; try again later"}, 503)
            response.headers["Retry-After"] = "1"
        except ClientDisconnect:
            response = _json({"error": "the client is gone"}, 400)
        except TimeoutError:
            response = _json({"error": f"the body took more than {SLOWEST:.0f} seconds"}, 408)
        except Exception as error:
            refused = type(error).__name__ in REFUSALS
            if not refused:
                logger.exception("%s: %s", name, gist(error))
            response = _json({"error": gist(error)}, 400 if refused else 500)
        self.measurements.answered(name, response.status_code, time.perf_counter() - began)
        return response

    async def _answer(
        self, request: Request, served: Served, places: list[str], verb: str
    ) -> Response:
        """Answer what is asked of the version that answers at this moment."""
        model = served.model
        if places[:1] == ["versions"] and len(places) >= 2:
            asked = places[1]
            if not (asked.isascii() and asked.isdecimal()):
                raise RequestError(_malformed(request))
            if int(asked) != model.version:
                raise _unknown(request, model.name, asked)
            places = places[2:]
        if places[:1] == ["labels"] and len(places) >= 2:  # it has none
            raise RequestError(f"Unrecognized servable version label: {places[1]}")
        if request.method == "GET" and not verb and places in ([], ["metadata"]):
            return _json(metadata(model) if places else _status(served))
        if request.method != "POST" or places or verb not in VERBS:
            raise RequestError(_malformed(request))
        async with asyncio.timeout(SLOWEST):
            content = await self._body(request)
        # What is large is read and written beside, so that others are answered meanwhile.
        away = asyncio.to_thread if len(content) > LARGE else _here
        name, inputs, write = await away(_read, content, model, verb)
        outputs = await served.batchers[name](inputs)
        return await away(lambda: _json(write(outputs)))

    async def _body(self, request: Request) -> bytes:
        """Return the body, of which no more is read than may be.

        Raises:
            RequestError: It is larger.
        """
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self.limits.body:
                raise RequestError(f"the body is larger than {self.limits.body:,} bytes", 413)
            parts.append(part)
        return b"".join(parts)


async def _here(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _unknown(request: Request, name: str, version: str = "") -> RequestError:
    """Return that there is no such model or version, as TensorFlow Serving says it."""
    if request.method == "POST":
        asked = f"Specific({name}, {version})" if version else f"Latest({name})"
        return RequestError(f"Servable not found for request: {asked}", 404)
    if version:
        return RequestError(f"Could not find version {version} of model {name}", 404)
    return RequestError(f"Could not find any versions of model {name}", 404)


def _malformed(request: Request) -> str:
    return f"Malformed request: {request.method} {request.url.path}"


def _read(content: bytes, model: Loaded, verb: str) -> tuple[str, Any, Any]:
    """Return the signature that a body asks, its inputs, and what writes the answer."""
    body = rest.parse(content)
    name = rest.signature_of(body, model)
    return name, *VERBS[verb](body, model, name)


def _status(served: Served) -> dict[str, Any]:
    return {
        "model_version_status": [
            {
                "version": str(served.model.version),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def _predict(body: dict[str, Any], model: Any, name: str) -> Any:
    inputs, rows = rest.read_predict(body, model.signatures[name])
    return inputs, lambda outputs: rest.write_predict(outputs, rows)


def _classify(body: dict[str, Any], model: Any, name: str) -> Any:
    inputs = rest.read_examples(body, model.signatures[name])
    return inputs, lambda outputs: rest.write_classify(outputs, model.labels)


def _regress(body: dict[str, Any], model: Any, name: str) -> Any:
    return rest.read_examples(body, model.signatures[name]), rest.write_regress


VERBS: dict[str, Callable[[dict[str, Any], Any, str], Any]] = {
    "predict": _predict,
    "classify": _classify,
    "regress": _regress,
}


def _json(value: Any, status: int = 200) -> Response:
    return Response(rest.dumps(value), status, media_type="application/json")
