"""What an augmentation is, and what its arguments may be, checked before a training begins."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

from recipes.recipe import Named
from zoo.base.errors import UsageError, suggestion

Step = Callable[[Any, Any], Any]
"""(images (B, height, width, channels), seeds (B, 2)) -> images"""
Mix = Callable[[Any, Any, Any], tuple[Any, Any]]
"""(images, others, seeds) -> (images, the share (B,) of each that is its own)"""


@dataclass(frozen=True)
class Range:
    """The numbers from 0 that an argument may be."""

    most: float = math.inf
    """The largest one."""
    below: float = math.inf
    """Larger than all of them."""
    whole: bool = False
    """Whether they are whole numbers."""

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of them."""
        number = int if self.whole else int | float
        fits = isinstance(value, number) and not isinstance(value, bool)
        return fits and 0 <= value <= self.most and value < self.below

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.most < math.inf:
            return f"{kind} from 0 to {self.most:g}"
        return f"{kind} of at least 0" + (f" and below {self.below:g}" * (self.below < math.inf))


Strength = Annotated[float, Range()]
"""Any number from 0."""
Change = Annotated[float, Range(below=1.0)]
"""A change to either side: 0 up to but not 1."""
Share = Annotated[float, Range(most=1.0)]
"""A fraction from 0 to 1."""
Pixels = Annotated[int, Range(whole=True)]


def checked_arguments(named: Named, kind: Callable[..., Any]) -> dict[str, Any]:
    """Return what a recipe gives an augmentation, once it is known to fit.

    Args:
        named: As the recipe says it.
        kind: The function of that name; its keyword-only parameters are what it takes.

    Raises:
        UsageError: It takes no such argument, or not with this value.
    """
    parameters = inspect.signature(kind).parameters.values()
    known = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    hints = get_type_hints(kind, include_extras=True)
    for key, value in named.arguments.items():
        if key not in known:
            hint = suggestion(key, known) or f" It takes: {', '.join(known)}."
            raise UsageError(f"augmentation {named.name} takes no argument '{key}'.{hint}")
        fits, expected = _expected(hints[key], value)
        if not fits:
            raise UsageError(f"augmentation {named.name}: {key} must be {expected}, got {value!r}")
    return named.arguments


def _expected(hint: Any, value: Any) -> tuple[bool, str]:
    """Return whether a value is what a parameter's type says, and what that is in words."""
    for option in (hint, *get_args(hint)):
        for allowed in getattr(option, "__metadata__", ()):
            optional = value is None and type(None) in get_args(hint)
            return optional or allowed.holds(value), str(allowed)
    return isinstance(value, bool), "true or false"
