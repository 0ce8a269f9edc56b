"""Addresses that people give cannot be used to reach what only the server can reach."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from chatapp import outbound
from chatapp.outbound import Failed, Outbound, Unsafe, is_public
from tests.support.push_service import push_service

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
