"""How a message will look, before it is sent."""

from tests.routes import pages
from tests.routes.people import HTMX, Person, somebody


async def asks(person: Person, room: int, body: str, **headers: str):
    return await person.client.post(
        f"/rooms/{room}/preview", data={"body": body, "key": "k"}, headers=headers
    )


async def test_a_preview_is_what_members_will_see(roomy):
    ann, bob = await somebody(roomy), await somebody(roomy)
    room = await ann.opens("Lab")
    await bob.joins(room)
    body = f"*hello* @{bob.name}, `@{bob.name}` :tea: and @room\n\n```py\nx = 1\n```"
    preview = await asks(ann, room, body, **HTMX)
    await ann.says(room, body)
    (row,) = pages.read(await ann.sees(room)).all("article", class_="msg")
    assert preview.status_code == 200
    shown = pages.read(preview.text).one("div", class_="msg-body")
    assert _said(shown) == _said(row.one("div", class_="msg-body"))
    assert len(shown.all("span", class_="mention")) == 2


def _said(body: pages.Element) -> list[tuple[str, str]]:
    return [(element.tag, element.text) for element in body.everything()]


async def test_nothing_of_it_is_stored_and_nobody_is_told(roomy):
    ann, bob = await somebody(roomy), await somebody(roomy)
    room = await ann.opens("Lab")
    await bob.joins(room)
    await asks(ann, room, f"@{bob.name} *hello*", **HTMX)
    assert pages.bodies(await ann.sees(room)) == []
    assert "Nobody is waiting" in (await bob.get("/mentions")).text


async def test_what_cannot_be_sent_says_why(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Lab")
    for body in ("", "\u200b", "x" * 4001, "a\0b"):
        answer = await asks(ann, room, body, **HTMX)
        assert answer.status_code == 200
        assert pages.read(answer.text).one("p", class_="error").text
        assert not pages.read(answer.text).all("div", class_="msg-body")


async def test_without_scripts_the_page_comes_again_with_what_was_typed(roomy):
    ann = await somebody(roomy)
    room = await ann.opens("Lab")
    answer = await asks(ann, room, "*hello*\n <b>")
    assert answer.status_code == 200
    assert pages.typed(answer.text, "composer") == "*hello*\n <b>"
    preview = pages.read(answer.text).one(id="preview")
    assert "hidden" not in preview.attributes
    assert preview.one("em").text == "hello"
    page = pages.read(await ann.sees(room))
    assert "hidden" in page.one(id="preview").attributes
    toggle = page.one("button", formaction=f"/rooms/{room}/preview")
    assert toggle.attributes["type"] == "submit"


async def test_who_asks_too_often_has_to_wait(ann):
    room = await ann.opens("Lab")
    answers: list[int] = []
    while answers[-1:] != [429] and len(answers) < 1000:  # a slow machine gives some back meanwhile
        answers.append((await asks(ann, room, "x", **HTMX)).status_code)
    assert len(answers) > 60
    assert set(answers[:-1]) == {200}
    assert answers[-1] == 429
