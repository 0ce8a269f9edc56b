"""What people type, made regular or refused."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.domain import text
from chatapp.errors import Invalid
from chatapp.tables import MESSAGE_BYTES, MESSAGE_CHARACTERS

FAMILY = "👨‍👩‍👧‍👦"
PERSIAN = "می‌خواهم"
# Each shows nothing, though str.strip() empties hardly any of them.
BLANKS = [
    *"\u200b\u200d\u2060\ufeff\u00ad\u200e\u180e\u2800\u3164\u00a0\u3000\u034f\uffa0\ufe0f\u115f",
    "\n\n",
    " \t ",
    "\u200b\u2060\u200d",
    "",
]


def code(check, typed):
    with pytest.raises(Invalid) as refusal:
        check(typed)
    assert len(refusal.value.fields) == 1
    return refusal.value.code


# -- messages -------------------------------------------------------------------


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_message_that_shows_nothing_is_empty(blank):
    assert code(text.normal_body, blank) == "message_empty"


@pytest.mark.parametrize("typed", [FAMILY, PERSIAN, "1️⃣", "a\u200bb", "&#8203;", "[]()", "** **"])
def test_what_shows_something_is_kept_to_the_sign(typed):
    assert text.normal_body(typed) == typed


@pytest.mark.parametrize("sign", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ud800"], ids=ascii)
def test_control_characters_and_half_characters_are_refused(sign):
    assert code(text.normal_body, f"a{sign}b") == "message_characters"


def test_lines_end_in_one_way_and_ends_are_trimmed():
    assert text.normal_body("\r\n a\r\nb\rc\td \n") == "a\nb\nc\td"


def test_letters_are_composed():
    assert text.normal_body("e\u0301") == "é"


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("x" * 4000, True),
        ("x" * 4001, False),
        ("😀" * 4000, True),
        ("x" * 10_000_000, False),
        (" " * 5000 + "x", True),
    ],
    ids=["at the limit", "over it", "16,000 bytes", "huge", "blanks do not count"],
)
def test_a_message_has_at_most_4000_characters(typed, taken):
    if taken:
        assert text.normal_body(typed) == typed.strip()
    else:
        assert code(text.normal_body, typed) == "message_too_long"


@given(st.text(alphabet=st.characters(), max_size=60))
def test_whatever_is_taken_fits_the_database_and_stays_as_it_is(typed):
    try:
        body = text.normal_body(typed)
    except Invalid:
        return
    assert 0 < len(body) <= MESSAGE_CHARACTERS
    assert len(body.encode()) <= MESSAGE_BYTES
    assert "\0" not in body
    assert text.normal_body(body) == body


def test_the_same_body_has_the_same_hash_and_another_has_not():
    assert text.body_hash("a") == text.body_hash("a") != text.body_hash("a ")
    assert len(text.body_hash("")) == 16


@pytest.mark.parametrize(
    "typed",
    [
        "\u0301" * 4000,
        "(" * 4000,
        "a\u0301\u0323" * 1300,
        FAMILY * 500,
        "\ufdfa" * 4000,
        "\0" * 4000,
    ],
    ids=ascii,
)
def test_hostile_text_is_looked_at_in_a_blink(typed):
    start = time.process_time()
    for check in (text.normal_body, text.user_name, text.room_name, text.topic, text.search_key):
        try:
            check(typed[:4000])
        except Invalid:
            continue
    assert time.process_time() - start < 0.5


# -- names ------------------------------------------------------------------------


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_name_that_shows_nothing_is_refused(blank):
    assert code(text.user_name, blank) in {"name_empty", "name_characters"}
    assert code(text.room_name, blank) in {"room_name_empty", "room_name_characters"}


@pytest.mark.parametrize(
    "name",
    [
        "nola\u202e",
        "\u202ealon",
        "\u2067room",
        "a\u2066b",
        "a\0b",
        "a\x1bb",
        "a\ud800",
        "ann\u200b",
        "a\ue000",
    ],
    ids=ascii,
)
def test_names_have_no_controls_of_direction_and_nothing_unseen(name):
    """UNI-04"""
    assert code(text.user_name, name) == "name_characters"
    assert code(text.room_name, name) == "room_name_characters"


@pytest.mark.parametrize(
    "name", ["иван", "李雷", "José", "O'Neil-Smith", PERSIAN, "Zoë 🌱", "שלום"]
)
def test_names_of_all_scripts_are_taken_as_typed(name):
    assert text.user_name(name) == unicodedata.normalize("NFKC", name)
    assert not text.is_reserved(name)


def test_spaces_in_names_are_tidied():
    assert text.user_name("  Ann\u3000 \u00a0Archer\n") == "Ann Archer"
    assert text.user_name("\u200dAnn\u200c") == "Ann"


def test_names_have_a_length():
    assert text.user_name("x" * 64) == "x" * 64
    assert code(text.user_name, "x" * 65) == "name_too_long"
    assert code(text.user_name, "\ufdfa" * 60) == "name_too_long", "longer once written out"
    assert text.room_name("x" * 80) == "x" * 80
    assert code(text.room_name, "x" * 81) == "room_name_too_long"
    assert code(text.user_name, "x" * 10_000_000) == "name_too_long"


@pytest.mark.parametrize(
    "alike",
    [
        "Clara",
        "CLARA",
        "ｃｌａｒａ",
        "clara ",
        "clara\u200d",
        "cl\u200cara",
        "ⅽlara",
        "c\ufe0flara",
    ],
    ids=ascii,
)
def test_case_width_and_the_unseen_make_no_other_name(alike):
    assert text.name_key(alike.strip()) == text.name_key("clara")


@pytest.mark.parametrize(
    "alike", ["clаra", "cIara", "clara.", "сlаrа", "c1ara", "ċlara"[0:0] + "c|ara"], ids=ascii
)
def test_what_looks_like_a_name_counts_as_that_name(alike):
    assert text.name_skeleton(alike) == text.name_skeleton("clara")


@pytest.mark.parametrize(
    "pair", [("ann", "anna"), ("ivan", "иван"), ("josé", "jose"), ("bo", "ob")]
)
def test_different_names_stay_different(pair):
    first, second = pair
    assert text.name_key(first) != text.name_key(second)
    assert text.name_skeleton(first) != text.name_skeleton(second)


@pytest.mark.parametrize(
    "name",
    ["admin", "Admin", "ａｄｍｉｎ", "аdmin", "system", "here", "all", "deleted account", "Аll"],
)
def test_reserved_names_are_known_in_every_disguise(name):
    assert text.is_reserved(name)


@given(st.text(min_size=1, max_size=40))
def test_keys_of_any_text_do_not_change_when_made_again(name):
    try:
        name = text.user_name(name)
    except Invalid:
        return
    assert text.user_name(name) == name
    key = text.name_key(name)
    assert text.name_key(key) == key
    assert text.name_key(name.upper()) == text.name_key(name.upper().lower())


# -- topics, searches, initials -------------------------------------------------------


def test_a_topic_is_one_line_and_may_be_empty():
    assert text.topic("  What we\n found\tout ") == "What we found out"
    assert text.topic("\u200b") == ""
    assert code(text.topic, "x" * 251) == "topic_too_long"
    assert code(text.topic, "a\0b") == "topic_characters"


def test_a_search_ignores_case_width_and_what_cannot_be_stored():
    assert text.search_key("  ＬＡＢ\0 \ud800 one ") == "lab one"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ann Archer", "AA"),
        ("ann", "A"),
        ("ann.b", "AB"),
        ("mary-jane van der berg", "MB"),
        ("(bob)", "B"),
        ("李雷", "李"),
        ("ßo", "SS"),
        ("🌱", "?"),
        ("...", "?"),
        ("", "?"),
    ],
)
def test_an_avatar_has_one_or_two_letters(name, letters):
    assert text.initials(name) == letters
