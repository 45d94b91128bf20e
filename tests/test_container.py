"""The container's files say what docs/hosting.md promises; they are read here, for no builder is at hand.

What only a build can show is not claimed: that the image is made, and that it starts.
"""

import ast
import json
import re
from pathlib import Path

import av
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "container"
WRITABLE = "/visitors"


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments of each line of the Dockerfile, comments left out and continued lines joined."""
    lines = [line for line in (FOLDER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in whole.splitlines() if line]


def last_stage() -> list[tuple[str, str]]:
    start = max(index for index, (name, _) in enumerate(instructions()) if name == "FROM")
    return instructions()[start:]


def of_last_stage(instruction: str) -> str:
    (arguments,) = (arguments for name, arguments in last_stage() if name == instruction)
    return arguments


def test_every_instruction_is_one() -> None:
    known = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "WORKDIR"}
    assert {name for name, _ in instructions()} <= known
    assert instructions()[0][0] == "FROM"


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    kept = {line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set()
    for name, arguments in instructions():
        if name == "COPY" and not arguments.startswith("--from"):
            copied |= set(arguments.split()[:-1])
    assert copied == kept
    assert all((ROOT / path).exists() for path in copied)


def test_it_needs_no_rights() -> None:
    """Nobody's account, with one folder of its own."""
    user = of_last_stage("USER")
    assert int(user) > 0
    made = " ".join(arguments for name, arguments in last_stage() if name == "RUN")
    assert f"--owner={user} --mode=0700 {WRITABLE}" in made


def test_all_that_is_written_goes_to_one_folder() -> None:
    settings = dict(pair.split("=", 1) for pair in of_last_stage("ENV").split())
    for name in ("TMPDIR", "MPLCONFIGDIR", "GRADIO_TEMP_DIR"):
        assert f"{settings[name]}/".startswith(f"{WRITABLE}/")
    assert settings["PYTHONDONTWRITEBYTECODE"] == "1"


def test_health_is_asked_of_the_page() -> None:
    port = of_last_stage("EXPOSE")
    _, _, check = of_last_stage("HEALTHCHECK").partition("CMD ")
    program = json.loads(check)
    ast.parse(program[-1])
    assert f"http://127.0.0.1:{port}/config" in program[-1]
    assert json.loads(of_last_stage("ENTRYPOINT")) + json.loads(of_last_stage("CMD")) == ["msecnn", "serve"]


def test_the_processor_is_the_default() -> None:
    (index,) = (arguments for name, arguments in instructions() if name == "ARG")
    assert re.fullmatch(r"TORCH_INDEX=\S+/cpu", index)


def test_compose_gives_the_page_nothing_to_write_but_its_folder() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    page, nginx = services["page"], services["nginx"]
    assert page["read_only"] is True
    assert [mount.split(":")[0] for mount in page["tmpfs"]] == [WRITABLE]
    assert not page.keys() & {"volumes", "ports"}, "it is reached through nginx only"
    assert page["cap_drop"] == ["ALL"]
    assert (FOLDER / page["build"]["context"] / page["build"]["dockerfile"]).is_file()
    assert all(mount.endswith(":ro") for mount in nginx["volumes"])
    assert f"proxy_pass http://page:{page['expose'][0]};" in (FOLDER / "nginx.conf").read_text()


def test_nginx_does_what_hosting_describes() -> None:
    """The same settings but for the addresses and the certificates' places."""
    (described,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "hosting.md").read_text(), flags=re.DOTALL)

    def settings(text: str) -> set[str]:
        words = {" ".join(line.split("#")[0].split()) for line in text.splitlines()}
        return {word for word in words if word and not word.startswith(("ssl_certificate", "proxy_pass"))}

    ours = (FOLDER / "nginx.conf").read_text()
    assert settings(described) <= settings(ours)
    assert ours.count("{") == ours.count("}")


def test_licences_name_the_decoders_gpl_parts() -> None:
    """x264 and x265 are GPL; they lie in PyAV's wheel."""
    libraries = Path(av.__file__).parents[1] / "av.libs"
    if not libraries.is_dir():
        pytest.skip("PyAV keeps its libraries elsewhere on this system")
    told = (FOLDER / "LICENCES.md").read_text()
    gpl = {name for name in ("libx264", "libx265", "libxvidcore", "libpostproc") if [*libraries.glob(f"{name}*")]}
    assert gpl == {"libx264", "libx265"}
    assert all(f"`{name}`" in told for name in gpl)
