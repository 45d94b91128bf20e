"""The Hub's HTTP interface, as much of it as its own client needs to fetch and to upload; on this machine alone.

It refuses what the Hub refuses: a binary file that comes as an ordinary one. Which files take large storage it says as
the Hub does, when asked with a file's first bytes.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

KINDS = ("models", "spaces")


class HubStandIn(ThreadingHTTPServer):
    """Repositories in memory.

    Attributes:
        commits: by repository and revision, each file's content by its path.
        heads: each repository's newest commit.
        large: content that came into large storage, by its SHA-256.
        asked: (method, path) of every request.
        refusal: what it answers to whoever commits; nothing where it takes all.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.commits: dict[tuple[str, str], dict[str, bytes]] = {}
        self.heads: dict[str, str] = {}
        self.large: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.refusal = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, repository: str, files: dict[str, bytes]) -> str:
        """Makes a commit of these files and those there were; gives its name."""
        before = self.commits.get((repository, self.heads.get(repository, "")), {})
        content = {**before, **files}
        oid = hashlib.sha1(repr(sorted(content.items())).encode()).hexdigest()
        self.commits[repository, oid] = content
        self.heads[repository] = oid
        return oid

    def commit(self, repository: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        oid = self.heads.get(repository, "") if revision == "main" else revision
        files = self.commits.get((repository, oid))
        return None if files is None else (oid, files)


def is_binary(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.end < len(content) - 3  # a sample may end within a letter
    return b"\0" in content


class Answers(BaseHTTPRequestHandler):
    server: HubStandIn
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        path = self._path()
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if path == "/api/repos/create":
            given = json.loads(body)
            repository = f"{given['organization']}/{given['name']}" if given.get("organization") else given["name"]
            self._json({"url": f"{self.server.address}/{repository}"})
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            files = json.loads(body)["files"]
            self._json({"files": [self._mode(file) for file in files]})
        elif path.endswith("/info/lfs/objects/batch"):
            self._json({"transfer": "basic", "objects": [self._place(file) for file in json.loads(body)["objects"]]})
        elif "/commit/" in path:
            self._commit(path.split("/commit/")[0].split("/", 3)[3], [json.loads(line) for line in body.splitlines()])
        else:
            self._json({"error": "not found"}, 404)

    def do_PUT(self) -> None:
        self.server.large[self._path().rpartition("/")[2]] = self.rfile.read(int(self.headers["content-length"]))
        self._json({})

    def do_GET(self) -> None:
        path = self._path()
        if "/resolve/" in path:
            self._file(path)
        elif "/tree/" in path:
            repository, _, revision = path.removeprefix("/api/models/").partition("/tree/")
            self._json([_entry(*file) for file in self.server.commits[repository, revision.split("/")[0]].items()])
        elif path.startswith("/api/models/"):
            self._info(*path.removeprefix("/api/models/").partition("/revision/")[::2])
        else:
            self._json({"error": "not found"}, 404)

    do_HEAD = do_GET

    # ---- what is answered
    def _info(self, repository: str, revision: str) -> None:
        found = self.server.commit(repository, revision or "main")
        if found:
            self._json({"id": repository, "sha": found[0], "siblings": [{"rfilename": name} for name in found[1]]})
        elif repository in self.server.heads:
            self._json({"error": "no such revision"}, 404, {"X-Error-Code": "RevisionNotFound"})
        else:
            self._json({"error": "no such repository"}, 404, {"X-Error-Code": "RepoNotFound"})

    def _file(self, path: str) -> None:
        repository, _, rest = path[1:].partition("/resolve/")
        revision, _, name = rest.partition("/")
        found = self.server.commit(repository, revision)
        if found is None or name not in found[1]:
            self._json({"error": "no such file"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        content = found[1][name]
        entry = {"X-Repo-Commit": found[0], "ETag": f'"{_blob(content)}"'}
        if is_binary(content):
            entry |= {"X-Linked-Etag": f'"{_sha256(content)}"', "X-Linked-Size": str(len(content))}
        self._send(200, content, entry)

    def _mode(self, file: dict[str, Any]) -> dict[str, Any]:
        mode = "lfs" if is_binary(base64.b64decode(file["sample"])) else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}

    def _place(self, file: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.server.address}/large/{file['oid']}"}
        return {**file, "actions": {"upload": upload}}

    def _commit(self, repository: str, operations: list[dict[str, Any]]) -> None:
        if self.server.refusal:
            self._json({"error": self.server.refusal}, 403)
            return
        files: dict[str, bytes] = {}
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
                if is_binary(files[value["path"]]):
                    self._json({"error": "Your push was rejected because it contains binary files."}, 400)
                    return
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
        oid = self.server.put(repository, files)
        self._json({"commitUrl": f"{self.server.address}/{repository}/commit/{oid}", "commitOid": oid})

    # ---- how
    def _path(self) -> str:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append((self.command, path))
        return path

    def _json(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": _blob(content)}
    if is_binary(content):
        entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 130}
    return entry


@contextmanager
def hub_stand_in(monkeypatch: pytest.MonkeyPatch, cache: str) -> Iterator[HubStandIn]:
    """The Hub's client of this process speaks to a stand-in, with a cache of its own."""
    from huggingface_hub import constants

    with HubStandIn() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in {
            "ENDPOINT": server.address,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_CACHE": cache,
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_OFFLINE": False,
        }.items():
            monkeypatch.setattr(constants, name, value)
        yield server
        server.shutdown()
