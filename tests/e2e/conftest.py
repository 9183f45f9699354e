"""The demo, played once as a user would play it, and its service started again on what it left."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts._demo.service import ROOT, Service


@dataclass(frozen=True)
class Played:
    """What the demo left.

    Attributes:
        facts: The object that it printed last.
        printed: What it told on the way.
    """

    facts: dict[str, Any]
    printed: str
    folder: Path


def play(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs the demo in a process of its own."""
    command = [sys.executable, "-P", "-m", "scripts._demo", "--json", "--data-dir", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo, in English."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    done = play(folder, "--language", "en")
    assert done.returncode == 0, done.stderr
    return Played(json.loads(done.stdout.splitlines()[-1]), done.stderr, folder)


@pytest.fixture(scope="module")
def service(played: Played) -> Iterator[Service]:
    """The demo's service, started again."""
    running = Service(played.folder)
    running.start()
    yield running
    running.kill()
