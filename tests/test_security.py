"""What a seal promises, whatever the clocks of the processes say that share its key."""

import time

import pytest

from chatapp.security import Seal

KEY = "4f9d3b7c1e6a8052" * 4
HOUR = 3600


def a_seal(*keys: str, purpose: str = "session") -> Seal:
    return Seal(keys or (KEY,), purpose, max_age=2 * HOUR)


@pytest.fixture
def shift(monkeypatch):
    """shift(3600): from now on it is an hour later."""
    right = time.time

    def by(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: right() + seconds)

    return by


def test_what_was_sealed_can_be_opened_until_it_is_too_old(shift):
    sealed = a_seal().seal("token")
    assert a_seal().open(sealed) == "token"
    shift(2 * HOUR - 10)
    assert a_seal().open(sealed) == "token"
    shift(2 * HOUR + 10)
    assert a_seal().open(sealed) is None


@pytest.mark.parametrize("ahead", [2, HOUR])
def test_what_a_process_sealed_whose_clock_is_ahead_can_be_opened(shift, ahead):
    shift(ahead)
    sealed = a_seal().seal("token")
    shift(0)
    assert a_seal().open(sealed) == "token"


def test_nothing_else_can_be_opened():
    sealed = a_seal().seal("token")
    assert a_seal("another key, of some length").open(sealed) is None
    assert a_seal(purpose="invitation").open(sealed) is None
    for nonsense in ("", "token", sealed[:-1], "x" + sealed, "\ud800", "a.b.c"):
        assert a_seal().open(nonsense) is None, ascii(nonsense)
