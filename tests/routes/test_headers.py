"""The headers that every answer has, whatever kind it is."""

import json

import httpx
import pytest
from sqlalchemy import text

from chatapp.static_files import static_version
from tests.routes import pages
from tests.routes.people import HTMX, JSON, Person, services, somebody


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "media-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def policy(header: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


def check(answer: httpx.Response) -> None:
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value, f"{name} of {answer.request.url}"
    assert policy(answer.headers["content-security-policy"]).items() >= POLICY.items()
    assert "unsafe" not in answer.headers["content-security-policy"]
    takes_media = answer.request.url.path.endswith("/call")
    assert ("camera=()" in answer.headers["permissions-policy"]) is not takes_media
    assert len(answer.headers["x-request-id"]) == 16
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers
    assert len(answer.headers.get_list("content-security-policy")) == 1


async def test_only_the_page_of_a_call_may_have_a_camera(site):
    ann = await somebody(site)
    check(await ann.get(f"/rooms/{await ann.opens('Lab')}/call"))


async def kinds(ann: Person, room: int) -> dict[str, httpx.Response]:
    visitor = Person(ann.site)
    big = b"a" * 200_000
    return {
        "page": await ann.get(f"/rooms/{room}"),
        "public page": await visitor.get("/sign-in"),
        "fragment": await ann.get("/sidebar", headers=HTMX),
        "redirect": await ann.get("/"),
        "sent to sign in": await visitor.get("/rooms"),
        "background, signed out": await visitor.get("/rooms", headers=HTMX),
        "json": await ann.tries_to_say(room, "hello"),
        "json refused": await ann.tries_to_say(room, ""),
        "static": await visitor.get(f"/static/{static_version()}/css/app.css"),
        "static 304": await visitor.get(
            f"/static/{static_version()}/css/app.css",
            headers={
                "If-None-Match": (
                    await visitor.get(f"/static/{static_version()}/css/app.css")
                ).headers["etag"]
            },
        ),
        "static 404": await visitor.get(f"/static/{static_version()}/css/nothing.css"),
        "icon": await visitor.get("/favicon.ico"),
        "manifest": await visitor.get("/manifest.webmanifest"),
        "worker": await visitor.get("/service-worker.js"),
        "offline": await visitor.get("/offline"),
        "up": await visitor.get("/up"),
        "ready": await visitor.get("/ready"),
        "403": await (await somebody(ann.site)).get(f"/rooms/{room}/settings"),
        "403 cross": await visitor.client.post(
            "/sign-in", headers={"Origin": "http://evil.example"}
        ),
        "404": await ann.get("/nothing"),
        "404 visitor": await visitor.get("/nothing"),
        "404 json": await visitor.get("/nothing", headers=JSON),
        "405": await visitor.client.put("/rooms"),
        "413": await visitor.client.post("/sign-in", content=big),
        "422": await visitor.post("/sign-up"),
        "400 host": await visitor.get("/", headers={"Host": "evil.example"}),
        "head": await visitor.client.head("/sign-in"),
        "slash": await ann.get("/rooms/"),
    }


async def test_every_kind_of_answer_has_them(ann, lab):
    answers = await kinds(ann, lab)
    for answer in answers.values():
        check(answer)
    ids = [answer.headers["x-request-id"] for answer in answers.values()]
    assert len(set(ids)) == len(ids)
    statuses = {answer.status_code for answer in answers.values()}
    assert {200, 303, 304, 307, 400, 401, 403, 404, 405, 413, 422} <= statuses


async def test_what_is_private_is_kept_by_nobody(ann, lab):
    answers = await kinds(ann, lab)
    kept = {"static", "static 304", "icon", "manifest", "worker"}
    for kind, answer in answers.items():
        if kind not in kept:
            assert answer.headers["cache-control"] == "no-store", kind
    assert answers["static"].headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answers["static"].headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("version", ["0" * 12, "f" * 12])
async def test_a_file_asked_for_under_an_old_address_is_not_kept_for_ever(ann, version):
    answer = await ann.get(f"/static/{version}/css/app.css")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static", "/static/css/app.css", f"/static/{'0' * 12}/", f"/static/{'0' * 12}",
     f"/static/{'0' * 12}/css", f"/static/{'0' * 12}/../app.py", f"/static/{'0' * 12}/..%2fapp.py",
     f"/static/{'0' * 12}/%2e%2e/app.py", f"/static/{'0' * 12}//etc/passwd", f"/static/{'0' * 12}/a%00.css",
     f"/static/{'0' * 12}/" + "a" * 5000, f"/static/{'0' * 12}/%ff", "/static/..%2f..%2fetc/passwd",
     f"/static/{'0' * 12}/css%5c..%5c..%5capp.py"],
)  # fmt: skip
async def test_only_files_meant_for_it_are_handed_out(ann, path):
    answer = await ann.get(path)
    assert answer.status_code in {404, 307}
    assert "import" not in answer.text.lower().split("<body")[0].replace("important", "")


async def test_over_https_browsers_are_told_to_stay_there(ann):
    assert "strict-transport-security" not in (await ann.get("/sign-in")).headers
    visitor = Person(ann.site, base_url="https://localhost")
    for path in ("/sign-in", "/nothing", "/up"):
        assert "max-age=" in (await visitor.get(path)).headers["strict-transport-security"]


async def test_pages_need_no_script_style_or_event_in_the_html(ann, lab):
    for path in (f"/rooms/{lab}", "/rooms", "/rooms/new", "/settings", "/nothing", "/offline"):
        for element in pages.read((await ann.get(path)).text).everything(templates=True):
            assert element.tag != "style"
            assert element.tag != "script" or element.text == ""
            assert "style" not in element.attributes
            assert not [name for name in element.attributes if name.startswith(("on", "hx-on"))]


@pytest.fixture
async def broken(ann, lab) -> Person:
    """Ann, on a site whose rooms have just lost a table: what nobody foresaw."""
    async with services(ann.site).database.transaction() as tx:
        await tx.execute(text("ALTER TABLE memberships RENAME TO memberships_gone"))
    return Person(ann.site, raise_errors=False).with_cookie(ann.cookie)


async def test_what_nobody_foresaw_tells_a_reference_and_nothing_else(broken, lab):
    for path in ("/rooms", f"/rooms/{lab}", "/sidebar"):
        answer = await broken.get(path)
        assert answer.status_code == 500
        check(answer)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"] in answer.text
        for hidden in (
            "memberships",
            "Traceback",
            "sqlite",
            "asyncpg",
            "select",
            "SELECT",
            "File ",
        ):
            assert hidden not in answer.text
    told = await broken.get("/rooms", headers=JSON)
    assert told.json()["code"] == "failed"
    assert told.json()["request"] == told.headers["x-request-id"]
    posted = await broken.tries_to_say(lab, "hello")
    assert posted.status_code == 500
    assert json.loads(posted.text)["code"] == "failed"
