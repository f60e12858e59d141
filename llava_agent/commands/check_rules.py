"""`llava-agent check rules`: what a folder of images must and must not show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llava_agent.commands.check import Junit, Report, check, finish, show
from llava_agent.commands.options import AsJson, Preset


@check.command("rules")
def rules(
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="YAML file with the rules.")],
    images: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of photos or product images.")],
    about: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV, JSON or YAML with a column `image`; descriptions.* in the folder where not given.",
        ),
    ] = None,
    report: Report = None,
    junit: Junit = None,
    model: Preset = "auto",
    as_json: AsJson = False,
) -> None:
    """Check images and their descriptions against rules: one verdict for each image and rule.

    Exit codes as those of `check`.

    \b
    A rule file:
      name: nameplates
      rules:
        - name: a serial number
          expect: {pattern: "SN-#####"}
        - name: the serial number of its record
          expect: {shows: "{serial}"}
        - name: large enough to be zoomed
          size: [800, 800]

    \b
    Examples:
      llava-agent check rules nameplates.yaml photos/ --about records.csv --report report
    """
    from llava_agent.checks.rules.descriptions import NAMES, read_descriptions
    from llava_agent.checks.rules.rulebook import read_rules
    from llava_agent.checks.rules.run import run_rules

    book = read_rules(rules)
    table = about or next((images / name for name in NAMES if (images / name).is_file()), None)
    described = read_descriptions(table) if table else {}
    ask = None
    if any(rule.expect and "asks" in rule.expect for rule in book.rules):
        from llava_agent.assembly import assemble
        from llava_agent.checks.model import ask_with

        ask = ask_with(assemble(model))
    finish(run_rules(book, images, described, ask, progress=show), report, junit, as_json)
