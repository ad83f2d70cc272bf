"""Write the stage tables of all models to zoo/anatomy/stages.json.

python -m tools.stages
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tools.outline import network
from zoo.anatomy.stages import FILE, stages
from zoo.base.files import write_text
from zoo.catalog import CARDS


def write(path: Path = FILE) -> None:
    """Build every model of the catalogue and write its stages, one per line."""
    tables = []
    for card in CARDS:
        rows = [
            "  " + json.dumps(dataclasses.asdict(stage), ensure_ascii=False)
            for stage in stages(network(card.name))
        ]
        tables.append(f" {json.dumps(card.name)}: [\n" + ",\n".join(rows) + "\n ]")
    write_text(path, "{\n" + ",\n".join(tables) + "\n}\n")


if __name__ == "__main__":
    write()
