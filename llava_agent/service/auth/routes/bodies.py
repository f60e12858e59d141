"""What the routes of accounts take."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Name = Annotated[str, Field(min_length=1, max_length=64)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]


class Body(BaseModel):
    """A JSON object without unknown keys."""

    model_config = ConfigDict(extra="forbid")


class Login(Body):
    name: Name
    password: Password


class NewPassword(Body):
    old: Password
    new: Password


class NewUser(Body):
    name: Name
    password: Password
    roles: list[str] = Field(min_length=1, max_length=6)
    department: str = Field("", max_length=64)
    tenant: str = Field("default", min_length=1, max_length=64)
    denied: list[str] = Field(default_factory=list, max_length=50)


class UserChange(Body):
    """What is left out stays as it is."""

    roles: list[str] | None = Field(None, min_length=1, max_length=6)
    department: str | None = Field(None, max_length=64)
    disabled: bool | None = None
    password: Password | None = None


class NewToken(Body):
    label: str = Field(min_length=1, max_length=100)
    roles: list[str] | None = Field(None, min_length=1, max_length=6)
    days: float | None = Field(None, gt=0, le=3650)
