"""What is installed: all that dlzoo reads, and none of the tools and tests."""

from __future__ import annotations

import fnmatch
import importlib.metadata
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def installed(path: Path) -> bool:
    """Whether a data file is named by a pattern of its package or of one above."""
    for package, patterns in SETUPTOOLS["package-data"].items():
        folder = ROOT / package.replace(".", "/")
        if path.is_relative_to(folder) and any(
            path in folder.glob(pattern) for pattern in patterns
        ):
            return True
    return False


@pytest.mark.parametrize("folder", ["cli", "recipes", "zoo"])
def test_every_data_file_is_installed(folder: str) -> None:
    ignored = ("__pycache__", ".mypy_cache", ".ruff_cache")
    data = [
        path
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".py" and not set(ignored) & set(path.parts)
    ]
    assert data
    assert [str(path) for path in data if not installed(path)] == []


@pytest.mark.parametrize("folder", ["tools", "tests", "benchmarks", "docs"])
def test_what_users_do_not_need_is_not_installed(folder: str) -> None:
    assert not any(
        fnmatch.fnmatch(folder, pattern) for pattern in SETUPTOOLS["packages"]["find"]["include"]
    )


def test_a_package_index_is_told_who_wrote_it_and_for_what() -> None:
    project = PROJECT["project"]
    assert project["authors"]
    assert project["keywords"]
    for version in ("3.11", "3.12", "3.13"):
        assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    assert importlib.metadata.metadata("dlzoo")["Name"] == project["name"]
