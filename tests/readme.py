"""The README's table of the zoo, made from the catalogue and the recipes' headers."""

from __future__ import annotations

from recipes import library
from zoo.registry import card, list_models


def measured(name: str) -> tuple[str, str, str]:
    """Return a recipe's time, its score's name and its score, as its header has them.

    A score that was published, not measured here, is the target's, and there is no time; some
    papers publish no figure that dlzoo computes.
    """
    target = library.load(name).target
    if target is not None and target.published:
        bound = target.at_most if target.at_least is None else target.at_least
        return "", target.metric.replace("_", " "), f"{bound:g} (published)"
    text = library.path_of(name).read_text(encoding="utf-8")
    if target is None:
        return "", "", "no target"
    found = library.MEASURED.search(text)
    assert found is not None, f"{name}: no line 'Takes … on two CPU cores; test …'"
    return found[1], found[2], found[3]


def table() -> str:
    """Return the table as Markdown."""
    lines = [
        "| model | parameters | paper | recipe | test score | takes |",
        "|---|---:|---|---|---|---|",
    ]
    for name in list_models():
        found = card(name)
        paper = f"[{found.paper.authors.split(',')[0]} {found.paper.year}]({found.paper.url})"
        own = [entry.name for entry in library.entries(name)]
        for at, recipe in enumerate(own or [""]):
            takes, metric, score = measured(recipe) if recipe else ("", "", "")
            first = f"`{name}` | {found.parameters:,} | {paper}" if at == 0 else " | | "
            quoted = f"`{recipe}`" if recipe else ""
            lines.append(f"| {first} | {quoted} | {metric} {score} | {takes} |".replace("  ", " "))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
