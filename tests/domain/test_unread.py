"""What a member has not read: one number for each member and room, and a count of what is above it."""

from sqlalchemy import insert

from chatapp.domain import unread
from chatapp.domain.commands import JoinRoom
from chatapp.domain.unread import Mark, Unread
from chatapp.tables import mentions
from tests.domain import world


async def marks(database, who, room_id, read, **more):
    async with database.transaction() as tx:
        await unread.apply_marks(tx, {(room_id, who.id): Mark(read, **more)})


async def count(database, who, room_id):
    return (await unread.counts(database, [(room_id, who.id)]))[room_id, who.id]


async def test_what_others_wrote_since_somebody_joined_is_unread(database, ann, bob, lab):
    await world.says(database, ann, lab, "one", "two")
    assert await count(database, bob, lab) == Unread(lab, seq=4, read=2, unread=2, mentions=0)


async def test_what_was_there_before_somebody_came_is_not(database, ann, cat, lab):
    await world.says(database, ann, lab, "one", "two")
    await world.carry_out(database, JoinRoom(cat.id, lab))
    assert (await count(database, cat, lab)).unread == 0


async def test_ones_own_words_and_comings_and_goings_are_never_unread(database, ann, bob, cat, lab):
    await world.says(database, ann, lab, "mine")
    await world.carry_out(database, JoinRoom(cat.id, lab))
    await world.leaves(database, cat, lab)
    assert (await count(database, ann, lab)).unread == 0
    assert (await count(database, bob, lab)).unread == 1


async def test_a_mark_only_rises_unless_it_goes_back(database, ann, bob, lab):
    await world.says(database, ann, lab, "one", "two", "three")  # 3 to 5
    await marks(database, bob, lab, 4)
    await marks(database, bob, lab, 3)
    assert (await count(database, bob, lab)).unread == 1
    await marks(database, bob, lab, 2, back=True)
    assert (await count(database, bob, lab)).unread == 3
    await marks(database, bob, lab, 999)
    assert await count(database, bob, lab) == Unread(lab, 5, 5, 0, 0)
    await world.says(database, ann, lab, "four")
    assert (await count(database, bob, lab)).unread == 1


async def test_who_is_no_member_has_no_count_and_stores_no_mark(database, ann, bob, cat, lab):
    await world.says(database, ann, lab, "one")
    await world.leaves(database, bob, lab)
    for outsider in (bob, cat):
        await marks(database, outsider, lab, 3)
        assert await unread.counts(database, [(lab, outsider.id)]) == {}
        assert await unread.of_user(database, outsider.id) == []
    await world.says(database, ann, lab, "while bob was away")
    await world.carry_out(database, JoinRoom(bob.id, lab))
    assert (await count(database, bob, lab)).unread == 0


async def test_counting_ends_at_a_hundred(database, ann, bob, lab):
    await world.says(database, ann, lab, *map(str, range(130)))
    assert (await count(database, bob, lab)).unread == unread.UNREAD_MOST


async def test_mentions_count_until_they_are_read_or_cleared(database, ann, bob, lab):
    await world.says(database, ann, lab, "@bob one", "@bob two", "@bob three")
    rows = [{"user_id": bob.id, "room_id": lab, "seq": seq} for seq in (3, 4, 5)]
    async with database.transaction() as tx:
        await tx.execute(insert(mentions), rows[:2])
        await tx.execute(insert(mentions).values(**rows[2], is_cleared=True))
    assert (await count(database, bob, lab)).mentions == 2
    await marks(database, bob, lab, 3)
    assert (await count(database, bob, lab)).mentions == 1


async def test_the_sidebar_has_all_rooms_of_a_person_by_name(database, ann, bob, lab):
    den = await world.opens(database, ann, "Den", bob)
    await world.says(database, ann, den, "one")
    rooms = await unread.of_user(database, bob.id)
    assert [(room.name, room.unread, room.notify) for room in rooms] == [
        ("Den", 1, "all"),
        ("Lab", 0, "all"),
    ]
    assert unread.total(rooms) == 1


async def test_a_room_opens_at_the_first_unread_or_where_somebody_was(database, ann, bob, lab):
    await world.says(database, ann, lab, "one", "two")
    assert await unread.first(database, lab, bob.id, 2) == 3
    assert await unread.first(database, lab, ann.id, 2) is None
    for told, kept in ((3, 3), (None, 3), (0, None)):
        await marks(database, bob, lab, 0, place=told)
        assert await unread.place(database, lab, bob.id) == kept
    assert (await count(database, bob, lab)).read == 2
