"""So many in so many seconds."""

import pytest

from chatapp.clock import HeldClock, SystemClock
from chatapp.errors import TooMany
from chatapp.limits import Limits, Rate, address_key

RATE = Rate("knock", 10, 60)


@pytest.fixture
def clock():
    return HeldClock()


def taken(limits, key, tries, rate=RATE):
    return sum(limits.wait(rate, key) == 0 for _ in range(tries))


def test_so_many_are_free_at_once_and_no_more(clock):
    limits = Limits(clock)
    assert taken(limits, "ann", 50) == 10


def test_what_was_spent_comes_back_evenly(clock):
    limits = Limits(clock)
    taken(limits, "ann", 10)
    assert limits.wait(RATE, "ann") == pytest.approx(6, abs=0.01)
    clock.advance(5.9)
    assert taken(limits, "ann", 5) == 0, "asking in vain costs nothing"
    clock.advance(0.2)
    assert taken(limits, "ann", 5) == 1
    clock.advance(18)
    assert taken(limits, "ann", 5) == 3
    clock.advance(10_000)
    assert taken(limits, "ann", 50) == 10, "and no more than that is saved up"


def test_the_wait_told_is_long_enough(clock):
    limits = Limits(clock)
    taken(limits, "ann", 13)
    clock.advance(limits.wait(RATE, "ann"))
    assert limits.wait(RATE, "ann") == 0


def test_keys_and_rates_do_not_share(clock):
    limits = Limits(clock)
    taken(limits, "ann", 10)
    assert taken(limits, "bob", 20) == 10
    assert taken(limits, "ann", 20, Rate("ring", 5, 60)) == 5


def test_a_factor_multiplies_every_count(clock):
    limits = Limits(clock, factor=3)
    assert taken(limits, "ann", 100) == 30
    assert limits.wait(RATE, "ann") == pytest.approx(2, abs=0.01)


def test_too_many_is_told_with_the_seconds_to_wait(clock):
    limits = Limits(clock)
    for _ in range(10):
        limits.take(RATE, "ann")
    with pytest.raises(TooMany) as refusal:
        limits.take(RATE, "ann")
    assert refusal.value.retry_after == pytest.approx(6, abs=0.01)
    assert "6 s" in refusal.value.sentence
    assert refusal.value.status == 429


def test_the_table_is_bounded_and_forgets_the_idle_first(clock):
    limits = Limits(clock, capacity=100)
    taken(limits, "busy", 10)
    for n in range(99):
        limits.wait(RATE, n)
    clock.advance(6)
    limits.take(RATE, "busy")
    for n in range(1000, 1099):
        limits.wait(RATE, n)
    assert len(limits._free_at) == 100
    assert limits.wait(RATE, "busy") > 0, "it was in use"
    assert taken(limits, 0, 50) == 10


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
    ],
)
def test_one_household_counts_once(first, second):
    assert address_key(first) == address_key(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8:1:2::1", "2001:db8:1:3::1"), ("10.1.2.3", "10.1.2.4"), ("", "testclient")],
)
def test_two_households_count_twice(first, second):
    assert address_key(first) != address_key(second)


def test_clocks_go_forward():
    real = SystemClock()
    assert real.monotonic() <= real.monotonic()
    assert real.wall() > 1_700_000_000
