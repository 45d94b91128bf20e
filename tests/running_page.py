"""The page in a process of its own, as a host runs it, and a visitor who speaks to it as the browser does."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from gradio_client.utils import apply_diff

ROOT = Path(__file__).resolve().parents[1]
#: Seconds until a page must answer, on a machine with much else to do.
START_S = 900


class RunningPage:
    """`python app.py`, or another command, until it is left; `kill` and `start` again as often as one likes.

    Args:
        options: for the command line.
        environment: variables on top of ours.
        host: where it listens by what the options and variables say.
        command: what opens a page.
        folder: where it is started.
    """

    def __init__(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        command: Sequence[str] = (sys.executable, str(ROOT / "app.py")),
        folder: Path = ROOT,
    ) -> None:
        self.port = free_port()
        self.address = f"http://{host}:{self.port}/"
        self.log: list[str] = []
        self._command = [*command, "--port", str(self.port), *options]
        self._folder = folder
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self.process: subprocess.Popen[str]

    def __enter__(self) -> "RunningPage":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Returns when the page answers."""
        self.process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        deadline = time.monotonic() + START_S
        with httpx.Client(timeout=5) as client:  # one: each reads all certificates anew
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    time.sleep(0.2)  # for the last lines
                    raise RuntimeError("the page did not start:\n" + "".join(self.log[-40:]))
                try:
                    if client.get(f"{self.address}config").status_code == 200:
                        return
                except httpx.HTTPError:
                    time.sleep(0.1)
        self.kill()
        raise RuntimeError("the page did not answer:\n" + "".join(self.log[-40:]))

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.log.extend(process.stdout)

    def kill(self) -> None:
        """As a power cut does it."""
        self.process.kill()
        self.process.wait()

    def memory_mb(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Visitor:
    """A browser's conversation with the page, without a browser: uploads, and requests of the RPC endpoints.

    Args:
        patience_s: longest time that it listens for the answers to what it asked; then httpx.ReadTimeout is raised.
    """

    def __init__(self, address: str, patience_s: float = 600.0) -> None:
        self.address, self._patience_s = address.rstrip("/"), patience_s
        self.session = secrets.token_hex(8)
        self._http = httpx.Client(timeout=120)
        config = self._http.get(f"{self.address}/config").json()
        endpoints = {
            component["props"]["elem_id"].removeprefix("rpc-"): component["id"]
            for component in config["components"]
            if str(component["props"].get("elem_id")).startswith("rpc-")
        }
        self._questions = {
            name: function["id"]
            for name, component in endpoints.items()
            for function in config["dependencies"]
            if [component, "call"] in [list(target) for target in function["targets"]]
        }
        self.endpoints = tuple(self._questions)

    def upload(self, path: Path, name: str | None = None) -> str:
        """Where the page has put the file."""
        files = {"files": (name or path.name, path.read_bytes())}
        answer = self._http.post(f"{self.address}/gradio_api/upload", files=files)
        answer.raise_for_status()
        (place,) = answer.json()
        return str(place)

    def ask(self, endpoint: str, **request: Any) -> dict[str, Any]:
        """The last answer to a question."""
        return list(self.asked(endpoint, **request))[-1]

    def asked(self, endpoint: str, **request: Any) -> Iterator[dict[str, Any]]:
        """All answers to a question, of which those before the last tell of progress."""
        self.send(endpoint, **request)
        yield from self.listen()

    def send(self, endpoint: str, **request: Any) -> None:
        """Asks without waiting for the answer."""
        self._http.post(
            f"{self.address}/gradio_api/queue/join", json=self.question(endpoint, **request)
        ).raise_for_status()

    def question(self, endpoint: str, **request: Any) -> dict[str, Any]:
        """What a browser sends to ask."""
        return {
            "fn_index": self._questions[endpoint],
            "data": [None],
            "event_data": {"id": secrets.token_hex(4), **request},
            "session_hash": self.session,
        }

    def listen(self) -> Iterator[dict[str, Any]]:
        """The answers to all that was asked, until none is left to come; who stops listening has left."""
        values: dict[str, Any] = {}
        deadline = time.monotonic() + self._patience_s
        with self._http.stream(
            "GET", f"{self.address}/gradio_api/queue/data", params={"session_hash": self.session}
        ) as stream:
            for line in stream.iter_lines():  # every 15 s at the latest: Gradio's heartbeat
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"no answer within {self._patience_s:g} s")
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") in ("process_generating", "process_completed"):
                    event = message["event_id"]
                    values[event], payloads = _payload(message, values.get(event))
                    yield from payloads
                if message.get("msg") == "close_stream":
                    return


def _payload(message: dict[str, Any], before: Any) -> tuple[Any, list[dict[str, Any]]]:
    """The component's value after a message, and the answer in it, if any.

    Gradio sends a generator's first value whole, later ones as differences from the one before, and the last one again.
    """
    if not message["success"]:
        return None, [{"error": message["output"].get("error")}]
    value = (message["output"].get("data") or [None])[0]
    if message["msg"] == "process_generating" and before is not None:
        value = apply_diff(before, value)
    return value, [value] if isinstance(value, dict) and "request" in value else []
