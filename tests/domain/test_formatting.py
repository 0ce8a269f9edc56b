"""What becomes of a formatted message: on the page, in notices, and when it cannot be formatted."""

import json
import logging
import re

import pytest
from markupsafe import escape
from pygments.util import ClassNotFound

from chatapp.domain import code, emoji, markdown, markup, mentions
from chatapp.domain.emoji import ALONE_MOST
from chatapp.domain.markup import to_html, to_text
from chatapp.domain.mentions import Mark
from chatapp.domain.notices import beginning
from chatapp.domain.text import name_key

ANN, ANNA, ANN_B, BOB = 1, 2, 3, 4
KEYS = {
    name_key(n): who for n, who in (("ann", ANN), ("anna", ANNA), ("ann.b", ANN_B), ("bob", BOB))
}


def named(body: str) -> list[int]:
    """Who is told of it."""
    return [mark.who for mark in mentions.resolve(mentions.signs(body), KEYS)]


def marked(body: str) -> list[int]:
    """Who is marked in what is shown."""
    html = to_html(body, mentions.resolve(mentions.signs(body), KEYS))
    return [int(who) for who in re.findall(r'<span class="mention" data-user="(-?\d+)">', html)]


# -- MD-02 ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "whom"),
    [
        ("hi @ann", [ANN]),
        ("hi @anna", [ANNA]),
        ("@ann.b ok", [ANN_B]),
        ("see @ann.", [ANN]),
        ("@ann.b.", [ANN_B]),
        ("(@ann)", [ANN]),
        ('"@ann"', [ANN]),
        ("@ann, @anna: go", [ANN, ANNA]),
        ("@ANN", [ANN]),
        ("x@ann.example", []),
        ("mail bob@ann", []),
        ("`@ann`", []),
        ("``a ` @ann``", []),
        ("```\n@ann\n```", []),
        ("~~~\n@ann\n~~~", []),
        ("```\n@ann", []),
        ("```@ann\nx\n```", []),
        ("- ```\n  @ann\n  ```", []),
        (r"\@ann", []),
        (r"\\@ann", [ANN]),
        ("https://x.example/@ann", []),
        ("[t](https://x.example/@ann)", []),
        ('[t](https://x.example/ "@ann")', []),
        ("[t](/@ann)", [ANN]),  # no link, so it is text
        ("<https://x.example/@ann>", []),
        ("@nobody", []),
        ("@ann@ann", [ANN]),
        ("**@ann**", [ANN]),
        ("*@ann* ~~@anna~~", [ANN, ANNA]),
        ("> @ann", [ANN]),  # who quotes somebody means them
        ("- @ann\n- @bob", [ANN, BOB]),
        ("[@ann](https://x.example/)", [ANN]),
        ("|@ann|\n|-|\n|`@bob`|", [ANN]),
        ("`x` @ann `@bob`", [ANN]),
        ("`@ann @bob", [ANN, BOB]),  # one backtick begins nothing
        (">" * 30 + " @ann", [ANN]),
    ],
)
def test_whoever_is_marked_is_told_and_nobody_else(body, whom):
    assert named(body) == whom
    assert marked(body) == whom


def test_an_old_mark_inside_code_is_the_name_as_it_was_typed():
    html = to_html("see `@ann` and @ann", [(5, 4, ANN), (15, 4, ANN)])
    assert html == (
        '<p>see <code>@ann</code> and <span class="mention" data-user="1">@ann</span></p>'
    )


def test_no_rule_looks_into_a_name():
    body = "*hi* @a_b_c and @x*y*z and @<b>"
    marks = [(5, 6, 1), (16, 6, 2), (27, 4, 3)]
    assert "@a_b_c</span>" in to_html(body, marks)
    assert "@x*y*z</span>" in to_html(body, marks)
    assert "@&lt;b&gt;</span>" in to_html(body, marks)


@pytest.mark.parametrize("body", ["*a* \x020\x03 @ann", "`\x020\x03` @ann *b*", "\x02*a*"])
def test_nobody_can_write_the_place_of_a_mention(body):
    at = body.find("@ann")
    marks = [(at, 4, ANN)] if at >= 0 else []
    assert markup.is_formatted(body) is False
    assert to_html(body, marks).count("data-user") == len(marks)


@pytest.mark.parametrize("marks", [[(-5, 3, 1)], [(0, 99, 1)], [(0, 4, 1), (2, 4, 2)], [(3, 0, 1)]])
def test_marks_that_do_not_fit_are_text(marks):
    assert to_html("*a*b c", marks).count("data-user") <= 1


# -- what stays as it is ------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "** **",
        "[]()",
        "&#8203;",
        "<!-- -->",
        ">",
        "-",
        "- - -",
        "1.",
        "```",
        "~~~\n~~~",
        "[a]()",
        "**[]()",
        "***",
    ],
)
def test_what_would_show_nothing_is_shown_as_it_was_typed(body):
    """UNI-05"""
    shown = re.sub("<[^>]*>", "", to_html(body).unescape())
    assert body in (shown, to_html(body).striptags(), to_html(body).unescape()[3:-4])


@pytest.mark.parametrize(
    "body",
    [
        "# a heading *x*",
        "a *x*\n---",
        "*x*\n***",
        "![a](b) *c*",
        "&copy; *c*",
        "[a]: b\n*c*",
        "    four *x*",
        "<b>*x*</b>",
    ],
)
def test_what_is_left_out_of_the_subset_stays_to_be_read(body):
    shown = to_html(body).striptags()
    for word in re.findall(r"[#\w&;:!<>\[\]()-]+", body):
        assert word in shown or word == "---" or word in to_html(body).unescape()


def test_lines_keep_their_breaks_and_their_indentation():
    assert to_html("*a*\n  b\nc") == "<p><em>a</em>\n  b\nc</p>"


def test_blocks_find_their_own_direction():
    html = to_html("שלום\n\n- one\n\n> two")
    assert re.findall('<(\\w+) dir="auto"', html) == ["p", "ul", "blockquote"]
    assert 'dir="auto"' not in to_html("*one*")  # it is the message's


def test_a_table_has_classes_for_its_sides_and_scrolls_in_itself():
    html = to_html("|a|b|\n|:-:|-:|\n|1|2|")
    assert html.startswith('<div class="table-scroll" tabindex="0"><table>')
    assert '<td class="is-center">1</td>' in html
    assert '<td class="is-right">2</td>' in html
    assert "style" not in html


def test_a_table_that_would_grow_out_of_bounds_is_text():
    body = "|" * 500 + "\n" + "|-" * 499 + "|\n" + "a\n" * 500
    assert "<table" not in to_html(body)


def test_a_message_that_cannot_be_formatted_is_text_and_logged(monkeypatch, caplog):
    def stumbles(_text: str) -> None:
        raise RecursionError

    monkeypatch.setattr(markdown, "parse", stumbles)
    with caplog.at_level(logging.ERROR):
        assert to_html("*a* <b>") == "<p>*a* &lt;b&gt;</p>"
    assert [record.message for record in caplog.records] == ["a message could not be formatted"]
    assert "<b>" not in caplog.text
    assert to_text("*a*") == ("*a*", ())
    assert named("`@ann`") == [ANN]


# -- code ---------------------------------------------------------------------------


def test_code_has_its_name_or_language_above_it_and_classes_for_colours():
    html = to_html('```python guider.py\ndef f():\n    return "<a>"\n```')
    assert html == (
        '<figure class="card code-card" dir="ltr"><figcaption><span>guider.py</span></figcaption>'
        '<pre tabindex="0"><code><span class="k">def </span><span class="f">f</span>():\n    '
        '<span class="k">return </span><span class="s">"&lt;a&gt;"</span></code></pre></figure>'
    )
    assert "<span>Python</span>" in to_html("```py\nx\n```")
    assert "<span>brainfuck</span>" in to_html("```brainfuck\n+\n```")
    assert "<span>Code</span>" in to_html("```\nx\n```")


@pytest.mark.parametrize("language", sorted(code.LANGUAGES))
def test_each_language_is_known_and_loses_no_character(language):
    text = "def a(b): # c\n  'd' \"e\" 1.5 <f g=h> /* i */ -- j\n\t\\ é 日本 🍵 $x @y\n"
    coloured = code.coloured(text, language)
    assert coloured.striptags() == " ".join(text.split())
    assert coloured.unescape().count("🍵") == 1
    assert re.sub("</?span[^>]*>", "", coloured) == str(escape(text))
    try:
        code.coloured("x", language)
    except ClassNotFound:
        pytest.fail(language)


@pytest.mark.parametrize("text", ["x = 1\n" * 600, "x" * 500, "a\n" + "\n" * 80 + "b", "a;" * 1400])
def test_code_that_may_take_long_is_shown_without_all_its_colours(text):
    assert re.sub("</?span[^>]*>", "", code.coloured(text, "python")) == str(escape(text))
    assert code.coloured(text, "python").count("<span") <= code.TOKENS_MOST


# -- emoji ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("have :tea:!", "have 🍵!"),
        (":+1: :heart: :tea::tea:", "👍 ❤️ 🍵🍵"),
        ("at 10:30:00 or 1:100:2", "at 10:30:00 or 1:100:2"),
        (":nothing_like_it: :Tea:", ":nothing_like_it: :Tea:"),
        ("a:tea:b", "a:tea:b"),
        ("*x* :tea:", "x 🍵"),
        ("`:tea:`", ":tea:"),
        ("```\n:tea:\n```", "Code:tea:"),
        ("https://x.example/:tea:/ x", "https://x.example/:tea:/ x"),
        ("*x* https://x.example/:tea:/", "x https://x.example/:tea:/"),
        (":slightly_smiling_face: *x*", "🙂 x"),
    ],
)
def test_codes_that_are_known_become_emoji_but_not_in_code_or_addresses(body, shown):
    if body == ":+1: :heart: :tea::tea:":
        assert emoji.alone(body) == shown
    assert to_html(body).striptags() == shown


@pytest.mark.parametrize(
    "body",
    ["🍵", ":tea:", "🍵 🎉", "👨‍👩‍👧‍👦", "🇩🇪🇫🇷", "1️⃣", "👍🏽", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☝️", "🎉" * ALONE_MOST],
)
def test_a_message_of_emoji_only_is_large(body):
    assert to_html(body).startswith('<p class="emoji-only">')


@pytest.mark.parametrize(
    "body", ["🎉" * (ALONE_MOST + 1), "1", "#", "a 🍵", "🍵.", "©", ":nope:", "*🍵*", "🇩"]
)
def test_other_messages_are_not(body):
    assert "emoji-only" not in to_html(body) or body == "©"


def test_codes_and_their_emoji_are_one_to_one_in_the_file_that_browsers_read():
    rows = [row for _, group in json.loads(emoji._FILE.read_text()) for row in group]
    codes = [each for row in rows for each in row[2].split()]
    assert len(codes) == len(set(codes)) > 1_800
    assert all(re.fullmatch("[a-z0-9_+-]{1,40}", each) for each in codes)
    assert all(emoji.alone(row[0]) for row in rows)


# -- as plain text ----------------------------------------------------------------------


def test_notices_and_lists_show_the_words_without_signs_of_formatting():
    body = "**Plan** for `dome`:\n- see [the *page*](https://x.example/)\n> ok :tea:\n```py\na_b_c\n```"
    assert to_text(body)[0] == "Plan for dome:\nsee the page\nok 🍵\na_b_c"
    assert beginning(body) == "Plan for dome: see the page ok 🍵 a_b_c"
    assert beginning("plain * text_with_signs") == "plain * text_with_signs"


def test_in_plain_text_the_mentions_are_where_their_names_are():
    body = "**see** `x` and @ann, *@bob*"
    words, marks = to_text(body, [Mark(16, 4, ANN), Mark(23, 4, BOB)])
    assert words == "see x and @ann, @bob"
    assert [(words[at : at + n], who) for at, n, who in marks] == [("@ann", ANN), ("@bob", BOB)]
