"""Passwords: every byte counts, and none of them breaks anything."""

import time
import unicodedata

import pytest

from tests.routes import pages
from tests.routes.people import PASSWORD, Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


TWINS = {
    "beyond 72 bytes": ("a" * 72 + "X", "a" * 72 + "Y"),
    "beyond 72 bytes of emoji": ("😀" * 18 + "A", "😀" * 18 + "B"),
    "across the 72nd byte": ("a" * 71 + "é", "a" * 71 + "è"),
    "much longer": ("a" * 256, "a" * 255),
    "as long as can be": ("a" * 1023 + "b", "a" * 1024),
    "only the case": ("Correct horse", "correct horse"),
    "a space behind": ("correct horse", "correct horse "),
}


@pytest.mark.parametrize(("mine", "other"), TWINS.values(), ids=TWINS)
async def test_a_password_opens_its_account_and_its_twin_does_not(site, mine, other):
    ann = Person(site)
    ann.password = mine
    await ann.signs_up()
    assert (await ann.elsewhere().tries_to_sign_in()).status_code == 303
    assert (await ann.elsewhere().tries_to_sign_in(password=other)).status_code == 422


@pytest.mark.parametrize(("mine", "other"), TWINS.values(), ids=TWINS)
async def test_the_same_holds_when_a_password_is_changed(ann, mine, other):
    answer = await ann.post("/settings/password", {"current": PASSWORD, "new": mine})
    assert answer.status_code == 303
    for password, status in ((mine, 303), (other, 422), (PASSWORD, 422)):
        tried = await ann.elsewhere().tries_to_sign_in(password=password)
        assert tried.status_code == status
    wrong = await ann.post("/settings/password", {"current": other, "new": "another horse"})
    assert "not right" in pages.complaint(wrong.text, "current")


REFUSED = {
    "seven characters": ("sevench", "at least 8 characters"),
    "two emoji of eight bytes": ("😀" * 2, "at least 8 characters"),
    "none": ("", "at least 8 characters"),
    "1,025 bytes": ("a" * 1025, "at most 1,024 bytes"),
    "1,028 bytes of emoji": ("😀" * 257, "at most 1,024 bytes"),
    "longer once it is written out": ("\ufdfa" * 60, "at most 1,024 bytes"),
    "a NUL": ("abcdefgh\0x", "NUL"),
}


@pytest.mark.parametrize(("password", "why"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_a_password_is_refused_and_no_account_is_made(site, password, why):
    ann = Person(site)
    answer = await ann.tries_to_sign_up(password=password)
    assert answer.status_code == 422
    assert why in pages.complaint(answer.text, "password")
    assert pages.typed(answer.text, "name") == ann.name
    await ann.signs_up()  # the name and the address are still free


@pytest.mark.parametrize(("password", "why"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_a_password_does_not_become_one(ann, password, why):
    answer = await ann.post("/settings/password", {"current": PASSWORD, "new": password})
    assert answer.status_code == 422
    assert why in pages.complaint(answer.text, "new")
    assert (await ann.elsewhere().tries_to_sign_in()).status_code == 303


async def test_eight_characters_are_enough_whatever_their_bytes(site):
    ann = Person(site)
    ann.password = "пароль12"
    await ann.signs_up()
    await ann.elsewhere().signs_in()


@pytest.mark.parametrize("tail", ["\0x", "\0y", "\0"])
async def test_passwords_with_a_nul_are_never_taken_for_each_other(site, tail):
    ann = Person(site)
    ann.password = "abcdefgh"
    await ann.signs_up()
    assert (await ann.elsewhere().tries_to_sign_in(password="abcdefgh" + tail)).status_code == 422


async def test_however_a_keyboard_composes_its_letters_the_password_is_the_same(site):
    ann = Person(site)
    ann.password = unicodedata.normalize("NFD", "crème brûlée ①")
    await ann.signs_up()
    for form in ("NFC", "NFKC", "NFD"):
        again = unicodedata.normalize(form, "crème brûlée ①")
        assert (await ann.elsewhere().tries_to_sign_in(password=again)).status_code == 303


async def test_a_password_of_a_megabyte_is_refused_without_being_looked_at(site):
    ann = Person(site)
    body = "name=A&email=a%40b.example&password=" + "a" * 1_000_000
    form = {"content-type": "application/x-www-form-urlencoded"}
    started = time.perf_counter()
    answer = await ann.client.post("/sign-up", content=body, headers=form)
    assert answer.status_code == 413
    assert time.perf_counter() - started < 1  # 0.1 on a quiet machine


async def test_the_wrong_current_password_changes_nothing(ann):
    answer = await ann.post("/settings/password", {"current": "wrong horse", "new": "new horse 1"})
    assert answer.status_code == 422
    assert pages.complaint(answer.text, "current") == "The password is not right."
    assert await ann.is_signed_in()
    assert (await ann.elsewhere().tries_to_sign_in(password="new horse 1")).status_code == 422
    await ann.elsewhere().signs_in()
