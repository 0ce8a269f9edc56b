"""Name, rooms and visibility of the people who are present anywhere, as the database had them a moment ago."""

import logging
from collections import deque
from collections.abc import Collection, Iterable, KeysView
from typing import Final

from chatapp.database import Database
from chatapp.domain import presence
from chatapp.domain.presence import Whereabouts
from chatapp.realtime.rosters import ROOMS_MOST
from chatapp.trouble import is_worth_retrying

ROUND_SECONDS: Final = 60  # in which everybody is read once more, since a hint may be lost
TOGETHER_MOST: Final = 500  # people in one query
READ_MOST: Final = (
    5_000  # people in one call, whomever Redis may tell of; the others have their turn later
)

log = logging.getLogger(__name__)


class Known:
    """`learn` MUST NOT be called again before it has come back, and is called once a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._people: dict[int, Whereabouts] = {}
        self._doubted: set[int] = set()
        self._round: deque[int] = deque()

    def get(self, user_id: int) -> Whereabouts | None:
        return self._people.get(user_id)

    def people(self) -> KeysView[int]:
        return self._people.keys()

    def doubt(self, user_id: int) -> None:
        """Something of theirs may be other than it was."""
        if user_id in self._people:
            self._doubted.add(user_id)

    def put(self, user_id: int, person: Whereabouts) -> None:
        """What is known for sure, before it is read. What is being read just now may be older, so it is doubted."""
        if user_id in self._people:
            self._people[user_id] = person
            self._doubted.add(user_id)

    def forget(self, user_ids: Iterable[int]) -> None:
        for user_id in user_ids:
            self._people.pop(user_id, None)
            self._doubted.discard(user_id)

    async def learn(self, here: Collection[int]) -> set[int]:
        """Reads those of these people who are not known or in doubt, and a few of the others. Returns who is another
        one than before. Without the database, what was known stays."""
        asked = {user_id for user_id in here if user_id not in self._people}
        asked |= self._doubted
        asked |= self._next_few()
        listed = list(asked)[:READ_MOST]
        self._doubted -= set(listed)
        changed: set[int] = set()
        try:
            for start in range(0, len(listed), TOGETHER_MOST):
                some = listed[start : start + TOGETHER_MOST]
                found = await presence.whereabouts(self._database, some, ROOMS_MOST)
                changed |= {user_id for user_id in some if self._is_new(user_id, found)}
        except Exception as error:
            self._doubted |= asked & self._people.keys()
            if not is_worth_retrying(error):
                raise
            log.warning("nobody can say just now in which rooms people are")
        return changed

    def _is_new(self, user_id: int, found: dict[int, Whereabouts]) -> bool:
        if user_id in self._doubted:  # said meanwhile: it is read again
            return False
        person = found.get(user_id)
        if person is None:
            return self._people.pop(user_id, None) is not None
        before, self._people[user_id] = self._people.get(user_id), person
        return person != before

    def _next_few(self) -> set[int]:
        if not self._round:
            self._round.extend(self._people)
        count = min(len(self._round), -(-len(self._people) // ROUND_SECONDS))
        return {
            user_id
            for user_id in (self._round.popleft() for _ in range(count))
            if user_id in self._people
        }
