"""`python -m training.render.equipment --count N --seed S --out DIR`"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from llava_agent.errors import LlavaAgentError
from training.render.equipment.writing import write_equipment


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.render.equipment",
        description="Render photos of equipment whose readings are known.",
    )
    parser.add_argument("--count", type=int, default=1000, help="how many scenes (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="which scenes (default: 0)")
    parser.add_argument(
        "--difficulty", type=float, default=0.5, help="0 good photos, 1 bad ones (default: 0.5)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for images/ and scenes.jsonl")
    chosen = parser.parse_args(arguments)
    try:
        index = write_equipment(chosen.count, chosen.seed, chosen.out, chosen.difficulty)
    except LlavaAgentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(index)
    return 0


if __name__ == "__main__":
    sys.exit(main())
