"""Compiles contracts/src/*.sol into contracts/artifacts/*.json, the only thing of the contracts that Python reads.

The artifacts are committed. `--check` compiles again and compares byte for byte, so they cannot drift from the sources.
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

EIP170_MAX_CODE_BYTES = 24_576
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "evm.methodIdentifiers",
]
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


def closure(contract: str) -> dict[str, str]:
    """The file of a contract and all that it imports, as {source name: content}."""
    sources: dict[str, str] = {}
    wanted = [f"src/{contract}.sol"]
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


def artifact(contract: str, compiler: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Compiles one contract with only the files that it needs, so that its bytes depend on nothing else.

    Returns the artifact and the compiler's warnings about our own sources.
    """
    sources = closure(contract)
    try:
        answer = solcx.compile_standard(
            {
                "language": "Solidity",
                "sources": {name: {"content": sources[name]} for name in sorted(sources)},
                "settings": {**compiler["settings"], "outputSelection": {f"src/{contract}.sol": {contract: OUTPUTS}}},
            },
            solc_binary=SOLC,
        )
    except SolcError as error:
        raise CompileError(f"{contract}: {error.message}") from error
    try:
        compiled = answer["contracts"][f"src/{contract}.sol"][contract]
    except KeyError:
        raise CompileError(f"{contract}: src/{contract}.sol defines no contract of that name") from None
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/compile", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if an artifact is not what compiling gives")
    check = parser.parse_args().check

    contracts = sorted(path.stem for path in (CONTRACTS / "src").glob("*.sol"))
    if not contracts:
        print("There is no contract in contracts/src.", file=sys.stderr)
        return 1
    compiler = {"version": compiler_version(), "settings": compiler_settings()}
    failed = False
    shown: set[str] = set()  # a shared file is compiled, and warned about, once for each contract

    def attempt(contract: str) -> tuple[dict[str, Any], list[str]] | CompileError:
        try:
            return artifact(contract, compiler)
        except CompileError as error:
            return error

    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(attempt, contracts))
    for contract, result in zip(contracts, results, strict=True):
        file = ARTIFACTS / f"{contract}.json"
        if isinstance(result, CompileError):
            print(result, file=sys.stderr)
            failed = True
            continue
        compiled, warnings = result
        for warning in warnings:
            if warning not in shown:
                shown.add(warning)
                print(warning, file=sys.stderr)
        text = json.dumps(compiled, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        committed = file.read_text(encoding="utf-8") if file.is_file() else None
        if check:
            failed = failed or bool(warnings)
            if text != committed:
                failed = True
                print(f"contracts/artifacts/{file.name} is not what the sources compile to:", file=sys.stderr)
                print(*differences(committed, text), sep="\n", file=sys.stderr)
        else:
            ARTIFACTS.mkdir(exist_ok=True)
            if text != committed:
                file.write_text(text, encoding="utf-8")
            size = len(compiled["deployedBytecode"]) // 2 - 1
            state = "unchanged" if text == committed else "written"
            print(f"contracts/artifacts/{file.name}  {size:>6,} of {EIP170_MAX_CODE_BYTES:,} bytes  {state}")
    for stale in sorted(set(ARTIFACTS.glob("*.json")) - {ARTIFACTS / f"{contract}.json" for contract in contracts}):
        if check:
            failed = True
            print(f"contracts/artifacts/{stale.name} has no source in contracts/src", file=sys.stderr)
        else:
            stale.unlink()
    if failed and check:
        print("Run ./scripts/compile and commit contracts/artifacts with the sources.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
