"""Compiles contracts/src/*.sol into contracts/artifacts/*.json, the only thing of the contracts that Python reads.

The artifacts are committed. `--check` compiles again and compares byte for byte, so they cannot drift from the sources.
A state that passed is remembered in .cache, and not compiled again until a byte of it changes.
"""

import argparse
import difflib
import hashlib
import json
import posixpath
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
SOLC = CONTRACTS / "solc"
ARTIFACTS = CONTRACTS / "artifacts"
CHECKED = CONTRACTS.parent / ".cache" / "artifacts-checked"

EIP170_MAX_CODE_BYTES = 24_576
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "evm.methodIdentifiers",
    "storageLayout",
]
EXTERNAL_FUNCTION = re.compile(r"^    function [^;{]*\b(?:external|public)\b", re.MULTILINE)
IMPORTED_PATH = re.compile(r"""^\s*(?:import|\}\s*from)\b[^;"']*["']([^"']+)["']""", re.MULTILINE)


class CompileError(Exception):
    """The contracts cannot be compiled or deployed as they are; the text says why."""


def compiler_settings() -> dict[str, Any]:
    """The settings of foundry.toml in the compiler's own words: what forge tests is what is deployed."""
    profile = tomllib.loads((CONTRACTS / "foundry.toml").read_text())["profile"]["default"]
    return {
        "evmVersion": profile["evm_version"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile["via_ir"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
    }


def compiler_version() -> str:
    answer = subprocess.run([SOLC, "--version"], check=True, capture_output=True, text=True).stdout
    return answer.split("Version:", 1)[1].strip()


def imports(name: str, content: str) -> Iterator[str]:
    """Source names that a file imports, relative ones resolved as the compiler does."""
    for path in IMPORTED_PATH.findall(content):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path.startswith(".") else path


def deployables() -> dict[str, str]:
    """What is deployed, as {contract: source name}: the contracts, and the libraries with external functions, which are
    linked into them by address."""
    files = sorted((CONTRACTS / "src").glob("*.sol"))
    linked = [
        file
        for file in sorted((CONTRACTS / "src/libraries").glob("*.sol"))
        if EXTERNAL_FUNCTION.search(file.read_text(encoding="utf-8"))
    ]
    return {file.stem: file.relative_to(CONTRACTS).as_posix() for file in [*files, *linked]}


def closure(contract: str, source: str) -> dict[str, str]:
    """The file of a contract and all that it imports, as {source name: content}."""
    sources: dict[str, str] = {}
    wanted = [source]
    while wanted:
        name = wanted.pop()
        if name in sources:
            continue
        file = CONTRACTS / name if name.startswith("src/") else CONTRACTS / "node_modules" / name
        if not file.is_file():
            raise CompileError(f"{contract}: there is no {name}, which one of its sources imports")
        sources[name] = file.read_text(encoding="utf-8")
        wanted.extend(imports(name, sources[name]))
    return sources


def digest(sources: dict[str, str]) -> str:
    """SHA-256 over the sorted sources, each as name NUL content NUL."""
    total = hashlib.sha256()
    for name in sorted(sources):
        total.update(f"{name}\0{sources[name]}\0".encode())
    return total.hexdigest()


def artifact(contract: str, source: str, compiler: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Compiles one contract with only the files that it needs, so that its bytes depend on nothing else.

    Returns the artifact and the compiler's warnings about our own sources.
    """
    sources = closure(contract, source)
    try:
        answer = solcx.compile_standard(
            {
                "language": "Solidity",
                "sources": {name: {"content": sources[name]} for name in sorted(sources)},
                "settings": {**compiler["settings"], "outputSelection": {source: {contract: OUTPUTS}}},
            },
            solc_binary=SOLC,
        )
    except SolcError as error:
        raise CompileError(f"{contract}: {error.message}") from error
    try:
        compiled = answer["contracts"][source][contract]
    except KeyError:
        raise CompileError(f"{contract}: {source} defines no contract of that name") from None
    evm = compiled["evm"]
    size = len(evm["deployedBytecode"]["object"]) // 2
    if size > EIP170_MAX_CODE_BYTES:
        raise CompileError(
            f"{contract}: {size:,} bytes of code; EIP-170 lets {EIP170_MAX_CODE_BYTES:,} be deployed. "
            "Move logic into a library or lower optimizer_runs in contracts/foundry.toml."
        )
    warnings = [
        error["formattedMessage"].strip()
        for error in answer.get("errors", [])
        if error.get("sourceLocation", {}).get("file", "src/").startswith("src/")
    ]
    return {
        "contractName": contract,
        "abi": compiled["abi"],
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "linkReferences": evm["bytecode"]["linkReferences"],
        "immutableReferences": evm["deployedBytecode"]["immutableReferences"],
        "methodIdentifiers": evm["methodIdentifiers"],
        "storageLayout": compiled["storageLayout"],
        "compiler": compiler,
        "sourceDigest": digest(sources),
    }, warnings


def differences(committed: str | None, compiled: str) -> list[str]:
    """Names the parts of an artifact that changed, and shows how unless they are bytecode."""
    if committed is None:
        return ["  it is not there"]
    try:
        old, new = json.loads(committed), json.loads(compiled)
    except json.JSONDecodeError as error:
        return [f"  it is not JSON: {error}"]
    lines = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        lines.append(f"  {key} differs")
        if "ytecode" not in key:
            before, after = (json.dumps(side.get(key), indent=1).splitlines() for side in (old, new))
            lines += [f"    {line}" for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:22]]
    return lines or ["  the layout of the JSON differs"]


def attempt(contract: str, source: str, compiler: dict[str, Any]) -> tuple[str | None, list[str]]:
    """Text of the artifact, None if there can be none, and what the compiler has to say."""
    try:
        compiled, warnings = artifact(contract, source, compiler)
    except CompileError as error:
        return None, [str(error)]
    return json.dumps(compiled, indent=1, sort_keys=True, ensure_ascii=False) + "\n", warnings


def read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


def write(artifacts: dict[Path, str]) -> None:
    """Brings contracts/artifacts to this state; a file that is right already keeps its time stamp."""
    ARTIFACTS.mkdir(exist_ok=True)
    for file, text in artifacts.items():
        unchanged = read(file) == text
        if not unchanged:
            file.write_text(text, encoding="utf-8")
        size = len(json.loads(text)["deployedBytecode"]) // 2 - 1
        state = "unchanged" if unchanged else "written"
        print(f"contracts/artifacts/{file.name:<20} {size:>6,} of {EIP170_MAX_CODE_BYTES:,} bytes  {state}")


def compare(artifacts: dict[Path, str]) -> bool:
    """Says where contracts/artifacts is not this state; True if nowhere."""
    wrong = {file: differences(read(file), text) for file, text in artifacts.items() if read(file) != text}
    for file, lines in wrong.items():
        print(f"contracts/artifacts/{file.name} is not what the sources compile to:", *lines, sep="\n", file=sys.stderr)
    if wrong:
        print("Run ./scripts/compile and commit contracts/artifacts with the sources.", file=sys.stderr)
    return not wrong


def state(contracts: dict[str, str], compiler: dict[str, Any]) -> str:
    """SHA-256 over all that decides whether a check passes: this file, the compiler, the sources, the artifacts.

    Raises:
        CompileError: A source imports a file that is not there.
    """
    parts = {file.name: file.read_text(encoding="utf-8") for file in [Path(__file__), *ARTIFACTS.glob("*.json")]}
    for contract, source in contracts.items():
        parts |= closure(contract, source)
    return digest({**parts, "compiler": json.dumps(compiler, sort_keys=True)})


def passed_before(contracts: dict[str, str], compiler: dict[str, Any]) -> bool:
    try:
        return read(CHECKED) == state(contracts, compiler)
    except CompileError:
        return False  # the compilation says what is missing


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/compile", description="Compile contracts/src to contracts/artifacts."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail on any difference, and on warnings")
    check = parser.parse_args().check

    contracts = deployables()
    if not contracts:
        print("There is no contract in contracts/src.", file=sys.stderr)
        return 1
    compiler = {"version": compiler_version(), "settings": compiler_settings()}
    if check and passed_before(contracts, compiler):
        return 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = pool.map(lambda item: attempt(item[0], item[1], compiler), contracts.items())
        results = dict(zip(contracts, answers, strict=True))

    # a file that several contracts import is compiled, and warned about, once for each
    remarks = dict.fromkeys(remark for _, remarks in results.values() for remark in remarks)
    print(*remarks, sep="\n", end="\n" if remarks else "", file=sys.stderr)
    artifacts = {ARTIFACTS / f"{contract}.json": text for contract, (text, _) in results.items() if text is not None}
    stale = {file for file in ARTIFACTS.glob("*.json") if file.stem not in contracts}
    if check:
        for file in stale:
            print(f"contracts/artifacts/{file.name} has no source in contracts/src.", file=sys.stderr)
        if not compare(artifacts) or remarks or stale:
            return 1
        CHECKED.parent.mkdir(exist_ok=True)
        CHECKED.write_text(state(contracts, compiler), encoding="utf-8")
        return 0
    write(artifacts)
    for file in stale:
        file.unlink()
    return 0 if len(artifacts) == len(contracts) else 1


if __name__ == "__main__":
    sys.exit(main())
