"""Packages that only some commands need."""

from __future__ import annotations

from importlib.util import find_spec

from zoo.base.errors import UsageError


def require_package(module: str, extra: str) -> None:
    """Raise a `UsageError` that says what to install unless a module can be imported.

    Args:
        module: Its name.
        extra: The extra of dlzoo that brings it.
    """
    if find_spec(module) is None:
        raise UsageError(f"this needs {module}. Install it with: pip install 'dlzoo[{extra}]'")
