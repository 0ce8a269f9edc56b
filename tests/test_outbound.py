"""Addresses that people give cannot be used to reach what only the server can reach."""

import asyncio
import gzip
import socket
from ipaddress import ip_address

import pytest

from chatapp import outbound
from chatapp.outbound import Failed, Outbound, Unsafe, is_public
from tests.support.push_service import push_service
from tests.support.web_server import answer, leads_to, web_server

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "2002:c0a8:101::",
    "2001:db8::1",
]
BAD = [
    "",
    "http://push.example/x",
    "ftp://push.example/x",
    "file:///etc/passwd",
    "//push.example/x",
    "https:///x",
    "https://push.example:80/x",
    "https://push.example:22/x",
    "https://push.example:0/x",
    "https://push.example:99999/x",
    "https://user@push.example/x",
    "https://user:secret@push.example/x",
    "https://push.example\\@10.0.0.1/x",
    "https://push.example/a b",
    "https://push.example/a\r\nHost: other",
    "https://pushé.example/x",
    "https://localhost/x",
    "https://redis/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://push.example/" + "x" * 1000,
]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_a_local_network_is_public(address):
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Unsafe):
        Outbound().target(f"https://{host}/x")


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "::ffff:8.8.8.8"])
def test_addresses_of_the_open_internet_are(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("url", BAD)
def test_nothing_but_https_to_a_public_host_is_a_target(url):
    with pytest.raises(Unsafe):
        Outbound().target(url)


def test_what_push_services_hand_out_is():
    target = Outbound().target("https://push.example:8443/wpush/v2/gAAA-_?a=b")
    assert (target.host, target.port, target.path) == ("push.example", 8443, "/wpush/v2/gAAA-_?a=b")
    assert target.origin == "https://push.example:8443"
    assert Outbound().target("https://push.example/x").origin == "https://push.example"


@pytest.mark.parametrize(
    "found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["fe80::1%eth0"]]
)
async def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(monkeypatch, found):
    async def resolve(*_: object, **__: object):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    monkeypatch.setattr(asyncio, "open_connection", None)  # would raise another error
    with pytest.raises(Unsafe):
        await Outbound().post("https://rebind.example/x", {}, b"")


async def test_the_connection_goes_to_the_very_address_that_was_checked(monkeypatch):
    went: list[object] = []

    async def resolve(*_: object, **__: object):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]

    async def connect(host: str, port: int, **given: object):
        went.append((host, port, given["server_hostname"]))
        raise OSError

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    monkeypatch.setattr(asyncio, "open_connection", connect)
    with pytest.raises(Failed):
        await Outbound().post("https://push.example/x", {}, b"")
    assert went == [("8.8.8.8", 443, "push.example")], "and its certificate is that of the name"


async def test_an_answer_that_leads_elsewhere_is_not_followed():
    async with push_service() as service:
        browser = service.browser("ann")
        service.answers = [307]
        out = Outbound(("127.0.0.1",))
        from chatapp.webpush import Vapid, encrypt

        headers = {
            "Content-Encoding": "aes128gcm",
            "Authorization": Vapid(Vapid.new()).authorization(service.origin, "https://x.example"),
        }
        body = encrypt(b"{}", browser.fields["p256dh"], browser.fields["auth"])
        answer = await out.post(browser.fields["endpoint"], headers, body)
        assert answer.status == 307


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999]
)
async def test_an_answer_that_is_none_or_never_ends_is_given_up(said, monkeypatch):
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Failed):
            await Outbound(("127.0.0.1",)).post(f"http://127.0.0.1:{port}/", {}, b"")


async def test_who_does_not_answer_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(outbound, "SECONDS", 0.1)
    held = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Failed):
            await Outbound(("127.0.0.1",)).post(f"http://127.0.0.1:{port}/", {}, b"")
        held.set()


# -- pages ---------------------------------------------------------------------------

HTML = ("text/html",)
NO_PAGES = [
    "ftp://site.example/x",
    "gopher://site.example/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "//site.example/x",
    "http:///x",
    "http://site.example:8080/x",
    "http://site.example:22/x",
    "http://user:secret@site.example/x",
    "http://site.example\\@10.0.0.1/x",
    "http://localhost/x",
    "http://redis/x",
    "http://0/x",
    "http://127.1/x",
    "http://2130706433/x",
    "http://0x7f000001/x",
    "http://0177.0.0.1/x",
    "http://１２７.0.0.1/x",
    "http://127。0。0。1/x",
    "http://[::1",
    "http://site.example/" + "x" * 1000,
]


class Resolver:
    """Every name has these addresses, one after another each time it is looked up; how often stands in `asked`."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return [self.addresses[min(len(self.asked), len(self.addresses)) - 1]]


@pytest.mark.parametrize("url", NO_PAGES)
async def test_nothing_but_a_public_web_address_is_asked_for_a_page(url):
    with pytest.raises(Unsafe):
        await Outbound(resolve=Resolver("8.8.8.8")).get(url, HTML, 1000, 5)


@pytest.mark.parametrize("address", PRIVATE)
async def test_no_page_comes_from_a_private_address_named_or_resolved(address, monkeypatch):
    monkeypatch.setattr(asyncio, "open_connection", None)  # would raise another error
    host = f"[{address}]" if ":" in address else address
    for url in (f"http://{host}/", f"https://{host}/", "https://site.example/"):
        with pytest.raises(Unsafe):
            await Outbound(resolve=Resolver(address)).get(url, HTML, 1000, 5)


async def test_a_page_is_found_with_its_kind_and_charset():
    async with web_server() as web:
        web.answers["/a?b=c"] = answer(b"<p>hi", 'Text/HTML; charset="ISO-8859-1"')
        found = await Outbound(("127.0.0.1",)).get(web.origin + "/a?b=c#part", HTML, 1000, 5)
        assert (found.kind, found.charset, found.body) == ("text/html", "ISO-8859-1", b"<p>hi")
        head = web.asked[0].lower()
        assert "user-agent: chatapp (link previews)" in head
        assert "cookie" not in head
        assert "referer" not in head


async def test_signs_of_other_scripts_go_as_punycode_and_percents():
    async with web_server() as web:
        web.answers["/stra%C3%9Fe?q=%C3%BC%20%41"] = answer(b"hi")
        out = Outbound(("xn--mnchen-3ya.example",), Resolver("127.0.0.1"))
        found = await out.get(f"http://München.example:{web.port}/straße?q=ü %41", HTML, 1000, 5)
        assert found.body == b"hi"


async def test_three_redirects_are_followed_and_no_more():
    async with web_server() as web:
        for n, status in enumerate((301, 303, 307, 308), 1):
            web.answers[f"/{n}"] = leads_to(f"/{n - 1}", status)
        web.answers["/0"] = answer(b"here")
        out = Outbound(("127.0.0.1",))
        found = await out.get(web.origin + "/3", HTML, 1000, 5)
        assert (found.url, found.body) == (web.origin + "/0", b"here")
        with pytest.raises(Failed):
            await out.get(web.origin + "/4", HTML, 1000, 5)


@pytest.mark.parametrize(
    "inside",
    [
        "http://localhost:{port}/secret",
        "//localhost:{port}/secret",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/_x",
        "https://site.example:6379/",
        "http://[",
    ],
)
async def test_each_redirect_is_checked_anew(inside):
    async with web_server() as web:
        web.answers["/"] = leads_to(inside.format(port=web.port))
        with pytest.raises(Unsafe):
            await Outbound(("127.0.0.1",)).get(web.origin + "/", HTML, 1000, 5)
        assert web.paths() == ["/"]


async def test_a_name_that_moves_inside_between_two_looks_gains_nothing(monkeypatch):
    """It is looked up once for each request, and connected to where it was when it was checked."""
    went: list[object] = []

    async def connect(host: str, *_: object, **__: object):
        went.append(host)
        raise OSError

    monkeypatch.setattr(asyncio, "open_connection", connect)
    moves = Resolver("8.8.8.8", "127.0.0.1")
    with pytest.raises(Failed):
        await Outbound(resolve=moves).get("https://rebind.example/x", HTML, 1000, 5)
    assert (moves.asked, went) == (["rebind.example"], ["8.8.8.8"])
    with pytest.raises(Unsafe):
        await Outbound(resolve=moves).get("https://rebind.example/x", HTML, 1000, 5)


@pytest.mark.parametrize(
    "said",
    [
        answer(b"{}", "application/json"),
        answer(b"<svg>", "image/svg+xml"),
        answer(b"", status=404),
        answer(b"", status=204),
        answer(b"x", Content_Encoding="br"),
        answer(b"x", Content_Encoding="gzip, gzip"),
        answer(b"no gzip", Content_Encoding="gzip"),
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999,
    ],
)
async def test_what_is_no_page_is_given_up(said):
    async with web_server() as web:
        web.answers["/"] = said
        with pytest.raises(Failed):
            await Outbound(("127.0.0.1",)).get(web.origin + "/", HTML, 1000, 5)


async def test_of_a_page_without_end_and_of_a_bomb_no_more_is_taken_than_asked_for():
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def chunks(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        while True:
            writer.write(b"1\r\nx\r\n" * 9999)
            await writer.drain()

    bomb = gzip.compress(bytes(50_000_000))
    async with web_server() as web:
        web.answers |= {
            "/endless": endless,
            "/chunks": chunks,
            "/bomb": answer(bomb, Content_Encoding="gzip"),
        }
        for path in web.answers:
            found = await Outbound(("127.0.0.1",)).get(web.origin + path, HTML, 100_000, 20)
            assert 10_000 < len(found.body) <= 100_000


async def test_who_drips_is_given_up_in_time():
    async def drip(writer: asyncio.StreamWriter) -> None:
        for sign in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000:
            writer.write(bytes([sign]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with web_server() as web:
        web.answers["/"] = drip
        with pytest.raises(Failed, match="TimeoutError"):
            await Outbound(("127.0.0.1",)).get(web.origin + "/", HTML, 1000, 0.3)


async def test_no_proxy_of_the_environment_is_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with web_server() as web:
        web.answers["/"] = answer(b"hi")
        found = await Outbound(("127.0.0.1",)).get(web.origin + "/", HTML, 1000, 5)
        assert found.body == b"hi"
