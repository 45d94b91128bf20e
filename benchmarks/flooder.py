"""One who asks a page as fast as he can, without waiting for answers: explanations by name and slow maps, all mixed.

    python benchmarks/flooder.py ADDRESS

Runs until it is killed; `load.py` starts it beside its visitors. Each of its connections asks again as soon as its
question is taken or refused; every question by name is a session of its own, and half of the maps come from new ones.
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
RECORDING = ROOT / "assets" / "examples" / "piano.mp3"
MAPS = {"model": "msecnn", "tag": "piano", "window": 0, "method": "occlusion", "baseline": "floor"}


async def flood(address: str, visitor: Visitor, path: str) -> None:
    async with httpx.AsyncClient(headers={"X-Forwarded-For": ADDRESS}, timeout=None) as client:
        await asyncio.gather(*(connection(client, address, visitor, path, number) for number in range(N_CONNECTIONS)))


async def connection(client: httpx.AsyncClient, address: str, visitor: Visitor, path: str, number: int) -> None:
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for turn in itertools.count(number):
        if turn % 2:
            question = {"data": [file, "piano", "msecnn", 0]}
            await client.post(f"{address}gradio_api/call/explain", json=question)
            continue
        session = visitor.session if turn % 4 else secrets.token_hex(8)
        question = visitor.question("maps", token=secrets.token_hex(8), **MAPS) | {"session_hash": session}
        await client.post(f"{address}gradio_api/queue/join", json=question)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of the page, with a slash at its end")
    args = parser.parse_args()
    visitor = Visitor(args.address)
    visitor.ask("open", example="piano")
    asyncio.run(flood(args.address, visitor, visitor.upload(RECORDING)))


if __name__ == "__main__":
    main()
