"""Users, sessions, keys and the lock against guessing, on each kind of database."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from llava_agent.database import Database
from llava_agent.errors import ConfigError
from llava_agent.service.auth import lockout as lock
from llava_agent.service.auth import passwords
from llava_agent.service.auth.identity import Identifier
from llava_agent.service.auth.lockout import Lockout
from llava_agent.service.auth.login import Door, TooManyGuesses, WrongPassword, first_admin
from llava_agent.service.auth.rights import rights
from llava_agent.service.auth.sessions import IDLE_S, LIFE_S, Sessions
from llava_agent.service.auth.tables import sessions, tokens, users
from llava_agent.service.auth.tokens import Tokens
from llava_agent.service.auth.users import Users
from llava_agent.service.errors import NotLoggedIn
from tests.service.serving import PASSWORD

SECRET = bytes(range(32))


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Accounts:
    database: Database
    clock: Clock
    users: Users
    sessions: Sessions
    tokens: Tokens
    door: Door


@pytest.fixture
def accounts(prepared: Database) -> Accounts:
    clock = Clock()
    people, open_ones = Users(prepared, clock), Sessions(prepared, clock)
    return Accounts(
        prepared,
        clock,
        people,
        open_ones,
        Tokens(prepared, SECRET, clock),
        Door(people, open_ones, Lockout(prepared, clock)),
    )


def test_a_user_is_kept_as_given(accounts: Accounts) -> None:
    added = accounts.users.add(
        " Maria ", PASSWORD, ["member", "approver"], department="qa", denied=["runs.use"]
    )
    found = accounts.users.find("maria")
    assert found == added
    assert found is not None and found.principal().department == "qa"
    assert "runs.use" not in rights(found.roles, found.denied)
    assert accounts.users.find("nobody-else") is None


@pytest.mark.parametrize(
    ("name", "password", "roles", "said"),
    [
        ("a b", PASSWORD, ["member"], "name of a user"),
        ("local", PASSWORD, ["member"], "name of a user"),
        ("ann", "short", ["member"], "12 to 256"),
        ("ann", "a" * 40, ["member"], "different"),
        ("ann", PASSWORD, ["root"], "no role 'root'"),
        ("ann", PASSWORD, [], "at least one role"),
        ("ann", PASSWORD, ["admin", "member"], "reads no content"),
    ],
)
def test_a_bad_account_is_refused(
    accounts: Accounts, name: str, password: str, roles: list[str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        accounts.users.add(name, password, roles)
    assert accounts.users.all() == []


def test_a_name_is_taken_once_and_the_last_admin_stays(accounts: Accounts) -> None:
    accounts.users.add("root", PASSWORD, ["admin"])
    with pytest.raises(ConfigError, match="already"):
        accounts.users.add("ROOT", PASSWORD, ["member"])
    for act in (lambda: accounts.users.disable("root"), lambda: accounts.users.set_roles("root", ["member"])):
        with pytest.raises(ConfigError, match="only admin"):
            act()
    accounts.users.add("second", PASSWORD, ["admin"])
    accounts.users.disable("root")
    with pytest.raises(ConfigError, match="no user"):
        accounts.users.disable("ghost")


def test_passwords_are_argon2_and_never_stored(accounts: Accounts) -> None:
    accounts.users.add("maria", PASSWORD, ["member"])
    stored = accounts.users.password_hash("maria")
    assert stored is not None and stored.startswith("$argon2id$") and PASSWORD not in stored
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(stored, PASSWORD + "x")
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("not a hash", PASSWORD)
    assert len({passwords.one_time() for _ in range(50)}) == 50


def test_a_session_opens_until_it_is_over(accounts: Accounts) -> None:
    accounts.users.add("maria", PASSWORD, ["member"])
    secret = accounts.door.log_in("Maria", PASSWORD)
    found = accounts.sessions.find(secret)
    assert found is not None and found.user.name == "maria" and found.csrf not in (secret, "")
    with accounts.database.reading() as connection:
        assert secret not in str(connection.execute(sa.select(sessions)).all())
    assert accounts.sessions.find(secret + "x") is None
    accounts.clock.now += IDLE_S - 1
    assert accounts.sessions.find(secret) is not None, "it was used in time"
    accounts.clock.now += IDLE_S + 1
    assert accounts.sessions.find(secret) is None, "nobody used it"


def test_a_session_that_is_used_all_the_time_still_ends(accounts: Accounts) -> None:
    accounts.users.add("maria", PASSWORD, ["member"])
    secret = accounts.door.log_in("maria", PASSWORD)
    until = accounts.clock.now + LIFE_S
    while accounts.clock.now < until:
        assert accounts.sessions.find(secret) is not None
        accounts.clock.now += IDLE_S / 2
    assert accounts.sessions.find(secret) is None


def test_sessions_end_with_log_out_a_new_password_and_a_shut_account(accounts: Accounts) -> None:
    accounts.users.add("maria", PASSWORD, ["member"])
    first, second = (accounts.door.log_in("maria", PASSWORD) for _ in range(2))
    accounts.sessions.end(first)
    assert accounts.sessions.find(first) is None and accounts.sessions.find(second) is not None
    accounts.door.change_password("maria", PASSWORD, "another long sentence")
    assert accounts.sessions.find(second) is None
    third = accounts.door.log_in("maria", "another long sentence")
    accounts.users.disable("maria")
    assert accounts.sessions.find(third) is None
    with pytest.raises(WrongPassword):
        accounts.door.log_in("maria", "another long sentence")


def test_a_key_is_shown_once_and_kept_as_an_hmac(accounts: Accounts) -> None:
    user = accounts.users.add("maria", PASSWORD, ["member"])
    key, token = accounts.tokens.create(user, "laptop")
    with accounts.database.reading() as connection:
        kept = str(connection.execute(sa.select(tokens)).all())
    assert key not in kept and key.split("_", 2)[2] not in kept
    found = accounts.tokens.find(key)
    assert found is not None and found[0] == user and found[1].id == token.id
    assert Tokens(accounts.database, b"other" * 8, accounts.clock).find(key) is None
    for wrong in (
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        key + "x",
        "",
        "la_x_y",
        f"la_{'0' * 12}_{'a' * 43}",
    ):
        assert accounts.tokens.find(wrong) is None


def test_keys_end(accounts: Accounts) -> None:
    user = accounts.users.add("maria", PASSWORD, ["member", "auditor"])
    short, _ = accounts.tokens.create(user, "short", days=1)
    gone, token = accounts.tokens.create(user, "gone")
    narrow, _ = accounts.tokens.create(user, "narrow", ["auditor"])
    accounts.tokens.revoke(token.id)
    assert accounts.tokens.find(gone) is None
    accounts.clock.now += 86401
    assert accounts.tokens.find(short) is None
    assert accounts.tokens.find(narrow) is not None
    accounts.users.set_roles("maria", ["member"])
    assert accounts.tokens.find(narrow) is None, "it was narrowed to a role that is gone"
    other, _ = accounts.tokens.create(user, "other")
    accounts.users.disable("maria")
    assert accounts.tokens.find(other) is None
    with pytest.raises(ConfigError, match="no API key"):
        accounts.tokens.revoke("ffffffffffff")


def test_a_key_is_never_wider_than_its_user(accounts: Accounts) -> None:
    user = accounts.users.add("maria", PASSWORD, ["approver"])
    with pytest.raises(ConfigError, match="does not hold the role 'admin'"):
        accounts.tokens.create(user, "x", ["admin"])
    key, _ = accounts.tokens.create(user, "robot", ["agent_service"])
    identity = Identifier(accounts.tokens, accounts.sessions, login=True).of(
        {"authorization": f"Bearer {key}"}
    )
    # An agent may use models, this user may not: so an agent of this user may not either.
    assert not identity.may("models.use") and not identity.may("approvals.decide")
    assert identity.principal.roles == {"agent_service"} and identity.principal.key


def test_only_a_good_key_or_session_is_somebody(accounts: Accounts) -> None:
    strict = Identifier(accounts.tokens, accounts.sessions, login=True)
    assert strict.of({}).by == "nobody" and strict.of({"cookie": "llava_agent_session=zzz"}).by == "nobody"
    for header in ("Bearer sk-none", "Bearer ", "Basic bWFyaWE6eA=="):
        with pytest.raises(NotLoggedIn):
            strict.of({"authorization": header})
    own = Identifier(accounts.tokens, accounts.sessions, login=False)
    assert own.of({"authorization": "Bearer sk-none"}).principal.user == "local"
    assert not own.of({}).may("users.manage")


def test_guessing_waits_longer_each_time(accounts: Accounts) -> None:
    accounts.users.add("maria", PASSWORD, ["member"])
    for name in ("maria", "ghost"):  # a name that is not there behaves the same
        for _ in range(lock.FREE):
            with pytest.raises(WrongPassword):
                accounts.door.log_in(name, "wrong")
        with pytest.raises(TooManyGuesses) as first:
            accounts.door.log_in(name, PASSWORD)
        assert first.value.seconds == lock.FIRST_S
        accounts.clock.now += lock.FIRST_S
        with pytest.raises(WrongPassword):
            accounts.door.log_in(name, "wrong")
        with pytest.raises(TooManyGuesses) as second:
            accounts.door.log_in(name, "wrong")
        assert second.value.seconds == 2 * lock.FIRST_S
    for _ in range(40):
        accounts.door.lockout.wrong("maria")
    assert accounts.door.lockout.wait("maria") == lock.LONGEST_S
    accounts.clock.now += lock.LONGEST_S
    assert accounts.door.log_in("maria", PASSWORD)
    assert accounts.door.lockout.wait("maria") == 0


def test_guesses_side_by_side_are_all_counted(accounts: Accounts) -> None:
    threads = [threading.Thread(target=accounts.door.lockout.wrong, args=("maria",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accounts.door.lockout.wait("maria") == lock.FIRST_S * 2 ** (8 - lock.FREE)


def test_the_first_start_makes_an_admin_once(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    password = first_admin(accounts.users)
    assert password is not None
    found = accounts.sessions.find(accounts.door.log_in("admin", password))
    assert found is not None and found.user.must_change and found.user.roles == {"admin"}
    assert first_admin(accounts.users) is None
    with accounts.database.writing() as connection:
        connection.execute(sessions.delete())
        connection.execute(users.delete())
    monkeypatch.setenv("LLAVA_AGENT_ADMIN_PASSWORD", PASSWORD)
    assert first_admin(accounts.users) is None
    assert accounts.door.log_in("admin", PASSWORD)
