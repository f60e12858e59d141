"""`llava-agent gateway explain` and `gateway policy check`: what the policy decides, whether it is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import note, print_json, say

if TYPE_CHECKING:
    from llava_agent.gateway.principal import Role

PolicyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Policy in place of the one in force (LLAVA_AGENT_POLICY)."),
]

policy = typer.Typer(help="The policy that decides every model call.", no_args_is_help=True)


@policy.callback()
def common() -> None:
    pass


def explain(
    request: Annotated[Path, typer.Argument(metavar="REQUEST.json", help="A chat request in OpenAI's form.")],
    user: Annotated[str, typer.Option(help="On whose behalf.")] = "local",
    department: Annotated[str, typer.Option(help="Of the user.")] = "",
    role: Annotated[list[str] | None, typer.Option(help="Of the user; may be given several times.")] = None,
    step: Annotated[str | None, typer.Option(help="Kind of step, such as plan or perceive.")] = None,
    data_class: Annotated[str | None, typer.Option(help="Of the messages: public to restricted.")] = None,
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="As for `ask`.")] = "auto",
    policy_file: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Say which model would take a request, and of every other why not. Nothing is sent anywhere.

    Exit code 1 where no model may and can.

    \b
    Examples:
      llava-agent gateway explain request.json
      llava-agent gateway explain request.json --user ann --role member --data-class confidential --json
      llava-agent gateway explain request.json --policy-file configs/policy/field-staff.yaml
    """
    from llava_agent.assembly import explaining
    from llava_agent.gateway.explain import explanation, read_request
    from llava_agent.gateway.principal import Principal

    if policy_file is not None:
        use(policy_file)
    principal = Principal(user, department, _roles(role or ["member"]))
    asked = read_request(request, principal, step, data_class)
    found = explanation(explaining(model), asked)
    if as_json:
        print_json(found)
    else:
        _print(found)
    raise typer.Exit(0 if found["model"] else 1)


@policy.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The policy.")],
    as_json: AsJson = False,
) -> None:
    """Check a policy: unknown keys, roles, classes and models, and what is permitted but hardly meant.

    Exit code 2 where it is wrong; warnings leave it at 0.

    \b
    Examples:
      llava-agent gateway policy check my-policy.yaml
      llava-agent gateway policy check configs/policy/default.yaml --json
    """
    from llava_agent.gateway.policy import load_policy, warnings_of

    found = load_policy(file)
    warnings = warnings_of(found)
    if as_json:
        models = {name: {"leaves_machine": entry.leaves_machine} for name, entry in found.models.items()}
        print_json({"version": found.version_hash, "models": models, "warnings": warnings})
        return
    say(f"{file}: right; {len(found.models)} models, {len(found.rules)} rules, version {found.version_hash}")
    for warning in warnings:
        note(f"  ! {warning}")


def learn(
    days: Annotated[int, typer.Option(min=1, help="How far back the ledger is read.")] = 30,
    policy_file: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Propose preferences from the ledger: success, cost and time by model and kind of step.

    Prints a diff of the policy and its expected effect. Nothing is changed; apply what you agree with.

    \b
    Examples:
      llava-agent gateway learn
      llava-agent gateway learn --days 7 --json
    """
    from dataclasses import asdict
    from datetime import UTC, datetime, timedelta

    from llava_agent.database import open_database
    from llava_agent.gateway.learn import ENOUGH, diff, proposals
    from llava_agent.gateway.place import policy_path
    from llava_agent.gateway.policy import load_policy
    from llava_agent.gateway.usage import usage_by

    if policy_file is not None:
        use(policy_file)
    path = policy_path()
    usage = usage_by(open_database(), ("model", "kind"), datetime.now(UTC) - timedelta(days=days))
    found = proposals(usage, load_policy(path))
    change = diff(path.read_text(encoding="utf-8"), path.name, found)
    if as_json:
        print_json({"days": days, "proposals": [asdict(one) for one in found], "diff": change})
        return
    if not found:
        say(f"Nothing to propose: it takes {ENOUGH} calls of two models for the same kind of step.")
        return
    say(change)
    for one in found:
        money = f", {one.cost} a call" if one.cost is not None else ""
        say(
            f"{one.step}: {one.entry} in place of {one.instead_of}: {one.success:+.1%} success, "
            f"{one.ms:+.0f} ms{money} (from {one.calls} calls)"
        )


def use(path: Path) -> None:
    """Put a policy in force for the rest of this process.

    Raises:
        ConfigError: there is no such file.
    """
    import os

    from llava_agent.gateway.place import POLICY, policy_path

    os.environ[POLICY] = str(path)
    policy_path()


def _roles(names: list[str]) -> frozenset[Role]:
    from llava_agent.errors import ConfigError
    from llava_agent.gateway.principal import ROLES

    for name in names:
        if name not in ROLES:
            raise ConfigError(f"there is no role {name!r}", f"one of {', '.join(ROLES)}")
    return frozenset(role for role in ROLES if role in names)


def _print(found: dict[str, object]) -> None:
    from rich.console import Console
    from rich.table import Table

    sources = found["sources"]
    assert isinstance(sources, list)
    say(f"a {found['step_kind']} step with {found['data_class']} data ({', '.join(sources)})")
    table = Table("model", "verdict", "reason", box=None)
    candidates = found["candidates"]
    assert isinstance(candidates, list)
    for one in candidates:
        table.add_row(one["model"], one["verdict"], one["reason"])
    Console(highlight=False).print(table)
    say(f"policy {found['policy']}")
