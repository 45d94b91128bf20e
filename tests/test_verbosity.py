"""`-v` and `-q` are about the log of this program: more of it, or only errors; the answer stays the same."""

import logging
from collections.abc import Iterator

import pytest

from msecnn.cli import main

LOG = logging.getLogger("msecnn.checkpoint")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("msecnn")
    before = ours.level, root.level, list(root.handlers)
    yield
    ours.level, root.level, root.handlers = before[0], before[1], before[2]


@pytest.mark.parametrize(
    ("option", "least"),
    [("-q", logging.ERROR), ("-v", logging.DEBUG)],
    ids=["quiet", "verbose"],
)
def test_the_log_is_of_the_level_asked_for(option: str, least: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", option]) == 0
    assert "msecnn" in capsys.readouterr().out
    assert LOG.isEnabledFor(least)
    assert not LOG.isEnabledFor(least - 1)


def test_both_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["models", "-v", "-q"])
    assert "not allowed with" in capsys.readouterr().err
