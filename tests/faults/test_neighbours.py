"""One client is slow, hostile or simply wrong. Its neighbours notice nothing."""

import asyncio
import json
import random
import uuid

import websockets

from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.talks import seconds_until, waits
from tests.faults.verdict import stored, tell, verify
from tests.support.fixtures import Serve
from tests.support.raw_line import RawLine

SEED = 20261126
POISON = [
    '{"type":"post","room":1,"key":"KEY","body":"a\\u0000b"}',
    '{"type":"post","room":1,"key":"KEY","body":"\\ud800"}',
    '{"type":"post","room":1,"key":"KEY","body":' + "9" * 50_000 + "}",
    '{"type":"post","room":1,"key":"KEY","body":NaN}',
    "[" * 60_000,
    '{"type":"post","room":1,"key":"KEY","body":"' + "x" * 4001 + '"}',
    '{"type":"post","room":999999,"key":"KEY","body":"nowhere"}',
    '{"type":"post","room":1,"key":"no uuid","body":"x"}',
    '{"type":"post","room":1e400,"key":"KEY","body":"x"}',
    '{"type":"watch","room":1,"cursor":"nonsense"}',
    '{"type":"dance"}',
    "",
    "null",
]


async def connected(client: Client) -> websockets.ClientConnection:
    return await websockets.connect(
        client.url.replace("http", "ws") + "/ws",
        additional_headers={"Cookie": client.cookie},
        origin=websockets.Origin(client.url),
        compression=None,
        max_queue=None,
    )


async def test_f14_poison_among_good_traffic_harms_its_sender_only(
    serve: Serve, database_url: str
) -> None:
    server = await serve(DATABASE_URL=database_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 5, SEED)
    poisoner = crowd.clients.pop()
    answers: list[str] = []

    async def poison() -> None:
        async with await connected(poisoner) as line:
            for frame in POISON * 5:
                await line.send(frame.replace("KEY", str(uuid.uuid4())))
            key = str(uuid.uuid4())
            good = {"type": "post", "room": crowd.room, "key": key, "body": "a good one"}
            await line.send(json.dumps(good))
            async for text in line:
                answer = json.loads(text)
                answers.append(answer["type"])
                if answer["type"] == "ack":
                    return

    async with crowd.here():
        await asyncio.gather(poison(), *(client.talk(30) for client in crowd.clients))
    assert answers.count("ack") == 1
    assert answers.count("refused") + answers.count("error") == 5 * len(POISON)
    assert not any(client.refused for client in crowd.clients)
    room = await stored(database_url, crowd.room)
    assert len(room.messages) == 30 * len(crowd.clients) + 1
    tell(f"f14: {5 * len(POISON)} bad frames beside them, stored in {waits(crowd)}")
    await verify(crowd, database_url, strangers=1)


async def test_f9_readers_who_do_not_read_are_cut_and_nobody_waits_for_them(serve: Serve) -> None:
    """They finish the handshake, follow the room, and never read again."""
    server = await serve(LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 5, SEED + 1)
    stuck = [await _deaf(crowd.clients.pop()) for _ in range(2)]
    words = "w" * 3800
    async with crowd.here():
        # 2 x 512 KiB of ours and what the kernel holds: a few thousand messages of 4 KB are more than enough
        for number in range(60):
            await asyncio.gather(
                *(client.say(f"{client.name}-{number} {words}") for client in crowd.clients * 10)
            )
            if all(line.was_cut() for line in stuck):
                break
        assert all(line.was_cut() for line in stuck), (
            "a reader that reads nothing was kept for ever"
        )
        tell(
            f"f9: cut after {sum(len(client.sent) for client in crowd.clients)} messages,"
            f" their neighbours' stored in {waits(crowd)}"
        )
        assert not any(client.closes for client in crowd.clients)
    for line in stuck:
        line.close()


async def _deaf(client: Client) -> RawLine:
    """Follows the room, over a line that nobody ever reads from."""
    line = RawLine(client.url, client.cookie)
    await line.connect()
    await line.send(type="watch", room=client.room, cursor=client.cursor)
    return line


NONSENSE = [
    b"\x81\x05hello",  # not masked
    b"\xf1\x80\0\0\0\0",  # reserved bits
    b"\x83\x80\0\0\0\0",  # an unknown kind of frame
    b"\x81\x82\0\0\0\0\xff\xfe",  # not UTF-8
    b"\x82\x81\0\0\0\0x",  # binary
    b"\x81\xff\x00\x00\x00\x00\x01\x00\x00\x00\0\0\0\0",  # 16 MiB announced
    b"\x09\x80\0\0\0\0",  # a ping in pieces
    b"\x80\x80\0\0\0\0",  # goes on where nothing began
]


async def test_f17_a_malformed_frame_ends_its_own_connection_only(serve: Serve) -> None:
    server = await serve()
    server.allow("Invalid UTF-8 sequence received from client")
    crowd = await gather_crowd([server.url], 2, SEED + 2)
    deaf = crowd.clients.pop()
    async with crowd.here():
        for number, nonsense in enumerate(NONSENSE):
            line = await _deaf(deaf)
            await line.send_bytes(nonsense)
            delay = await seconds_until(asyncio.wait_for(line.is_ended(), 8))
            tell(f"f17: {nonsense[:6]!a} ended its line after {delay:.2f} s")
            await crowd.clients[0].say(f"undisturbed-{number}")
            assert not crowd.clients[0].closes
            line.close()


async def test_f19_people_who_come_and_go_all_the_time_miss_nothing(
    serve: Serve, database_url: str
) -> None:
    server = await serve(DATABASE_URL=database_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 6, SEED + 3)
    writers, flickering = crowd.clients[:3], crowd.clients[3:]
    dice = random.Random(SEED)
    done = asyncio.Event()

    async def flicker(client: Client) -> None:
        while not done.is_set():
            task = asyncio.create_task(client.live())
            await asyncio.sleep(dice.uniform(0.005, 0.08))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async with Crowd(writers, crowd.room).here():
        comings = asyncio.gather(*map(flicker, flickering))
        await asyncio.gather(*(client.talk(80) for client in writers))
        done.set()
        await comings
    tell(f"f19: stored in {waits(Crowd(writers, crowd.room))}")
    await verify(crowd, database_url)
