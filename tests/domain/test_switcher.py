"""Where somebody may want to go: how names fit what is typed, and in which order they are offered."""

import pytest
from sqlalchemy import update

from chatapp.domain import switcher
from chatapp.domain.fuzzy import Rank, fit, parts, pattern, typed_key
from chatapp.tables import memberships, rooms
from tests.domain import world


@pytest.mark.parametrize(
    ("typed", "name", "rank"),
    [
        ("night schedule", "Night schedule", Rank.WHOLE),
        ("NIGHT", "Night schedule", Rank.BEGINNING),
        ("sch", "Night schedule", Rank.WORD),
        ("ops", "dev-ops", Rank.WORD),
        ("sched nig", "Night schedule", Rank.WORDS),
        ("edule", "Night schedule", Rank.INSIDE),
        ("ns", "Night schedule", Rank.LETTERS),
        ("ngt shd", "Night schedule", Rank.LETTERS),
        ("ｎｉｇｈｔ", "Night schedule", Rank.BEGINNING),
        ("日本", "東京 日本", Rank.WORD),
        ("do", "Keyboard shortcuts", None),
        ("nsz", "Night schedule", None),
        ("%", "Night schedule", None),
        ("_", "Night schedule", None),
        ("x" * 200, "Night schedule", None),
    ],
)
def test_a_name_fits_what_is_typed_of_it_more_or_less_well(typed, name, rank):
    found = fit(typed_key(typed), name)
    assert (found and found.rank) == rank


def test_what_was_typed_is_marked_in_the_name():
    def shown(typed, name):
        found = fit(typed_key(typed), name)
        assert found is not None
        return "".join(f"[{text}]" if marked else text for text, marked in parts(name, found.marks))

    assert shown("do", "Dome and mirrors") == "[Do]me and mirrors"
    assert shown("ns", "Night schedule") == "[N]ight [s]chedule"
    assert shown("mir dom", "Dome and mirrors") == "[Dom]e and [mir]rors"
    assert shown("ß", "Straße") == "Straße", "its key has other letters"
    assert shown("", "Dome") == "Dome"


def test_signs_of_a_search_are_letters_like_others():
    assert pattern("a%_\\") == "%a%\\%%\\_%\\\\%"


async def names(database, who, typed, here=0):
    return [room.name for room in (await switcher.find(database, who.id, typed, here)).rooms]


async def test_with_nothing_typed_rooms_that_call_come_first_and_the_open_one_last(
    database, ann, bob
):
    made = {}
    for name in ("Alpha", "Beta", "Gamma", "Delta", "Epsilon"):
        made[name] = await world.opens(database, ann, name, bob)
    await world.says(database, bob, made["Beta"], "hello")
    await world.says(database, bob, made["Alpha"], "hello @ann archer")
    assert await names(database, ann, "", here=made["Epsilon"]) == [
        "Alpha",
        "Beta",
        "Delta",
        "Gamma",
        "Epsilon",
    ]
    assert (await switcher.find(database, ann.id, "")).people == []


async def test_a_room_that_is_hidden_is_found_by_its_name_only(database, ann, lab):
    async with database.transaction() as tx:
        await tx.execute(
            update(memberships).where(memberships.c.user_id == ann.id).values(notify="hidden")
        )
    assert await names(database, ann, "") == []
    assert await names(database, ann, "la") == ["Lab"]


async def test_better_fits_come_first_and_of_equal_ones_those_somebody_is_in(database, ann, bob):
    for owner, name in (
        (ann, "The dome"),
        (bob, "Docents"),
        (ann, "Dome and mirrors"),
        (ann, "Dark matter on paper"),
        (ann, "Freedom"),
    ):
        await world.opens(database, owner, name)
    found = (await switcher.find(database, ann.id, "do")).rooms
    assert [(room.name, room.is_member) for room in found] == [
        ("Dome and mirrors", True),
        ("Docents", False),
        ("The dome", True),
        ("Freedom", True),
        ("Dark matter on paper", True),
    ]
    assert await names(database, ann, "#doc") == ["Docents"]
    assert await names(database, ann, "@doc") == []
    assert await names(database, ann, "100%") == []


async def test_people_are_those_who_share_a_room_and_nobody_else(database, ann, bob, cat, lab):
    """Who is where is for members: neither a name nor a room of others is told."""
    den = await world.opens(database, bob, "Den", cat)
    assert await people(database, ann, "b") == [("Bob Baker", lab, "Lab", 1)]
    assert await people(database, ann, "c") == []
    assert await people(database, cat, "@") == [("Bob Baker", den, "Den", 1)]
    assert await people(database, ann, "ann") == [], "nobody looks for themselves"
    await world.leaves(database, bob, lab)
    assert await people(database, ann, "b") == []
    assert await people(database, bob, "ann") == []


async def people(database, who, typed):
    found = (await switcher.find(database, who.id, typed)).people
    return [(each.name, each.room_id, each.room_name, each.rooms) for each in found]


async def test_of_several_shared_rooms_the_liveliest_stands_for_all(database, ann, bob, lab):
    den = await world.opens(database, ann, "Den", bob)
    async with database.transaction() as tx:
        await tx.execute(update(rooms).values(last_at=1).where(rooms.c.id == den))
    assert await people(database, ann, "baker") == [("Bob Baker", lab, "Lab", 2)]


async def test_no_more_is_offered_than_fits_on_a_screen(database, ann):
    for number in range(20):
        bea = await world.person(database, f"Bea {chr(65 + number)}orn")
        await world.opens(database, ann, f"Room {number}", bea)
    found = await switcher.find(database, ann.id, "o")
    assert (len(found.rooms), len(found.people)) == (switcher.ROOMS_MOST, switcher.PEOPLE_MOST)
