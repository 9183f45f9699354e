"""The contracts as mutation testing compiles them: npm's solc in a process that stays, the fastest way for each."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts._compile import closure, compiler_settings, deployables

from .campaign import MODULES, CampaignError

LEDGER = "VoucherLedger"
"""Its file is mutated, and those that it is made of: bases, libraries, types with functions."""
NOT_OPTIMISED = {"optimizer": {"enabled": False}}
FASTEST_FIRST: tuple[dict[str, Any], ...] = ({"viaIR": False, **NOT_OPTIMISED}, NOT_OPTIMISED, {})
"""Settings of the compiler, to be tried in this order; the last are those of production."""
OUTPUTS = [
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.linkReferences",
    "evm.deployedBytecode.immutableReferences",
]
COMPILES_BY_ONE_WORKER = 100
"""The compiler's memory grows and never shrinks."""

Evm = dict[str, Any]
Place = tuple[str, int]
"""A file, and a byte in it."""


class Compiler:
    """npm's solc in a process that stays."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._served = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._served = 0

    def _answer(self, sources: Mapping[str, str], settings: dict[str, Any]) -> dict[str, Any]:
        if self._served >= COMPILES_BY_ONE_WORKER:
            self._stop()
        if self._process is None:
            self._process = subprocess.Popen(
                [MODULES / ".bin" / "node", Path(__file__).with_name("solc_worker.js"), MODULES / "solc"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        self._served += 1
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise CampaignError("the compiler has no pipes")
        contents = {name: {"content": text} for name, text in sources.items()}
        request = {"language": "Solidity", "sources": contents, "settings": settings}
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        line = answers.readline()
        if not line:
            raise CampaignError("the compiler went away in the middle of an answer")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def code(self, contract: str, sources: Mapping[str, str], settings: dict[str, Any]) -> tuple[Evm | None, str]:
        """The code of a contract; None and the compiler's messages where there is none."""
        file = deployables()[contract]
        outputs = {"outputSelection": {file: {contract: OUTPUTS}}}
        answer = self._answer(sources, {**compiler_settings(), **settings, **outputs})
        errors = [error["message"] for error in answer.get("errors", []) if error["severity"] == "error"]
        if errors:
            return None, "\n".join(errors)
        evm: Evm = answer["contracts"][file][contract]["evm"]
        return evm, ""

    def trees(self, sources: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Syntax trees of all sources."""
        answer = self._answer(sources, {"outputSelection": {"*": {"": ["ast"]}}})
        return {name: source["ast"] for name, source in answer["sources"].items()}

    def objections(self, sources: Mapping[str, str]) -> list[tuple[Place, str]]:
        """Where sources are not Solidity, and why not; no code is made."""
        answer = self._answer(sources, {"outputSelection": {"*": {"": ["ast"]}}})
        errors = [error for error in answer.get("errors", []) if error["severity"] == "error"]
        places = [error.get("sourceLocation", {"file": "", "start": -1}) for error in errors]
        return [((p["file"], p["start"]), e["formattedMessage"]) for p, e in zip(places, errors, strict=True)]


class Contracts:
    """The contracts as they are.

    Attributes:
        sources: of each contract, its file and all that it imports.
        users: of each file that is mutated, the contracts whose code it is part of.
    """

    def __init__(self) -> None:
        files = deployables()
        self.sources = {name: closure(name, file) for name, file in files.items()}
        own = {file: name for name, file in files.items()}
        self.users: dict[str, tuple[str, ...]] = {}
        for file in sorted(name for name in self.sources[LEDGER] if name.startswith("src/")):
            # What is deployed by itself is linked, not compiled, into others.
            users = [own[file]] if file in own else [name for name in files if file in self.sources[name]]
            self.users[file] = tuple(users)

    def with_files(self, contract: str, changed: Mapping[str, str]) -> dict[str, str]:
        """Sources of a contract, some files in other words."""
        return {name: changed.get(name, text) for name, text in self.sources[contract].items()}

    def fastest_code(self, compiler: Compiler, changed: Mapping[str, str]) -> dict[str, Evm]:
        """Code of the contracts that any mutated file is part of, compiled in the fastest way that each takes.

        Raises:
            CampaignError: one does not compile.
        """
        made = {}
        for contract in sorted({contract for contracts in self.users.values() for contract in contracts}):
            reasons = ""
            for settings in FASTEST_FIRST:
                code, reasons = compiler.code(contract, self.with_files(contract, changed), settings)
                if code is not None:
                    made[contract] = code
                    break
            else:
                raise CampaignError(f"{contract} does not compile:\n{reasons}")
        return made

    def same_when_shipped(self, compiler: Compiler, file: str, text: str) -> bool:
        """Whether a change of a file comes to the same code, compiled as for production."""
        for contract in self.users[file]:
            ours, _ = compiler.code(contract, self.sources[contract], {})
            theirs, _ = compiler.code(contract, self.with_files(contract, {file: text}), {})
            if ours != theirs:
                return False
        return True
