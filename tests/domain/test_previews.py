"""Previews of links: what they are, whose they are, and what is kept of pages."""

import pytest
from sqlalchemy import func, select

from chatapp.domain import messages, previews
from chatapp.domain.commands import EditMessage, Page, RemovePreview, ShowPreview
from chatapp.errors import Forbidden, Missing
from chatapp.tables import links
from tests.domain import world

URL = "https://x.example/a?b=c"
PAGE = Page(URL, "x.example", "A title", "About it")


async def shows(database, room_id, message, page=PAGE, body=None):
    command = ShowPreview(room_id, message.seq, body or message.body, page)
    return (await world.carry_out(database, command)).messages


async def removes(database, who, room_id, seq):
    return (await world.carry_out(database, RemovePreview(who.id, room_id, seq))).messages


@pytest.mark.parametrize(
    ("body", "link"),
    [
        (f"see {URL}, or https://other.example", URL),
        (f"[words]({URL}) **and** https://other.example", URL),
        (f"`https://code.example` {URL}", URL),
        (f"```\nhttps://code.example\n```\n{URL}", URL),
        (f"`{URL}`", None),
        (f"```\n{URL}", None),
        ("mailto:a@b.example [mail](mailto:a@b.example)", None),
        ("ftp://x.example [x](javascript://x.example) ://", None),
        ("no link", None),
        ("http://", None),
        ("*" * 600 + f" {URL} " + "`x` " * 100, URL),
    ],
)
async def test_the_first_link_that_is_no_code_counts(body, link):
    assert await previews.link_of(body, []) == link


async def test_it_is_a_change_of_the_message_and_comes_once(database, ann, bob, lab):
    (said,) = await world.says(database, bob, lab, f"see {URL}")
    (row,) = await shows(database, lab, said)
    assert (row.seq, row.changed_seq, row.is_plain) == (said.seq, said.seq + 1, False)
    shown = previews.unpacked(row.preview)
    assert shown == previews.Preview(URL, "x.example", "A title", "About it")
    assert await shows(database, lab, said) == []
    found = await messages.changes(database, lab, said.seq)
    assert found is not None
    assert [each.preview for each in found.messages] == [row.preview]
    (plain,) = await world.says(database, bob, lab, "no link")
    assert plain.is_plain


async def test_what_has_changed_or_gone_meanwhile_gets_none(database, ann, bob, lab):
    (said,) = await world.says(database, bob, lab, f"see {URL}")
    assert await shows(database, lab, said, body="other words") == []
    await world.changes(database, lab, said.seq, kind="deleted", body="")
    assert await shows(database, lab, said, body="") == []
    with pytest.raises(Missing):
        await shows(database, 99, said)


async def test_its_author_and_who_keeps_order_remove_it_for_good(database, ann, bob, cat, lab):
    for who in (bob, ann):
        (said,) = await world.says(database, bob, lab, f"see {URL}")
        await shows(database, lab, said)
        with pytest.raises(Forbidden):
            await removes(database, cat, lab, said.seq)
        (row,) = await removes(database, who, lab, said.seq)
        assert (row.preview, row.is_plain) == ("", True)
        assert await removes(database, who, lab, said.seq) == []
        assert await shows(database, lab, said) == []
    with pytest.raises(Missing):
        await removes(database, ann, lab, 99)
    await world.leaves(database, bob, lab)
    with pytest.raises(Forbidden):
        await removes(database, bob, lab, said.seq)


async def test_other_words_keep_it_and_another_link_does_not(database, bob, lab):
    (said,) = await world.says(database, bob, lab, f"see {URL}")
    await shows(database, lab, said)

    async def edit(body, base):
        command = EditMessage(bob.id, lab, said.seq, body, base, 9999)
        return await world.carry_out(database, command)

    kept = await edit(f"do see {URL}", 0)
    assert (bool(kept.messages[0].preview), kept.linked) == (True, [])
    other = await edit("https://other.example", 1)
    assert other.messages[0].preview is None
    assert other.linked == other.messages
    assert await previews.known(database, lab, URL) is None


async def test_what_a_page_told_is_kept_by_room_and_within_bounds(
    database, ann, bob, lab, monkeypatch
):
    monkeypatch.setattr(previews, "KEPT_MOST", 3)

    async def keep(url, page=PAGE, picture=None):
        async with database.transaction() as tx:
            await previews.apply_keep(tx, lab, url, page, picture)

    await keep(URL, picture=b"x")
    await keep(URL, picture=b"y")
    assert await previews.known(database, lab, URL) == (PAGE, b"y")
    den = await world.opens(database, ann, "Den")
    assert await previews.known(database, den, URL) is None
    monkeypatch.setattr(previews, "FAILED_MS", -1)
    await keep("https://nothing.example", None)
    assert await previews.known(database, lab, "https://nothing.example") is None, "it lapsed"
    for n in range(5):
        await keep(f"https://{n}.example")
    assert await database.fetch_value(select(func.count()).select_from(links)) == 3
    assert await previews.known(database, lab, "https://4.example") == (PAGE, None)
