"""What the campaigns share: their options, their result, and a copy of the contracts to work on."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
MODULES = CONTRACTS / "node_modules"
TOOLS = ROOT / ".venv-long" / "bin"
REPORTS = ROOT / ".cache" / "long"

PROJECT_FILES = ("foundry.toml", "solc", "solc.js", "slither.config.json")
"""What a copy needs of contracts/ beside src."""


class CampaignError(Exception):
    """A campaign could not be carried out; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        mutants: how many mutants to try, drawn by `seed`; None for all.
        cases: random cases of the differential test.
        rounds: rounds of the indexer's simulation.
        jobs: processes at a time.
    """

    mutants: int | None
    seed: int
    cases: int
    rounds: int
    jobs: int


@dataclass(frozen=True)
class Result:
    """How a campaign ended: its figures in a line, and what they had to come to."""

    passed: bool
    figures: str
    goal: str


def forge() -> str:
    """Path of forge: npm's build for this machine, or the one on the PATH."""
    found = next(MODULES.glob("@foundry-rs/forge-*/bin/forge"), None) or shutil.which("forge")
    if found is None:
        raise CampaignError("forge is not installed; ./scripts/forge --version installs it")
    return str(found)


def copy_project(source: Path, target: Path, *, without: Sequence[str] = (), compiled: bool = True) -> None:
    """Copies the contracts' Foundry project and its tests, some folders aside, from one root to another.

    What forge has compiled comes along and stays good: forge notes the full path of tests, so the note is rewritten.
    """
    contracts, tests = target / "contracts", target / "tests" / "contracts"
    for name in ("src", "snapshots", *(("out", "cache") if compiled else ())):
        if (source / "contracts" / name).is_dir():
            shutil.copytree(source / "contracts" / name, contracts / name)
    for name in PROJECT_FILES:
        shutil.copy2(source / "contracts" / name, contracts / name)
    shutil.copytree(source / "tests" / "contracts", tests, ignore=shutil.ignore_patterns(*without))
    (contracts / "node_modules").symlink_to(MODULES)
    note = contracts / "cache" / "solidity-files-cache.json"
    if note.is_file():
        cache = json.loads(note.read_text().replace(f"{source}/tests/contracts", str(tests)))
        cache["paths"]["libraries"] = [str(MODULES.resolve())]
        note.write_text(json.dumps(cache))


@contextmanager
def workspace(*, without: Sequence[str] = (), compiled: bool = True) -> Iterator[Path]:
    """A temporary copy of the contracts and their tests, some folders aside; yields its root."""
    with tempfile.TemporaryDirectory(prefix="suanquan-long-") as folder:
        copy_project(ROOT, Path(folder), without=without, compiled=compiled)
        yield Path(folder)


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None, shown: Sequence[str] = ("",)
) -> tuple[int, str]:
    """Runs a program and returns its status and output.

    Args:
        shown: beginnings of the lines that are printed as they come; all by default, none if empty.
    """
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith(tuple(shown)):
                print(line, end="", flush=True)
    return process.returncode, "".join(lines)
