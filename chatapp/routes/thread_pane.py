"""What the pane of a thread shows, alone or beside its room."""

from dataclasses import dataclass
from uuid import uuid4

from starlette.requests import Request

from chatapp.days import Day, Links, days
from chatapp.domain import following, messages, mine, threads
from chatapp.domain.memberships import Reader
from chatapp.domain.users import User
from chatapp.routes.door import Services, query_number, zone


@dataclass(frozen=True, slots=True)
class Pane:
    """A thread as its pane shows it. `older`: the number to ask for what is above, None at the beginning."""

    seq: int
    first: list[Day]
    days: list[Day]
    count: int
    older: int | None
    last: int
    is_following: bool
    draft_key: str


async def pane_of(
    kit: Services,
    reader: Reader,
    request: Request,
    me: User,
    room_id: int,
    seq: int,
    links: Links | None = None,
) -> Pane:
    """The thread to which a message belongs. MUST be asked for members only. Raises `Missing`. `links`: what can be
    done with its messages, for pages without scripts."""
    first = await threads.first(reader, room_id, seq)
    found = await messages.answers(reader, room_id, first.seq, query_number(request, "above"))
    rows = [first, *found.messages]
    own = await mine.of_page(reader, room_id, me.id, rows)
    await kit.fragments.ready(rows)
    known = threads.summary(first.thread)
    tz = zone(request)
    return Pane(
        seq=first.seq,
        first=days(kit.fragments, [first], tz, me.id, mine=own, links=links, thread=first.seq),
        days=days(
            kit.fragments, found.messages, tz, me.id, mine=own, links=links, thread=first.seq
        ),
        count=known.n if known else 0,
        older=found.older,
        last=known.last if known else first.seq,
        is_following=await following.is_following(reader, me.id, room_id, first.seq),
        draft_key=str(uuid4()),
    )
