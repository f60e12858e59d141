"""Start the web application: `python app.py`, then open the address that it prints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    """Read the options and serve the pages and the API until interrupted."""
    parser = argparse.ArgumentParser(
        prog="app.py", description="The pages and the API on one port; as `llava-agent serve --ui`."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on (7860)")
    parser.add_argument("--model", default="auto", help="a model of the policy, or a preset (auto)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for runs (runs)")
    parser.add_argument("--database", help="URL of the database (your own)")
    options = parser.parse_args()

    from llava_agent.commands.output import show_error
    from llava_agent.errors import LlavaAgentError
    from llava_agent.service.run import serve
    from llava_agent.service.settings import Settings

    photos = sorted((Path(__file__).parent / "examples" / "photos").glob("*.jpg"))
    try:
        serve(
            Settings(
                host=options.host,
                port=options.port,
                model=options.model,
                database=options.database,
                ui=True,
                runs=options.runs,
                examples=tuple(str(path) for path in photos),
            )
        )
    except LlavaAgentError as error:
        show_error(error, as_json=False)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
