"""One HTML for all readers of a message, and the days of a page."""

import html as escaping
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from chatapp.days import FOLLOW_MS, days
from chatapp.domain.commands import Message, Quote
from chatapp.domain.markup import to_html
from chatapp.domain.text import initials
from chatapp.fragments import Fragments, Shown
from chatapp.times import ago, clock, day, day_words, iso
from tests.realtime.core import fresh_templates, templates

READER = 1
HOSTILE = (
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "<hx-x hx-get=/x>",
    '" hx-get="/sign-out" hx-trigger="load',
    "{{ 7 * 7 }} {% include 'x' %}",
    "&lt;b&gt;&#60;&quot;",
    "</article></bdi><article>",
    "<!-- --> <![CDATA[ ]]>",
    '<article class="msg"',
    "http://x.example/<b>\"'onclick=1",
    "\u202eabc\u2066",
    "`${1}`\\",
)


def at(text):
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def message(seq=1, body="hello", when="2026-01-15T11:30:00+00:00", **other):
    given = Message(
        7, seq, seq, "message", 2, "Bob Baker", 4, "0" * 8 + "-" + "0" * 27, body, at(when)
    )
    return replace(given, **other)


@pytest.fixture
def fragments():
    return Fragments(templates())


class Tags(HTMLParser):
    """Tags with their attributes, and the text between."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


# -- a fragment -----------------------------------------------------------------------


def test_a_message_of_60_characters_takes_at_most_700_bytes(fragments):
    given = message(seq=12_345, body="x" * 60, author_name="Ann Archerly", author_id=1234)
    assert len(fragments.one(given).encode()) <= 700


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["message", "renamed", "topic"])
def test_names_and_bodies_are_never_markup(fragments, text, kind):
    plain = fragments.one(message(body="x", author_name="x", kind=kind))
    hostile = fragments.one(message(seq=2, body=text, author_name=text[:64], kind=kind))
    found = Tags(hostile)
    for tag, attributes in found.tags:
        assert tag in {*(t for t, _ in Tags(plain).tags), "a", "code"}
        assert not {n for n in attributes if n.startswith(("on", "hx-", "style"))}
    for opened in re.findall(r"<[a-z][^>]*>", hostile):
        assert "<" not in opened[1:], "no raw < inside an attribute"
    typed = text if kind != "message" else text.replace("`", "")
    assert found.text.count(typed) >= 1
    assert escaping.escape(text, quote=False)[:3] in hostile.replace("&#34;", '"').replace(
        "&#39;", "'"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_quoted_is_never_markup(fragments, text):
    given = {"reply_seq": 3, "thread_seq": 3, "edited_at": 1}
    plain = fragments.one(message(body="x", **given, quote=Quote(3, 2, "Ann", "x")))
    hostile = fragments.one(message(2, text, **given, quote=Quote(3, 2, text[:64], text)))
    found = Tags(hostile)
    for tag, attributes in found.tags:
        assert tag in {*(t for t, _ in Tags(plain).tags), "a", "code"}
        assert not {n for n in attributes if n.startswith(("on", "hx-", "style"))}
    for opened in re.findall(r"<[a-z][^>]*>", hostile):
        assert "<" not in opened[1:], "no raw < inside an attribute"
    assert found.text.count(text) >= 1


def test_a_message_that_was_changed_says_how_it_is_quoted_now(fragments):
    def quotable(**other):
        return (
            Tags(fragments.one(message(body="**now** this", **other)))
            .tags[0][1]
            .get("data-quotable")
        )

    assert quotable() is None
    assert quotable(changed_seq=5, reactions='[["👍",1,[2]]]') is None
    assert quotable(changed_seq=6, edited_at=1) == "now this"
    assert quotable(changed_seq=7, kind="deleted") is not None
    gone = fragments.one(message(body="", changed_seq=8, kind="deleted"))
    assert Tags(gone).tags[0][1]["data-quotable"] == ""
    answer = message(9, reply_seq=1, thread_seq=1, quote=Quote(1, 2, "Bob Baker", ""))
    assert "Deleted message" in fragments.one(answer)


def test_a_fragment_says_what_the_browser_needs(fragments):
    tag, attributes = Tags(fragments.one(message(seq=9))).tags[0]
    assert tag == "article"
    assert attributes["id"] == "m-9"
    assert (attributes["data-seq"], attributes["data-by"]) == ("9", "2")
    assert attributes["data-key"] == message().key


def test_every_time_is_an_unambiguous_instant(fragments):
    times = [a for tag, a in Tags(fragments.one(message())).tags if tag == "time"]
    assert [a["datetime"] for a in times] == ["2026-01-15T11:30:00Z"]


# -- page and live frame -----------------------------------------------------------------


def test_a_page_shows_the_same_bytes_as_the_live_frame_but_for_classes(fragments):
    rows = [
        message(1, "one"),
        message(2, "http://x.example <b>"),
        message(3, "joined", kind="joined"),
        message(4, "mine", author_id=READER),
        message(5, '<article class="msg" again'),
    ]
    (only,) = days(fragments, rows, "UTC", READER)
    classes = r'(<article class="msg)(?: is-(?:lead|follow|own))+"'
    bare = re.sub(classes, r'\1"', str(only.html))
    assert bare == fragments.many(rows)


def looks(fragments, rows):
    (only,) = days(fragments, rows, "UTC", READER)
    return [
        set(classes.split()) - {"msg"}
        for classes in re.findall(r'<article class="([^"]*)" id', only.html)
    ]


def test_messages_that_follow_closely_are_drawn_together(fragments):
    first = message(1)
    soon = replace(message(2), at=first.at + FOLLOW_MS)
    late = replace(message(3), at=soon.at + FOLLOW_MS + 1)
    other = replace(message(4, author_id=3), at=late.at)
    mine = replace(message(5, author_id=READER), at=late.at)
    event = replace(message(6, kind="joined", author_id=READER), at=late.at)
    again = replace(message(7, author_id=READER), at=late.at)
    assert looks(fragments, [first, soon, late, other, mine, event, again]) == [
        {"is-lead"},
        {"is-follow"},
        {"is-lead"},
        {"is-lead"},
        {"is-lead", "is-own"},
        {"is-lead", "is-own"},
    ]


# -- days ------------------------------------------------------------------------------------


def dates(fragments, whens, zone):
    rows = [message(n, when=when) for n, when in enumerate(whens, 1)]
    found = days(fragments, rows, zone, READER)
    assert [n for each in found for n in map(int, re.findall(r'id="m-(\d+)"', each.html))] == [
        row.seq for row in rows
    ]
    return [each.date for each in found]


MIDNIGHT_IN_AUCKLAND = ["2026-01-15T10:45:00+00:00", "2026-01-15T11:30:00+00:00"]
TWICE_HALF_PAST_TWO = ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]
SPRING_FORWARD = ["2026-03-08T06:59:00+00:00", "2026-03-08T07:00:00+00:00"]


@pytest.mark.parametrize(
    ("whens", "zone", "wanted"),
    [
        (MIDNIGHT_IN_AUCKLAND, "UTC", ["2026-01-15"]),
        (MIDNIGHT_IN_AUCKLAND, "Pacific/Auckland", ["2026-01-15", "2026-01-16"]),
        (MIDNIGHT_IN_AUCKLAND, "America/Los_Angeles", ["2026-01-15"]),
        (TWICE_HALF_PAST_TWO, "Europe/Berlin", ["2026-10-25"]),
        (SPRING_FORWARD, "America/New_York", ["2026-03-08"]),
        (
            ["2026-10-24T21:59:00+00:00", "2026-10-24T22:01:00+00:00", "2026-10-25T23:01:00+00:00"],
            "Europe/Berlin",
            ["2026-10-24", "2026-10-25", "2026-10-26"],
        ),
    ],
    ids=["one day", "midnight there", "one day there", "clock back", "clock forward", "25 hours"],
)
def test_days_are_those_of_the_reader(fragments, whens, zone, wanted):
    assert dates(fragments, whens, zone) == wanted


def test_a_message_after_midnight_leads(fragments):
    rows = [
        message(1, when="2026-01-15T23:59:59+00:00"),
        message(2, when="2026-01-16T00:00:01+00:00"),
    ]
    found = days(fragments, rows, "UTC", READER)
    assert all("is-lead" in each.html for each in found)


def test_clocks_follow_the_zone_through_changes_of_the_hour():
    assert [clock(at(when), "Europe/Berlin") for when in TWICE_HALF_PAST_TWO] == ["02:30", "02:30"]
    assert [clock(at(when), "America/New_York") for when in SPRING_FORWARD] == ["01:59", "03:00"]
    assert iso(at(TWICE_HALF_PAST_TWO[0])) == "2026-10-25T00:30:00Z"


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Nowhere/Land",
        "../../etc/passwd",
        "/etc/passwd",
        "x" * 500,
        "Europe",
        "é",
        "a\0b",
        "Europe/Berlin\n",
    ],
    ids=ascii,
)
def test_an_unknown_zone_counts_as_utc(zone):
    when = at("2026-01-15T23:30:00+00:00")
    assert (day(when, zone), clock(when, zone)) == ("2026-01-15", "23:30")


def test_days_have_names_that_depend_on_the_reader():
    now = round(datetime.now(UTC).timestamp() * 1000)
    hours = 60 * 60 * 1000
    assert day_words(now) == "Today"
    assert day_words(now - 24 * hours) == "Yesterday"
    east, west = day_words(now, "Pacific/Kiritimati"), day_words(now, "Pacific/Niue")
    assert east == west == "Today"
    assert day_words(at("2020-04-14T12:00:00+00:00")).endswith("14 April 2020")
    assert day_words(at("2020-04-14T23:30:00+00:00"), "Asia/Tokyo").endswith("15 April 2020")
    assert ago(now) == ago(now + hours)
    assert "3" in ago(now - 3 * hours - 60_000)  # the machine's clock may be set back meanwhile
    assert ago(at("2020-04-14T12:00:00+00:00")) == "14 April 2020"


# -- what is kept ------------------------------------------------------------------------------


def test_what_was_rendered_is_not_rendered_again():
    counted = fresh_templates()
    real, rendered = counted.render, []

    def render(name, values):
        rendered.append(name)
        return real(name, values)

    counted.render = render  # type: ignore[method-assign]
    fragments = Fragments(counted)
    rendered.clear()
    rows = [message(n, kind="joined") for n in range(1, 51)]
    assert fragments.many(rows) == fragments.many(rows)
    days(fragments, rows, "UTC", READER)
    assert len(rendered) == 50


def test_what_is_kept_is_bounded_and_the_oldest_use_goes_first():
    fragments = Fragments(templates(), capacity=20_000)
    for n in range(1, 500):
        fragments.one(message(n))
        fragments.one(message(1))
    assert sum(map(len, fragments._kept.values())) == fragments._size <= 20_000
    assert (7, 1, 1, "Bob Baker", 4, None, None) in fragments._kept
    assert (7, 2, 2, "Bob Baker", 4) not in fragments._kept
    huge = message(1000, body="<" * 16_000)
    assert "&lt;" in fragments.one(huge), "larger than all there is room for"


@pytest.mark.parametrize(
    "changed",
    [
        {"author_name": "Robert"},
        {"author_hue": 5},
        {"changed_seq": 9, "body": "edited"},
        {"room_id": 8},
        {"reply_seq": 3, "thread_seq": 3, "quote": Quote(3, 2, "Ann", "Tea?")},
    ],
    ids=str,
)
def test_nothing_stale_is_served(fragments, changed):
    before = fragments.one(message())
    after = fragments.one(message(**changed))
    assert after == Fragments(templates()).one(message(**changed))
    assert after != before
    assert fragments.one(message()) == before


def test_a_value_that_a_template_was_not_given_is_an_error():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        templates().render("messages/_message.html", {})


# -- the mould ----------------------------------------------------------------------------


@for_all(
    body=st.text(min_size=1, max_size=60) | st.sampled_from(HOSTILE),
    name=st.text(min_size=1, max_size=20) | st.sampled_from(HOSTILE),
    seq=st.integers(1, 2**53),
    moment=st.integers(0, 4_000_000_000_000),
    hue=st.integers(0, 11),
    avatar=st.none() | st.just("q0Qw3nCk1sY2tB7xq0Qw3nCk"),
)
def test_a_message_from_the_mould_is_what_the_template_renders(
    body, name, seq, moment, hue, avatar
):
    fragments = Fragments(templates())
    given = message(seq, body, author_name=name, at=moment, author_hue=hue, author_avatar=avatar)
    shown = Shown(
        seq, "message", 2, name, hue, initials(name), to_html(body), "", iso(moment),
        clock(moment), given.key, room_id=given.room_id, author_avatar=avatar,
    )  # fmt: skip
    rendered = templates().render("messages/_message.html", {"message": shown})
    assert fragments.one(given) == rendered.strip()
