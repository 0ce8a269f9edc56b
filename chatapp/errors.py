"""What can go wrong, as one tree. The sentence for each code stands in `words.py`.

    ChatError            code, status, sentence
    ├── Refused          the request will never be accepted as it is
    │   ├── Invalid      422, a sentence for each field
    │   ├── SignedOut    401
    │   ├── Forbidden    403
    │   ├── Missing      404
    │   ├── Conflict     409
    │   └── TooLarge     413
    └── Later            not now: the same request may be accepted after `retry_after` seconds
        ├── TooMany      429, the caller asks too often
        └── Busy         503, we have no room

Every one of them means: nothing was stored.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from chatapp.words import SENTENCES


class ChatError(Exception):
    """An answer for the person who asked. `code` is stable and part of the interface."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.sentence = SENTENCES[code].format(**values)
        super().__init__(f"{code}: {self.sentence}")


class Refused(ChatError):
    status = 400


class Invalid(Refused):
    """`fields` maps the name of a form field to a code; the field '' stands for the whole form."""

    status = 422

    def __init__(self, fields: Mapping[str, str], **values: object) -> None:
        super().__init__(next(iter(fields.values())), **values)
        self.codes = dict(fields)
        self.fields = {name: SENTENCES[code].format(**values) for name, code in fields.items()}


class Checks:
    """Several checks whose complaints are told together: `with Checks() as c:` and `with c.next():` around each."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}

    @contextmanager
    def next(self) -> Iterator[None]:
        try:
            yield
        except Invalid as error:
            self._codes |= error.codes

    def __enter__(self) -> "Checks":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._codes:
            raise Invalid(self._codes) from None


class SignedOut(Refused):
    status = 401


class Forbidden(Refused):
    status = 403


class Missing(Refused):
    status = 404


class Conflict(Refused):
    status = 409


class TooLarge(Refused):
    status = 413


class Later(ChatError):
    """`retry_after`: seconds to wait before trying the same again."""

    status = 503

    def __init__(self, code: str, retry_after: float, **values: object) -> None:
        self.retry_after = retry_after
        self.seconds = max(1, round(retry_after))  # for people and for Retry-After
        super().__init__(code, seconds=self.seconds, **values)


class TooMany(Later):
    status = 429


class Busy(Later):
    status = 503
