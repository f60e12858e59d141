"""Run the application until interrupted: `python -m examples.maintenance --db tickets.db --port 8321`."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from examples.maintenance.server import serve
from examples.maintenance.store import Store


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.maintenance", description=__doc__)
    parser.add_argument("--db", type=Path, default=Path("tickets.db"), help="SQLite file, made if absent")
    parser.add_argument("--port", type=int, default=8321, help="0 picks a free one")
    parser.add_argument("--examples", action="store_true", help="put a few tickets into an empty database")
    options = parser.parse_args()
    if options.examples:
        Store(options.db).add_examples()
    with serve(options.db, options.port) as url:
        print(f"Maintenance tickets at {url} (stop with Ctrl-C)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
