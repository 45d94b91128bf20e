"""One who asks a page as fast as he can, without waiting for answers: explanations by name and slow maps, all mixed.

    python benchmarks/flooder.py ADDRESS

Says so when it begins, and runs until it is killed; `load.py` starts it beside its visitors. Each of its connections
asks again as soon as its question is taken or refused; every question by name is a session of its own, and half of the
maps come from new ones. It listens for the answers to as many questions as it has streams, so that they count as
waited for; of the others the server drops what nobody listens for.
"""

import argparse
import asyncio
import itertools
import secrets
import sys
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from running_page import ROOT, Visitor

#: Connections at once, and the address that a proxy on this machine would have told of all of them.
N_CONNECTIONS, ADDRESS = 16, "10.6.6.6"
#: Streams of answers that it has open at most.
N_STREAMS = 256
RECORDING = ROOT / "assets" / "examples" / "piano.mp3"
MAPS = {"model": "msecnn", "tag": "piano", "window": 0, "method": "occlusion", "baseline": "floor"}


async def flood(address: str, visitor: Visitor, path: str) -> None:
    unlimited = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(headers={"X-Forwarded-For": ADDRESS}, timeout=None, limits=unlimited) as client:
        streams: set[asyncio.Task[None]] = set()
        await asyncio.gather(
            *(connection(client, address, visitor, path, number, streams) for number in range(N_CONNECTIONS))
        )


async def listen(client: httpx.AsyncClient, address: str, **query: str) -> None:
    """Hears a stream of answers to its end."""
    try:
        async with client.stream("GET", address, params=query) as stream:
            async for _ in stream.aiter_raw():
                pass
    except httpx.HTTPError:  # the server ended it
        return


async def connection(
    client: httpx.AsyncClient,
    address: str,
    visitor: Visitor,
    path: str,
    number: int,
    streams: set[asyncio.Task[None]],
) -> None:
    def hear(where: str, **query: str) -> None:
        if len(streams) < N_STREAMS:
            stream = asyncio.create_task(listen(client, address + where, **query))
            streams.add(stream)
            stream.add_done_callback(streams.discard)

    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for turn in itertools.count(number):
        if turn % 2:
            question = {"data": [file, "piano", "msecnn", 0]}
            taken = await client.post(f"{address}gradio_api/call/explain", json=question)
            if taken.is_success:
                hear(f"gradio_api/call/explain/{taken.json()['event_id']}")
            continue
        session = visitor.session if turn % 4 else secrets.token_hex(8)
        question = visitor.question("maps", token=secrets.token_hex(8), **MAPS) | {"session_hash": session}
        await client.post(f"{address}gradio_api/queue/join", json=question)
        hear("gradio_api/queue/data", session_hash=session)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of the page, with a slash at its end")
    args = parser.parse_args()
    visitor = Visitor(args.address)
    visitor.ask("open", example="piano")
    path = visitor.upload(RECORDING)
    print("flooding", flush=True)
    asyncio.run(flood(args.address, visitor, path))


if __name__ == "__main__":
    main()
