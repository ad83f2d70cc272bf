"""Which of the user's files cannot be read, where TensorFlow only says that one cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recipes.recipe import Data
from zoo.base.errors import DlzooError
from zoo.datasets.sources import is_own, open_source


def unreadable(data: Data, error: BaseException) -> str:
    """Return which file an error was about, in a line, or nothing.

    Every file is decoded to find it: an error of TensorFlow's pipeline does not name it.

    Args:
        data: What was read.
        error: What ended the reading.
    """
    of_tensorflow = type(error).__module__.partition(".")[0] == "tensorflow"
    if data.skip_bad_files or not is_own(data.name) or not of_tensorflow:
        return ""
    faults = open_source(data).find_faults()
    if not faults:
        return ""
    (first, why), more = next(iter(faults.items())), len(faults) - 1
    others = f" ({more} more cannot be read)" if more else ""
    return f"{first} of {data.name} {why}{others}; --skip-bad-files goes on without"


@contextmanager
def readable(data: Data) -> Iterator[None]:
    """Name the file where the body fails because one cannot be read.

    Raises:
        DlzooError: A file cannot be read.
    """
    try:
        yield
    except DlzooError:
        raise
    except Exception as error:
        if fault := unreadable(data, error):
            raise DlzooError(fault) from error
        raise
