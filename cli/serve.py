"""`dlzoo serve`: a local server that speaks TensorFlow Serving's REST interface."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from cli.options import run_dir_option
from cli.output import note
from zoo.base.errors import DlzooError, StorageError, UsageError
from zoo.base.optional import require_package
from zoo.serving.server.engine import ENGINES, FASTEST
from zoo.serving.server.models import Limits

MEGABYTE = 2**20

MOST_CONNECTIONS = 1024
"""More are answered with 503."""


@click.command("serve")
@click.argument("models", nargs=-1, required=True, metavar="RUN|EXPORT...")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on. 0.0.0.0 lets the whole network ask.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8501,
    show_default=True,
    help="0 takes a free one, which is printed.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", *ENGINES]),
    default="auto",
    show_default=True,
    help="What computes; auto takes the fastest that the export has a format for.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=Limits.batch,
    show_default=True,
    help="Examples of requests that come at the same time, computed together at most.",
)
@click.option(
    "--queue",
    type=click.IntRange(min=1),
    default=Limits.queue,
    show_default=True,
    help="Examples that may wait; more are answered with 503.",
)
@click.option(
    "--body",
    type=click.IntRange(min=1),
    default=Limits.body // MEGABYTE,
    show_default=True,
    help="Megabytes of a request at most.",
)
@run_dir_option
def command(
    models: tuple[str, ...],
    host: str,
    port: int,
    engine: str,
    batch: int,
    queue: int,
    body: int,
    run_dir: Path,
) -> None:
    """Answer requests to RUN's models or to EXPORTs until Ctrl-C.

    An EXPORT is a folder of versions, exports/NAME: the highest one answers, and a higher one that
    appears later takes over without a lost request. A RUN is exported to a temporary folder first.
    The page at / tries the models in a browser.
    """
    for package in ("starlette", "uvicorn", "httptools", "orjson", "prometheus_client"):
        require_package(package, "serve")
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(_bound(host, port))
        folders = [_folder(one, run_dir, engine, stack) for one in models]
        _serve(folders, door, engine, {"batch": batch, "queue": queue, "body": body * MEGABYTE})


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that has the address, before the models are loaded.

    Raises:
        UsageError: It cannot be had.
    """
    found = None
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        # With the protocol named, asyncio sends short answers at once; else 40 ms later.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        if found is not None:
            found.close()
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return found


def _folder(given: str, run_dir: Path, engine: str, stack: contextlib.ExitStack) -> Path:
    """Return the folder of an export, or of one that is made of a run."""
    path = Path(given)
    if (path / "export.json").is_file() or any(path.glob("*/export.json")):
        return path
    from zoo.run import load

    try:
        run = load(given, run_dir)
    except StorageError:
        raise
    except UsageError as error:
        raise UsageError(f"{given} is neither an export nor a run: {error}") from None
    made = stack.enter_context(tempfile.TemporaryDirectory(prefix="dlzoo-serve-"))
    note(f"exporting {run.name} …")
    if engine in FASTEST:
        return run.export(made, formats=("savedmodel", engine)).parent
    if engine == "auto" and find_spec("tf2onnx") and find_spec("onnxruntime"):
        try:
            return run.export(made, formats=("savedmodel", "onnx")).parent
        except DlzooError as error:
            note(f"TensorFlow answers for {run.name}: {error}")
    return run.export(made, formats=("savedmodel",)).parent


def _serve(folders: list[Path], door: socket.socket, engine: str, limits: dict[str, int]) -> None:
    import uvicorn

    from zoo.base.runtime import start_tensorflow

    start_tensorflow()
    from zoo.serving.server.app import Measurements, create_app
    from zoo.serving.server.models import Model, Models, settle
    from zoo.serving.server.protocol import Protocol

    chosen, measurements = Limits(**limits), Measurements()
    models = Models([Model(one, engine, chosen, measurements.batched) for one in folders])
    for model in models:
        served = model.served.model
        note(f"{model.name}, version {served.version}, by {served.engine}")
    settle()
    door.listen()  # who asks from now on is answered as soon as the server runs
    host, port = door.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    note(f"listening on http://{shown}:{port}/ (Ctrl-C stops)")
    config = uvicorn.Config(
        create_app(models, chosen, measurements),
        http=Protocol,
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=30,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[door])
