"""Check the locked packages against the known advisories of an OSV database; needs network, as CI here has none.

    python recipes/check_advisories.py [LOCK ...] [--host https://api.osv.dev] [--accept ID ...]

LOCK: requirements-app.lock and requirements.lock if none is named. Only names and versions are sent. The exit status is
0 where nothing is known, 1 where something is, 2 where the database could not be asked.
"""

import argparse
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (ROOT / "requirements-app.lock", ROOT / "requirements.lock")
HOST = "https://api.osv.dev"  # https://google.github.io/osv.dev/api/
BATCH = 1_000  # packages that one question may name
TIMEOUT_S = 30.0
LONGEST_ANSWER = 2**26  # bytes
MAX_PAGES = 100


class DatabaseError(Exception):
    """The database could not be asked; the message is one sentence."""


@dataclass(frozen=True, order=True)
class Package:
    """A package as a lock pins it."""

    name: str
    version: str


@dataclass(frozen=True)
class Advisory:
    """What is known of a package.

    Attributes:
        package: that it is about.
        identifier: in the database.
        aliases: in other databases, such as CVE numbers.
        summary: in a line.
        fixed: versions that have it no more.
    """

    package: Package
    identifier: str
    aliases: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        names = ", ".join((self.identifier, *self.aliases))
        fixed = f"; fixed in {', '.join(self.fixed)}" if self.fixed else ""
        return f"{self.package.name} {self.package.version}: {names}: {self.summary}{fixed}"


def locked(lock: str) -> list[Package]:
    """The packages of a lock's text, for whatever system and Python they are."""
    return sorted({Package(*pin) for pin in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE)})


def advisories(packages: Sequence[Package], host: str = HOST) -> list[Advisory]:
    """What the database knows of packages.

    Raises:
        DatabaseError: it cannot be reached, or answers otherwise than OSV does.
    """
    try:
        return [_advisory(package, identifier, host) for package, identifier in _identifiers(packages, host)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DatabaseError(f"{host} answers otherwise than an OSV database does.") from error


def _identifiers(packages: Sequence[Package], host: str) -> Iterator[tuple[Package, str]]:
    """Package and identifier of each advisory; a long list comes page by page."""
    for first in range(0, len(packages), BATCH):
        waiting = [(package, _query(package)) for package in packages[first : first + BATCH]]
        for _ in range(MAX_PAGES):
            answer = _ask(f"{host}/v1/querybatch", {"queries": [query for _, query in waiting]})
            pages = list(zip(waiting, answer["results"], strict=True))
            for (package, _), page in pages:
                yield from ((package, known["id"]) for known in page.get("vulns", ()))
            waiting = [
                (package, _query(package) | {"page_token": page["next_page_token"]})
                for (package, _), page in pages
                if page.get("next_page_token")
            ]
            if not waiting:
                break
        else:
            raise DatabaseError(f"{host} sends page after page and no last one.")


def _query(package: Package) -> dict[str, Any]:
    return {"package": {"name": package.name, "ecosystem": "PyPI"}, "version": package.version}


def _advisory(package: Package, identifier: str, host: str) -> Advisory:
    told = _ask(f"{host}/v1/vulns/{urllib.parse.quote(identifier, safe='')}")
    fixed = {
        event["fixed"]
        for affected in told.get("affected", ())
        if affected.get("package", {}).get("name", "").lower() == package.name
        for span in affected.get("ranges", ())
        if span.get("type") == "ECOSYSTEM"
        for event in span.get("events", ())
        if "fixed" in event
    }
    summary = told.get("summary") or told.get("details", "").strip().partition("\n")[0] or "no summary"
    withdrawn = " (withdrawn)" if told.get("withdrawn") else ""
    return Advisory(package, told["id"], tuple(told.get("aliases", ())), f"{summary}{withdrawn}", tuple(sorted(fixed)))


def _ask(url: str, question: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", "User-Agent": "msecnn"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            answer = json.loads(response.read(LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        raise DatabaseError(f"{url} answers {error.code} {error.reason}.") from error
    except (OSError, ValueError) as error:
        raise DatabaseError(f"{url} cannot be asked: {getattr(error, 'reason', error)}.") from error
    if not isinstance(answer, dict):
        raise DatabaseError(f"{url} answers otherwise than an OSV database does.")
    return answer


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("locks", nargs="*", type=Path, metavar="LOCK", help="default: both of this repository")
    parser.add_argument("--host", default=HOST, help=f"an OSV database, or a mirror of one (default: {HOST})")
    parser.add_argument("--accept", nargs="*", default=[], metavar="ID", help="advisories that are known not to matter")
    args = parser.parse_args(argv)
    if not args.host.startswith(("https://", "http://")):
        parser.error(f"--host must begin with https:// or http://, not {args.host!r}")
    packages = sorted({package for lock in args.locks or LOCKS for package in locked(lock.read_text(encoding="utf-8"))})
    try:
        known = advisories(packages, args.host.rstrip("/"))
    except DatabaseError as error:
        print(error, file=sys.stderr)
        return 2
    accepted = set(args.accept)
    matter = [each for each in known if accepted.isdisjoint({each.identifier, *each.aliases})]
    for advisory in matter:
        print("".join(c if c.isprintable() else "�" for c in str(advisory)))
    print(f"{len(packages)} packages: {len(matter)} advisories, {len(known) - len(matter)} accepted")
    return int(bool(matter))


if __name__ == "__main__":
    sys.exit(main())
