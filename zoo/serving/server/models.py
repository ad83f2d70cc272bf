"""The models that are served: folders of versions, of which the highest good one answers."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from zoo.base.errors import DlzooError, UsageError, gist
from zoo.serving.artefact import FACTS, Artefact, versions
from zoo.serving.server.batching import Batcher
from zoo.serving.server.engine import Loaded

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks for a new version."""
LONGEST_END = 5.0
"""Seconds that a version may still take to load when the server ends."""


@dataclass(frozen=True)
class Limits:
    """How much is taken on at a time."""

    batch: int = 64
    """Examples that are computed together."""
    queue: int = 1024
    """Examples that may wait for one signature."""
    body: int = 16 * 2**20
    """Bytes of a request."""


@dataclass
class Served:
    """One version that answers."""

    model: Loaded
    path: Path
    stamp: tuple[int, int] | None
    batchers: dict[str, Batcher] = field(default_factory=dict)


class Model:
    """One model by name, and the version that answers now.

    Args:
        folder: ``<output>/<name>``, with a folder for each version; or one version's folder, which
            is then served for good.
        engine: See `zoo.serving.server.engine.Loaded`.
        limits: Of batches and queues.
        batched: Is told the model's name and the size of each batch.

    Raises:
        DlzooError: There is no version that can be served.
    """

    def __init__(
        self,
        folder: Path,
        engine: str,
        limits: Limits,
        batched: Callable[[str, int], None] = lambda name, size: None,
    ) -> None:
        self._folder = None if (folder / FACTS).is_file() else folder
        self._engine = engine
        self._limits = limits
        self._batched = batched
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._bad: dict[Path, tuple[int, int] | None] = {}
        """Versions that could not be loaded, see `_stamp`."""
        self._refused: DlzooError | None = None
        """Why the first of them could not."""
        found = self._serve(folder) if self._folder is None else self._highest(None)
        if found is None:
            raise self._refused or UsageError(
                f"{folder} holds no version: export one with dlzoo export"
            )
        self.served = found

    @property
    def name(self) -> str:
        """What it is asked by."""
        return self.served.model.name

    def _serve(self, path: Path) -> Served:
        stamp = _stamp(path)
        model = Loaded(Artefact.open(path), self._engine)
        _try(model)
        served = Served(model, path, stamp)
        for name in model.signatures:
            served.batchers[name] = Batcher(
                lambda inputs, name=name: model.answer(name, inputs),  # type: ignore[misc]
                self._executor,
                most=self._limits.batch,
                queue=self._limits.queue,
                batched=lambda size: self._batched(model.name, size),
            )
        return served

    def look(self) -> bool:
        """Load the highest good version if it is not the one that answers; else do nothing.

        That is a new one, the same one written anew, or a lower one where the version that answers
        was removed. Requests that are being answered end with the version that they began with. A
        version that cannot be loaded is reported once, and the old one goes on.
        """
        if self._folder is None:
            return False
        found = self._highest(self.served)
        if found is None or found is self.served:
            return False
        self.served = found
        logger.info("%s: version %d answers now", self.name, found.model.version)
        return True

    def _highest(self, now: Served | None) -> Served | None:
        """Return the highest version that can be loaded, or `now` where it is that one."""
        assert self._folder is not None
        try:
            paths = versions(self._folder)
        except OSError:
            return None
        for path in paths:
            stamp = _stamp(path)
            if now is not None and (path, stamp) == (now.path, now.stamp):
                return now
            if stamp is None or self._bad.get(path) == stamp:
                continue
            try:
                return self._serve(path)
            except Exception as error:  # whatever is wrong with it, a lower one may answer
                self._bad[path] = stamp
                self._refused = self._refused or _refusal(path, error)
                logger.error("%s cannot be served: %s", path, gist(error))
        return None

    def close(self) -> None:
        """End without waiting: the server has answered what it took on."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def settle() -> None:
    """Put all that is in memory now out of the garbage collector's sight.

    It walks through all objects each time that reading JSON has made many lists, and TensorFlow
    alone has hundreds of thousands: LeNet-5 answered half as many requests.
    """
    gc.unfreeze()  # of a version that answers no more, what is left goes now
    gc.collect()
    gc.freeze()


def _refusal(path: Path, error: Exception) -> DlzooError:
    if isinstance(error, DlzooError):
        return error
    return DlzooError(f"{path} cannot be served: {gist(error)}")


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a version is written anew, or None where it is not whole."""
    try:
        found = (path / FACTS).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _try(model: Loaded) -> None:
    """Ask each signature once: what cannot answer is no version, and the others are warm then."""
    from zoo.serving import samples

    cases = samples.load(model.artefact.path / samples.FILE)
    for case in cases.get("raw") or cases.get("portable", []):
        if case.signature in model.signatures:
            model.answer(case.signature, {name: one[:1] for name, one in case.inputs.items()})


class Models:
    """All models of a server, and the thread that looks for new versions."""

    def __init__(self, models: list[Model]) -> None:
        self._models = {model.name: model for model in models}
        if len(self._models) < len(models):
            raise DlzooError("two models have the same name; export one of them with --name")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, name: str) -> Model | None:
        """Return a model by name."""
        return self._models.get(name)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            for model in self._models.values():
                try:
                    if model.look():
                        settle()
                except Exception:  # the next look may succeed, and the others go on
                    logger.exception("%s: no new version could be looked for", model.name)

    def close(self) -> None:
        """Stop looking for new versions."""
        self._stop.set()
        self._thread.join(LONGEST_END)
        for model in self._models.values():
            model.close()
