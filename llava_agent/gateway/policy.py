"""The policy of an installation: which models there are, who may use them for what, and what it may cost.

One strict YAML file. A rule allows, denies or prefers models where all its conditions hold; a denial
overrides every permission, and what no rule allows is denied.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from llava_agent.gateway.data_class import DATA_CLASSES, DataClass, highest, rank
from llava_agent.gateway.guards.settings import GuardSettings
from llava_agent.gateway.model import Price, Tier
from llava_agent.gateway.principal import Principal, Role
from llava_agent.gateway.request import StepKind
from llava_agent.strict_yaml import YamlError, checked, line_of, parse_mapping, read_text

#: What a request may need of a model.
Capability = Literal["vision", "tools", "json_schema"]

#: Whose money a budget is.
Scope = Literal["everyone", "department", "user", "key", "run"]

#: How long an account of a budget lasts (in UTC); `total` never starts anew.
Period = Literal["day", "month", "total"]

MILLION = Decimal(1_000_000)


def _exact(value: object) -> object:
    """A YAML float is not what was written, and money has to be."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError('write the amount in quotes, such as "2.50"')
    try:
        amount = Decimal(value)
    except ArithmeticError:
        raise ValueError(f"{value!r} is no amount") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("an amount is 0 or more")
    return amount


Money = Annotated[Decimal, BeforeValidator(_exact)]
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Prices(_Strict):
    """What an entry costs, in the policy's currency. Models on this machine cost seconds of it."""

    per_million_prompt_tokens: Money = Decimal(0)
    per_million_output_tokens: Money = Decimal(0)
    per_second: Money = Decimal(0)

    def price(self) -> Price:
        return Price(
            self.per_million_prompt_tokens / MILLION,
            self.per_million_output_tokens / MILLION,
            self.per_second,
        )


class ServerEntry(_Strict):
    """A server with an OpenAI-compatible API.

    Attributes:
        base_url: up to and including `/v1`.
        model: the name that the server knows.
        api_key_env: environment variable that holds the key.
        seconds: longest wait for an answer.
    """

    base_url: str = Field(pattern=r"^https?://")
    model: str = Field(min_length=1)
    api_key_env: str | None = None
    seconds: float = Field(default=120.0, gt=0, strict=False)


class ModelEntry(_Strict):
    """A model that the policy knows: a preset by name or file, or a server.

    Attributes:
        vision, tools, json_schema: what it can do; None takes what the preset says.
        context: most tokens of prompt and answer together; None where there is no limit worth knowing.
        image_tokens: most tokens that one image can cost, for estimates.
        quality: 1 small, 2 medium, 3 large.
        price: None means unknown, and whoever has a budget may not use it.
        leaves_machine: what is sent leaves this machine; must be said of every server elsewhere.
        typical_ms: what a call takes, for latency targets.
    """

    preset: str | None = None
    server: ServerEntry | None = None
    vision: bool | None = None
    tools: bool = True
    json_schema: bool = True
    context: int | None = Field(default=None, ge=1)
    image_tokens: int = Field(default=3000, ge=0)
    quality: int = Field(default=1, ge=1, le=3)
    price: Prices | None = None
    leaves_machine: bool = False
    typical_ms: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_origin(self) -> ModelEntry:
        if (self.preset is None) == (self.server is None):
            raise ValueError("name either a preset or a server")
        return self


class Step(_Strict):
    """What a kind of step needs at least.

    Attributes:
        tier: `vision` for steps that are about pixels.
        quality: least quality of the model.
        within_ms: latency target; models that typically take longer come after those that do not.
    """

    tier: Tier = "text"
    quality: int = Field(default=1, ge=1, le=3)
    within_ms: int | None = Field(default=None, ge=1)


class Condition(_Strict):
    """When a rule holds: everything that is given must be so. An empty condition always holds.

    Attributes:
        step: kinds of step.
        data_class: classes of the request; `at_most` and `at_least` give a range instead.
        user, department, key, role: who asks; one of the names, one of the roles.
        needs: the request needs all of these.
        tier, leaves_machine, quality_at_least: of the model.
        named: the user named this very model's preset, which the policy does not list.
    """

    step: Annotated[tuple[StepKind, ...], Field(strict=False)] = ()
    data_class: Annotated[tuple[DataClass, ...], Field(strict=False)] = ()
    at_most: DataClass | None = None
    at_least: DataClass | None = None
    user: Names | None = None
    department: Names | None = None
    key: Names | None = None
    role: Annotated[tuple[Role, ...], Field(strict=False)] = ()
    needs: Annotated[tuple[Capability, ...], Field(strict=False)] = ()
    tier: Tier | None = None
    leaves_machine: bool | None = None
    quality_at_least: int | None = Field(default=None, ge=1, le=3)
    named: bool | None = None

    def holds_for(
        self, step: StepKind, data_class: DataClass, principal: Principal, needs: frozenset[Capability]
    ) -> bool:
        """Whether the part about the request holds."""
        return (
            (not self.step or step in self.step)
            and (not self.data_class or data_class in self.data_class)
            and (self.at_most is None or rank(data_class) <= rank(self.at_most))
            and (self.at_least is None or rank(data_class) >= rank(self.at_least))
            and (self.user is None or principal.user in self.user)
            and (self.department is None or principal.department in self.department)
            and (self.key is None or principal.key in self.key)
            and (not self.role or not principal.roles.isdisjoint(self.role))
            and needs.issuperset(self.needs)
        )


class Rule(_Strict):
    """One rule. Exactly one of `allow`, `ask`, `deny`, `prefer` is given: names of models, or `all`.

    Attributes:
        name: for reasons and records.
        ask: permitted, but each call waits for a person's approval.
        weight: of a preference; models with a larger sum are asked first, whatever they cost.
    """

    name: str = Field(min_length=1)
    allow: Names | Literal["all"] | None = None
    ask: Names | Literal["all"] | None = None
    deny: Names | Literal["all"] | None = None
    prefer: Names | Literal["all"] | None = None
    weight: int = Field(default=1, ge=-100, le=100)
    when: Condition = Condition()

    @model_validator(mode="after")
    def _one_effect(self) -> Rule:
        given = [one for one in (self.allow, self.ask, self.deny, self.prefer) if one is not None]
        if len(given) != 1:
            raise ValueError("a rule has exactly one of allow, ask, deny and prefer")
        if self.prefer is None and "weight" in self.model_fields_set:
            raise ValueError("weight goes with prefer only")
        return self

    @property
    def models(self) -> tuple[str, ...] | Literal["all"]:
        found = self.allow or self.ask or self.deny or self.prefer
        assert found is not None
        return found

    @property
    def permits(self) -> bool:
        return self.allow is not None or self.ask is not None


class Budget(_Strict):
    """Most that may be spent.

    Attributes:
        who: names of users, departments or keys; `all` gives each of them this much.
    """

    scope: Scope
    who: Names | Literal["all"] = "all"
    limit: Money
    per: Period = "total"

    @model_validator(mode="after")
    def _fits_scope(self) -> Budget:
        if self.scope in ("run", "everyone") and self.who != "all":
            raise ValueError(f"a budget of the scope {self.scope} names nobody")
        return self


class Fallback(_Strict):
    """How failures are met.

    Attributes:
        attempts: most calls to one model for one request; only what may pass is tried again.
        deadline_seconds: no call begins after this, counted from the request.
        wait_seconds: before the second attempt, doubled each time; a server's Retry-After comes first.
    """

    attempts: int = Field(default=2, ge=1, le=5)
    deadline_seconds: float = Field(default=120.0, gt=0, strict=False)
    wait_seconds: float = Field(default=0.5, ge=0, strict=False)


class BreakerSettings(_Strict):
    """When a deployment is left alone: so many failures in a row, or half of the last so many calls."""

    in_a_row: int = Field(default=5, ge=1)
    of_last: int = Field(default=20, ge=2)
    open_seconds: float = Field(default=30.0, gt=0, strict=False)


class ImageUrls(_Strict):
    """Addresses of images in requests. By default none is fetched: images come as `data:` URLs.

    Attributes:
        origins: servers that may be asked, such as `https://photos.example.org`; exactly these, and only at
            public addresses.
        megabytes, megapixels: largest image.
        seconds: longest wait for one.
    """

    origins: Annotated[tuple[str, ...], Field(strict=False)] = ()
    megabytes: float = Field(default=10.0, gt=0, le=200, strict=False)
    megapixels: float = Field(default=20.0, gt=0, le=40, strict=False)
    seconds: float = Field(default=10.0, gt=0, le=120, strict=False)


class Approvals(_Strict):
    """How a person is asked where a rule or a guard says `ask`.

    Attributes:
        role: whoever decides must have it, and must not be the one who asked.
        minutes: how long an approval can be given and used.
        wait_seconds: how long a call waits for the decision before it is refused; asked again in the same
            words by the same caller, it goes through once it was approved.
    """

    role: Role = "approver"
    minutes: float = Field(default=15.0, gt=0, le=24 * 60, strict=False)
    wait_seconds: float = Field(default=0.0, ge=0, strict=False)


class Policy(_Strict):
    """The whole file.

    Attributes:
        currency: of prices and budgets, only shown.
        models: by the name that rules use. Its tiers are called `NAME-text` and `NAME-vision`.
        steps: what each kind of step needs; a kind that is not named needs nothing.
        budgets: all that apply to a call must have room for it.
        tier_only_rises: once a run needed the vision tier, its later steps stay there.
        guards: what is looked for in every call, and what is done about it (`gateway/guards/settings.py`).
        image_urls: whether addresses of images are fetched, and from where.
        approvals: how a person is asked where a rule or a guard says `ask`.
        audit: put each call on record before it is made; where that cannot be done, it is refused.
        declassifiers: roles that may lower the class of a request, on the record.
    """

    version: Literal[1]
    currency: str = "EUR"
    models: dict[str, ModelEntry]
    steps: dict[StepKind, Step] = {"perceive": Step(tier="vision")}
    rules: Annotated[tuple[Rule, ...], Field(strict=False)]
    budgets: Annotated[tuple[Budget, ...], Field(strict=False)] = ()
    fallback: Fallback = Fallback()
    breaker: BreakerSettings = BreakerSettings()
    tier_only_rises: bool = False
    guards: GuardSettings = GuardSettings()
    image_urls: ImageUrls = ImageUrls()
    approvals: Approvals = Approvals()
    audit: bool = False
    declassifiers: Annotated[tuple[Role, ...], Field(strict=False)] = ("policy_officer",)

    @model_validator(mode="after")
    def _names_what_it_knows(self) -> Policy:
        if not self.models:
            raise ValueError("the policy knows no model; name at least one under models")
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rules are called {twice[0]!r}")
        for rule in self.rules:
            for name in rule.models if rule.models != "all" else ():
                if name not in self.models:
                    raise ValueError(f"the rule {rule.name!r} names the model {name!r}, {self._near(name)}")
        if not any(rule.permits for rule in self.rules):
            raise ValueError("no rule allows anything, so every request would be refused")
        return self

    def _near(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.models, n=1)
        known = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(self.models)}"
        return f"which the policy does not know; {known}"

    @cached_property
    def version_hash(self) -> str:
        """SHA-256 of what the policy says, comments and order of keys left out; the first 16 hex digits."""
        import rfc8785

        content: Any = self.model_dump(mode="json")
        return hashlib.sha256(rfc8785.dumps(content)).hexdigest()[:16]

    def step(self, kind: StepKind) -> Step:
        return self.steps.get(kind, _ANY_STEP)


_ANY_STEP = Step()


def load_policy(path: Path) -> Policy:
    """Read and check a policy.

    Raises:
        ConfigError: an unknown key, class, role or model, a bad value, or a policy that permits nothing.
    """
    return parse_policy(read_text(path), path)


def parse_policy(text: str, path: Path) -> Policy:
    """As `load_policy`, from a text that errors call `path`; they know the line."""
    policy: Policy = checked(parse_mapping(text, path), Policy, path, text)
    _check_servers(path, policy, text)
    return policy


def _check_servers(path: Path, policy: Policy, text: str) -> None:
    """Addresses must be such, and a server that is not this machine has to be said to be none."""
    from llava_agent.egress import Origin

    for url in policy.image_urls.origins:
        Origin.of(url)
    for name, entry in policy.models.items():
        if entry.server is not None and not entry.leaves_machine:
            origin = Origin.of(entry.server.base_url)
            if not origin.here:
                raise YamlError(
                    f"{path}: models.{name}: {origin} is not this machine, so what is sent leaves it",
                    "set `leaves_machine: true` there if that is meant",
                    line_of(text, ("models", name)),
                )


def warnings_of(policy: Policy) -> list[str]:
    """What is permitted, but probably not meant."""
    found = []
    allowed = _allowed(policy)
    found += [f"no rule allows the model {name!r}" for name in policy.models if name not in allowed]
    for rule in policy.rules:
        if rule.when.at_most and rule.when.at_least and rank(rule.when.at_most) < rank(rule.when.at_least):
            found.append(f"the rule {rule.name!r} can never hold: at_most is below at_least")
    if policy.budgets:
        found += [
            f"the model {name!r} has no price, so it is refused to whoever has a budget"
            for name, entry in policy.models.items()
            if entry.price is None
        ]
    leaving = [name for name, entry in policy.models.items() if entry.leaves_machine and name in allowed]
    for rule in policy.rules:
        reach = set(leaving) if rule.models == "all" else set(leaving) & set(rule.models)
        if rule.allow is not None and reach and rule.when.leaves_machine is not False and not _bounded(rule):
            found.append(
                f"the rule {rule.name!r} lets data of every class leave this machine "
                f"({', '.join(sorted(reach))}); bound it with at_most"
            )
    return found


def _allowed(policy: Policy) -> set[str]:
    names: set[str] = set()
    for rule in policy.rules:
        if rule.permits:
            names |= set(policy.models) if rule.models == "all" else set(rule.models)
    return names


def _bounded(rule: Rule) -> bool:
    classes: Iterable[DataClass] = rule.when.data_class or DATA_CLASSES
    most = rule.when.at_most or highest(classes)
    return rank(most) < rank("restricted") or rule.when.named is True
