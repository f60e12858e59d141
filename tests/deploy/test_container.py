"""The container and compose files: what they promise, checked against the code that they start.

There is no daemon where the tests run, so nothing is built here; `docs/deploy.md` says what was tried.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def instructions(word: str) -> list[str]:
    """The arguments of an instruction, continued lines joined."""
    joined = CONTAINER.replace("\\\n", " ")
    return re.findall(rf"^{word} (.*)$", joined, re.MULTILINE)


def final_stage() -> str:
    return CONTAINER[CONTAINER.rindex("\nFROM ") :]


def environment() -> dict[str, str]:
    (line,) = [one for one in instructions("ENV") if "LLAVA_AGENT_HOME" in one]
    return dict(word.split("=", 1) for word in shlex.split(line))


def test_it_runs_as_nobody_in_particular() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert final_stage().index("\nUSER ") < final_stage().index("\nENTRYPOINT ")
    assert "chown" not in CONTAINER and "chmod 777" not in CONTAINER


def test_no_secret_can_come_into_a_layer() -> None:
    secret = re.compile(r"password|secret|master_key|token|api_?key", re.IGNORECASE)
    assert not [one for one in (*instructions("ENV"), *instructions("ARG")) if secret.search(one)]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*" and {"**/.env*", "**/*.key", "**/*.pem", "**/*.db"} <= set(rules)
    copied = {
        source for one in instructions("COPY") if not one.startswith("--from") for source in one.split()[:-1]
    }
    assert {f"!{source}" for source in copied} == {rule for rule in rules if rule.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)


def test_each_variable_is_one_that_the_product_reads() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "llava_agent").rglob("*.py"))
    code += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tools").rglob("*.py"))
    given = {*environment(), *COMPOSE["services"]["app"]["environment"]}
    assert {name for name in given if name.startswith("LLAVA_AGENT_") and f'"{name}"' not in code} == set()


def test_the_command_is_one_that_the_product_takes() -> None:
    from llava_agent.cli import app

    (words,) = instructions("CMD")[-1:]
    command = yaml.safe_load(words)
    assert command[0] == "serve"
    options = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).stdout
    for word in command:
        assert not word.startswith("--") or word in options, word
    assert command[command.index("--host") + 1] == "0.0.0.0"  # so that everybody has to log in


def test_health_is_asked_where_the_server_answers(tmp_path: Path) -> None:
    from tests.service.serving import application, running

    health = instructions("HEALTHCHECK")[0]
    (path,) = re.findall(r"127\.0\.0\.1:8080(/\w+)", health)
    (check,) = yaml.safe_load(health[health.index("[") :])[2:]
    with (
        pytest.MonkeyPatch.context() as patch,
        running(application(tmp_path, names=("desk.example",))) as url,
    ):
        patch.setenv("no_proxy", "*")
        exec(check.replace("http://127.0.0.1:8080", url))
        with pytest.raises(OSError):
            exec(check.replace(f"http://127.0.0.1:8080{path}", f"{url}/nothing"))


def test_compose_starts_the_database_first_and_shows_it_to_nobody() -> None:
    app, database = COMPOSE["services"]["app"], COMPOSE["services"]["database"]
    assert app["depends_on"]["database"]["condition"] == "service_healthy" and "pg_isready" in str(database)
    assert "ports" not in database and database["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert all(port.startswith("127.0.0.1:") for port in app["ports"])


def test_only_the_two_folders_and_tmp_can_be_written() -> None:
    app = COMPOSE["services"]["app"]
    assert app["read_only"] is True and app["cap_drop"] == ["ALL"]
    places = [one.split(":")[1] for one in app["volumes"]] + [one.split(":")[0] for one in app["tmpfs"]]
    written = [environment()[name] for name in ("HOME", "LLAVA_AGENT_CONFIG", "MPLCONFIGDIR")]
    written += re.findall(r'"--(?:files|runs)", "([^"]+)"', instructions("CMD")[-1])
    written.append(environment()["LLAVA_AGENT_DATABASE"].removeprefix("sqlite:///"))
    for path in written:
        assert any(Path(path).is_relative_to(place) for place in places), path
    names = {one.split(":")[0] for service in COMPOSE["services"].values() for one in service["volumes"]}
    assert names == set(COMPOSE["volumes"])


def test_the_password_comes_from_outside() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+):\?", text)) == {"POSTGRES_PASSWORD"}
    assert not re.search(r"PASSWORD: (?!\$\{)", text)
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
