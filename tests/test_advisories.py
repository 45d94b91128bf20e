"""The program that checks the lock against known advisories, against a stand-in for an OSV database."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "recipes"))

import check_advisories
from check_advisories import Package, advisories, locked, main

LOCK = """# made by a command
good==1.0 \\
    --hash=sha256:00
bad-one==2.1 ; python_full_version >= '3.13' \\
    --hash=sha256:11
"""
KNOWN = {
    "OSV-1": {
        "id": "OSV-1",
        "aliases": ["CVE-1"],
        "summary": "It can be\x1b[2J broken.",
        "affected": [
            {
                "package": {"name": "Bad-One", "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.2"}]}],
            }
        ],
    },
    "OSV-2": {"id": "OSV-2", "details": "On page two.\nMore of it.", "withdrawn": "2026-01-01T00:00:00Z"},
}


class Database(BaseHTTPRequestHandler):
    """Knows two advisories of one version of one package, a page for each."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"results": [self._page(query) for query in asked["queries"]]})

    def _page(self, query: dict[str, Any]) -> dict[str, Any]:
        assert query["package"]["ecosystem"] == "PyPI"
        if (query["package"]["name"], query["version"]) != ("bad-one", "2.1"):
            return {}
        if query.get("page_token") == "two":
            return {"vulns": [{"id": "OSV-2", "modified": "2026-01-01T00:00:00Z"}]}
        return {"vulns": [{"id": "OSV-1", "modified": "2026-01-01T00:00:00Z"}], "next_page_token": "two"}

    def do_GET(self) -> None:
        self._answer(KNOWN[self.path.removeprefix("/v1/vulns/")])

    def _answer(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def host() -> Iterator[str]:
    yield from served(Database)


@pytest.fixture
def lock(tmp_path: Path) -> str:
    path = tmp_path / "some.lock"
    path.write_text(LOCK)
    return str(path)


def test_what_is_known_is_told(host: str, lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([lock, "--host", host + "/"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "bad-one 2.1: OSV-1, CVE-1: It can be�[2J broken.; fixed in 2.2",
        "bad-one 2.1: OSV-2: On page two. (withdrawn)",
        "2 packages: 2 advisories, 0 accepted",
    ]


def test_what_is_accepted_is_counted(host: str, lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([lock, "--host", host, "--accept", "CVE-1", "OSV-2"]) == 0
    assert capsys.readouterr().out == "2 packages: 0 advisories, 2 accepted\n"


def test_many_packages_are_asked_for_in_batches(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_advisories, "BATCH", 2)
    packages = [*(Package(f"good-{i}", "1.0") for i in range(5)), Package("bad-one", "2.1")]
    assert [each.identifier for each in advisories(packages, host)] == ["OSV-1", "OSV-2"]


OTHERWISE = ("[]", "{", '{"results": []}', '{"results": [1, 2]}', '{"results": [{"vulns": [{}]}, {}]}')


@pytest.mark.parametrize("answer", OTHERWISE)
def test_another_server_is_told_from_a_database(answer: str, lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    class Other(Database):
        def _answer(self, content: Any) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

    for address in served(Other):
        assert main([lock, "--host", address]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


def test_no_network_is_one_sentence(lock: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([lock, "--host", "http://127.0.0.1:9"]) == 2
    assert "cannot be asked: " in capsys.readouterr().err


def test_both_locks_are_read_whole() -> None:
    for lock in check_advisories.LOCKS:
        text = lock.read_text(encoding="utf-8")
        assert len(locked(text)) == sum(line[:1].isalnum() for line in text.splitlines()) > 50
