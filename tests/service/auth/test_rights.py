from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.gateway.principal import ROLES, Role
from llava_agent.service.auth.rights import DENIES, GRANTS, PERMISSIONS, rights

roles_ = st.frozensets(st.sampled_from(ROLES))
denied_ = st.frozensets(st.sampled_from(PERMISSIONS))


@given(roles_, denied_)
def test_a_denial_overrides_whatever_grants(roles: frozenset[Role], denied: frozenset[str]) -> None:
    held = rights(roles, denied)
    assert not held & denied
    for role in roles:
        assert not held & DENIES.get(role, frozenset())


@given(roles_, roles_)
def test_an_agent_never_has_more_than_its_user(user: frozenset[Role], agent: frozenset[Role]) -> None:
    assert rights(user) & rights(agent) <= rights(user)
    assert not rights({"agent_service"}) & {"approvals.decide", "users.manage", "tokens.own"}


@given(roles_)
def test_an_admin_reads_no_content(roles: frozenset[Role]) -> None:
    held = rights(roles | {"admin"})
    assert not held & {"content.read", "content.write", "runs.use"}
    assert "users.manage" in held or "agent_service" in roles


def test_every_role_and_permission_is_spoken_for() -> None:
    assert set(GRANTS) == set(ROLES)
    granted = frozenset().union(*GRANTS.values(), rights(()))
    assert granted == set(PERMISSIONS)


def test_an_unknown_role_is_a_failure() -> None:
    with pytest.raises(KeyError):
        rights(["root"])  # type: ignore[list-item]
