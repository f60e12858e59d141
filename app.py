"""Start the web page: `python app.py`, then open the address that it prints."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="app.py", description="One page over the same core as the command line."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on (7860)")
    parser.add_argument("--model", default="embedded", help="model preset (embedded)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for runs (runs)")
    options = parser.parse_args()

    import uvicorn

    from llava_agent.assembly import assemble
    from llava_agent.ui.server import web_app

    photos = sorted((Path(__file__).parent / "examples" / "photos").glob("*.jpg"))
    core = partial(assemble, options.model)
    app = web_app(core, options.runs.absolute(), [str(path) for path in photos])
    if options.host not in ("127.0.0.1", "localhost", "::1"):
        print("There is no login: whoever reaches this address can use the page.", file=sys.stderr)
    print(f"llava-agent listens on http://{options.host}:{options.port}", file=sys.stderr)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
