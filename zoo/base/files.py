"""Files that are whole or not there, and never overwritten unasked."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.base.errors import StorageError, UsageError

_TEMPORARY = re.compile(r"\..+-tmp[0-9a-f]{8}(\.\w+)*")


def temporary_name(stem: str, suffix: str = "") -> str:
    """Return a hidden name to write under before renaming, see `remove_leftovers`."""
    return f".{stem}-tmp{secrets.token_hex(4)}{suffix}"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; flush it to disk and rename it when the body ends.

    The folder is made if it is not there. The name beside keeps the suffix, which many writers
    choose their format by. What killed processes left of earlier writes of the same file is
    removed.
    """
    if not path.parent.is_dir():
        writable_folder(path.parent)
    remove_leftovers(path.parent, path.stem)
    beside = path.with_name(temporary_name(path.stem, path.suffix))
    with _locked(beside):
        try:
            yield beside
            rename_durably(beside, path)
        finally:
            beside.unlink(missing_ok=True)


def rename_durably(beside: Path, path: Path) -> None:
    """Rename a file or a folder so that it is whole on disk, by its new name, or not there.

    The system may write a name to disk before the contents: after a loss of power an unflushed
    file would be empty under its final name.

    Args:
        beside: In the same folder as `path`.
        path: A file there is replaced.
    """
    _flush_all(beside)
    beside.replace(path)
    flush_to_disk(path.parent)


def _flush_all(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on disk."""
    inside = list(path.rglob("*")) if path.is_dir() else []
    for found in [*inside, path]:
        flush_to_disk(found)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's contents, or the names in a folder, are on disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():  # some systems do not open folders
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems do not flush
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _locked(beside: Path) -> Iterator[None]:
    """Make a file and hold a lock on it, by which others see that it is no leftover."""
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(ImportError, OSError):  # a system or a file system without locks
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with written_whole(path) as beside:
        # A file's name that is not UTF-8 is written as the bytes that it has.
        beside.write_text(text, encoding="utf-8", errors="surrogateescape")


@contextmanager
def claimed(folder: Path, refusal: str, *, wait: float = 0.2) -> Iterator[None]:
    """Hold a folder for this process while the body runs; the system frees it at the end.

    Args:
        folder: Or a file. It must exist; nothing is written into it.
        refusal: The message if another process holds it.
        wait: Seconds after which to give up. `is_claimed` holds a folder for a moment, too.

    Raises:
        UsageError: Another process holds it, or it cannot be opened.
    """
    try:
        import fcntl
    except ImportError:  # a system without file locks: there, nobody is kept out
        yield
        return
    descriptor = _opened(folder)
    until = time.monotonic() + wait
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise UsageError(refusal) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def is_claimed(folder: Path) -> bool:
    """Return whether a process holds a folder by `claimed`.

    Raises:
        UsageError: The folder cannot be opened.
    """
    try:
        import fcntl
    except ImportError:
        return False
    descriptor = _opened(folder)
    try:
        # Shared, so that two processes that ask at once do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise StorageError(f"cannot open {folder}: {error.strerror}") from None


def remove_leftovers(folder: Path, stem: str | None = None) -> None:
    """Remove what killed processes left unfinished directly in a folder.

    What a living process is writing is locked, and stays.

    Args:
        folder: Where to look.
        stem: Only of files that were to have this name, without its suffix.
    """
    for path in folder.iterdir():
        if not _TEMPORARY.fullmatch(path.name):
            continue
        if stem is not None and not path.name.startswith(f".{stem}-tmp"):
            continue
        with suppress(OSError, UsageError), claimed(path, "in use", wait=0.0):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def exchange(beside: Path, path: Path) -> None:
    """Swap the names of two folders or files, at one moment and durably as `rename_durably`.

    On a system without Linux's renameat2, `path` is gone for the moment between two renames.

    Args:
        beside: Just written, in the same folder as `path`.
        path: What is there gets the name of the other.

    Raises:
        OSError: This file system cannot swap names.
    """
    _flush_all(beside)
    _swap(beside, path)
    flush_to_disk(path.parent)


def _swap(one: Path, other: Path) -> None:
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        rename = None
    here, swap = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux's headers
    if rename is not None:
        if rename(here, os.fsencode(one), here, os.fsencode(other), swap) == 0:
            return
        code = ctypes.get_errno()
        raise OSError(code, f"this file system cannot swap folders ({os.strerror(code)})")
    beside = other.with_name(temporary_name(other.name))
    other.replace(beside)
    one.replace(other)
    beside.replace(one)


def is_folder(path: str | Path) -> bool:
    """Return whether a folder of that name is there, for any text."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):  # longer than a name may be, or with a NUL in it
        return False


def is_file(path: str | Path) -> bool:
    """Return whether a file of that name is there, for any text."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def writable(path: Path, *, overwrite: bool) -> Path:
    """Return the path of a file that can be written; nothing is made yet.

    Raises:
        UsageError: It exists and is not to be overwritten, or its folder cannot be made or written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; --overwrite replaces it")
    require_writable(path.parent)
    return path


def writable_folder(path: Path) -> Path:
    """Return a folder after making it.

    Raises:
        UsageError: It cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {path}: {error.strerror}") from None
    return require_writable(path)


def require_writable(path: Path) -> Path:
    """Return a folder that can be written, or made; nothing is made yet.

    Raises:
        UsageError: It cannot; a `StorageError` where it is not the name that is wrong.
    """
    existing = path.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise UsageError(f"cannot make the folder {path}: {existing} is a file")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StorageError(f"cannot write to the folder {existing}: permission denied")
    return path
