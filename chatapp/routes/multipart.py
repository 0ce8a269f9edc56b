"""A form with a file in it, read as it comes: the file's content goes on piece by piece and is never whole anywhere."""

from collections.abc import AsyncIterator
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from chatapp.errors import Invalid, Refused, TooLarge

AHEAD_BYTES: Final = 128 * 1024  # of everything but the file


class Form:
    """`fields` are those that stand ahead of the file; what comes after it is passed over.

    form = Form(request)
    name = await form.begin()           reads up to the file's content
    async for piece in form.pieces():   the content
    """

    def __init__(self, request: Request) -> None:
        self._stream = request.stream()
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Refused("bad_request")
        self.fields: dict[str, str] = {}
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._file: str | None = None
        self._is_over = False
        self._said = bytearray()
        self._content: list[bytes] = []
        self._ahead = 0
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._header.extend(
                        data[start:end]
                    ),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._data,
                    "on_part_end": self._end_part,
                },
            )
        except FormParserError:  # too long a boundary
            raise Refused("bad_request") from None

    async def begin(self) -> str:
        """The name of the file. Raises `Refused`, `TooLarge`, and `Invalid` when there is no file."""
        while (name := self._named()) is None and await self._more():
            if self._ahead > AHEAD_BYTES and self._named() is None:
                raise TooLarge("too_large")
        if not name:  # a browser sends an empty name where none was chosen
            raise Invalid({"file": "file_none"})
        return name

    def _named(self) -> str | None:
        """The name of the file, once it has begun."""
        return self._file

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            content, self._content = self._content, []
            for piece in content:
                yield piece
            if self._is_over:
                return
            if not await self._more():
                raise Refused("bad_request")  # it ends in the middle

    async def _more(self) -> bool:
        """Reads on. False: that was all."""
        async for piece in self._stream:
            self._ahead += len(piece)
            if not piece:
                continue
            try:
                self._parser.write(piece)
            except FormParserError:
                raise Refused("bad_request") from None
            return True
        return False

    # -- what the parser finds ----------------------------------------------------

    def _begin_part(self) -> None:
        self._headers = {}
        self._said.clear()

    def _end_header(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        if self._file is not None:
            return
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode(errors="replace")
        if b"filename" in options:
            self._file = options[b"filename"].decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._said += data[start:end]
        elif not self._is_over:
            self._content.append(data[start:end])

    def _end_part(self) -> None:
        if self._file is not None:
            self._is_over = True
        elif len(self.fields) < 20:
            self.fields[self._name] = self._said.decode(errors="replace")
