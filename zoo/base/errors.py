"""What can go wrong, said in one line that helps: the ground floor."""

import difflib
import re
from collections.abc import Iterable


class DlzooError(Exception):
    """Something failed; the message is one line for the user. The command exits with 1."""

    exit_code = 1


class UsageError(DlzooError):
    """The user asked for something that is not there or not possible. The command exits with 2."""

    exit_code = 2


class StorageError(UsageError):
    """What is on disk is damaged, or cannot be written: nothing typed is wrong. Exits with 1."""

    exit_code = 1


def gist(error: BaseException) -> str:
    """Return what another library's error says, in one line; its type's name if it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines[:1] == ["Graph execution error:"]:
        # TensorFlow says first where it came from, and the cause last.
        places = ("Graph execution", "Detected at", "File ", "[[")
        lines = [line for line in reversed(lines) if not line.startswith(places)]
    elif lines[:1] == ["in user code:"]:  # AutoGraph tells a traceback first
        lines = [line for line in lines if re.match(r"\w+: ", line)] or lines[-1:]
    return lines[0] if lines else type(error).__name__


def require(condition: bool, message: str) -> None:
    """Raise a `UsageError` with a message unless the condition holds."""
    if not condition:
        raise UsageError(message)


def suggestion(name: str, possibilities: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the possibility nearest to `name`, or ``""``.

    Args:
        name: What was received.
        possibilities: What would have been right.
    """
    # Names of different case are the same mistake as a typo: compare in lower case.
    by_lower = {possibility.lower(): possibility for possibility in possibilities}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""


def unknown(kind: str, name: str, possibilities: Iterable[str], see: str = "") -> UsageError:
    """Return the error for a name that nobody knows.

    Args:
        kind: What it should have been, such as ``"model"``.
        name: What was received.
        possibilities: The names that exist.
        see: A command that lists them.
    """
    names = list(possibilities)
    hint = suggestion(name, names)
    if not hint and see:
        hint = f" See them with: {see}"
    elif not hint and names:
        hint = " There are: " + ", ".join(names) + "."
    return UsageError(f"unknown {kind} '{name}'.{hint}")
