"""What people write and have not sent, on its way between their tabs and the database."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from chatapp.domain import drafts as rules
from chatapp.domain.drafts import NOTHING, Save
from chatapp.errors import Later
from chatapp.realtime import drafts
from chatapp.tables import drafts as table
from tests.domain import world


@pytest.fixture
async def core(core):
    core.supervisor.keep(core.drafts.run, "drafts")
    return core


async def stored(core, who, room):
    return await rules.find(core.database, room, who.id)


async def test_what_is_written_in_one_tab_is_told_to_all_tabs_of_that_person(core, ann, bob, lab):
    here, there, his = core.tab(ann), core.tab(ann), core.tab(bob)
    core.drafts.save(ann.id, lab, Save("Earl Grey at", 0, "laptop"))
    frame = await here.frame("draft")
    assert frame == {**frame, "room": lab, "body": "Earl Grey at", "tab": "laptop"}
    assert await there.frame("draft") == frame
    assert frame["at"] == (await stored(core, ann, lab)).at
    assert his.of("draft") == []
    hint = core.hints.of("draft")[0]
    assert (hint.room_id, hint.user_id, hint.content) == (lab, ann.id, "")


async def test_of_what_is_typed_within_a_moment_only_the_last_is_stored(core, ann, lab):
    tab = core.tab(ann)
    for count in range(1, 13):
        core.drafts.save(ann.id, lab, Save("Earl Grey at"[:count], 0, "t"))
    assert core.drafts.waiting() == 1
    assert (await tab.frame("draft"))["body"] == "Earl Grey at"
    assert len(core.hints.of("draft")) == 1


async def test_a_tab_that_was_too_late_hears_what_there_is(core, ann, lab):
    tab = core.tab(ann)
    core.drafts.save(ann.id, lab, Save("from the phone", 0, "phone"))
    first = await tab.frame("draft")
    core.drafts.save(ann.id, lab, Save("from the laptop", 1, "laptop"))
    assert await tab.frame("draft", 2) == first
    core.drafts.save(ann.id, lab, Save("from the laptop", first["at"], "laptop"))
    assert (await tab.frame("draft", 3))["body"] == "from the laptop"


async def test_one_tab_may_ask(core, ann, lab):
    here, there = core.tab(ann), core.tab(ann)
    core.drafts.tell(lab, ann.id, here.connection)
    assert await here.frame("draft") == {
        "type": "draft",
        "room": lab,
        "at": 0,
        "body": "",
        "tab": "",
    }
    assert there.of("draft") == []


async def test_who_is_no_member_is_told_so_and_nothing_else(core, ann, bob, cat, lab):
    core.drafts.save(ann.id, lab, Save("secret", 0, "t"))
    await world.leaves(core.database, bob, lab)
    for outsider in (bob, cat):
        tab = core.tab(outsider)
        core.drafts.save(outsider.id, lab, Save("mine", 0, "t"))
        assert await tab.frame("removed") == {"type": "removed", "room": lab, "reason": "removed"}
        core.drafts.tell(lab, outsider.id, tab.connection)
        await tab.frame("removed", 2)
        assert tab.kinds() == ["removed"] * 2
    rows = await core.database.fetch_all(select(table.c.user_id))
    assert [row.user_id for row in rows] == [ann.id]


async def test_another_process_only_says_whose_draft_to_read(core, ann, lab):
    tab = core.tab(ann)
    async with core.database.transaction() as tx:
        await rules.apply_saves(tx, {(lab, ann.id): Save("written elsewhere", 0, "phone")})
    core.drafts.tell(lab, ann.id)
    assert (await tab.frame("draft"))["body"] == "written elsewhere"


async def test_a_page_without_scripts_that_sends_ends_its_draft(core, ann, lab):
    tab = core.tab(ann)
    core.drafts.save(ann.id, lab, Save("Earl Grey", 0, "t"))
    at = (await tab.frame("draft"))["at"]
    await core.drafts.sent(lab, ann.id, at)
    assert (await tab.frame("draft", 2))["at"] == 0
    assert await stored(core, ann, lab) == NOTHING


async def test_a_database_that_is_away_costs_a_draft_its_answer_only(core, ann, lab, monkeypatch):
    tab = core.tab(ann)
    away = asyncio.Event()

    async def fails(*_):
        away.set()
        raise OperationalError("", {}, ConnectionRefusedError())

    with monkeypatch.context() as patch:
        patch.setattr(rules, "apply_saves", fails)
        core.drafts.save(ann.id, lab, Save("Earl Grey", 0, "t"))
        await away.wait()
    core.drafts.save(ann.id, lab, Save("Earl Grey at", 0, "t"))
    assert (await tab.frame("draft"))["body"] == "Earl Grey at"


async def test_more_than_may_wait_is_refused(core, ann, lab, monkeypatch):
    monkeypatch.setattr(drafts, "WAITING_CHARACTERS", 10)
    core.drafts.save(ann.id, lab, Save("12345678", 0, "t"))
    with pytest.raises(Later):
        core.drafts.save(ann.id, lab + 1, Save("123", 0, "t"))
    core.drafts.save(ann.id, lab, Save("1234567890", 0, "t"))
    monkeypatch.setattr(drafts, "WAITING_MOST", 1)
    with pytest.raises(Later):
        core.drafts.save(ann.id, lab + 1, Save("", 0, "t"))
