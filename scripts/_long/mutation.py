"""Mutation testing: each small fault put into the contracts must make a unit test fail.

What is tested is the mutant: a contract is compiled with the fault, its bytecode takes the place of the original in
forge's output, and the tests, which deploy from there (`deployCode`), run against it without anything compiled again.
The legacy pipeline without the optimiser compiles in a tenth of the time; a contract that it cannot compile ("stack
too deep") goes through the IR. A survivor whose code, compiled as for production, is the original's is no fault.

Survivors are explained in contracts/mutation.toml. The campaign fails below 95 % killed, and for a survivor without a
reason.
"""

import json
import os
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts._compile import closure, compiler_settings, deployables

from .campaign import CONTRACTS, MODULES, REPORTS, CampaignError, Options, Result, copy_project, forge, workspace
from .mutants import Mutant, Neighbours, mutants

LEDGER = "VoucherLedger"
"""Its file is mutated, and those that it is made of: bases, libraries, types with functions."""
GOAL_PERCENT = 95
EXPLAINED = CONTRACTS / "mutation.toml"
NOT_UNIT_TESTS = ("invariant", "gas")
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
FAILED_TEST = re.compile(r"\[FAIL[^\n]*\] (\w+)\(")
COMPILES_BY_ONE_WORKER = 100
"""The compiler's memory grows and never shrinks."""

Evm = dict[str, Any]


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

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
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
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        line = answers.readline()
        if not line:
            raise CampaignError("the compiler went away in the middle of an answer")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def code(self, contract: str, sources: dict[str, str], settings: dict[str, Any]) -> tuple[Evm | None, str]:
        """The code of a contract; None and the compiler's messages where there is none."""
        file = deployables()[contract]
        answer = self._answer(
            {
                "language": "Solidity",
                "sources": {name: {"content": text} for name, text in sources.items()},
                "settings": {**compiler_settings(), **settings, "outputSelection": {file: {contract: OUTPUTS}}},
            }
        )
        errors = [error["message"] for error in answer.get("errors", []) if error["severity"] == "error"]
        if errors:
            return None, "\n".join(errors)
        evm: Evm = answer["contracts"][file][contract]["evm"]
        return evm, ""

    def trees(self, sources: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Syntax trees of all sources."""
        answer = self._answer(
            {
                "language": "Solidity",
                "sources": {name: {"content": text} for name, text in sources.items()},
                "settings": {"outputSelection": {"*": {"": ["ast"]}}},
            }
        )
        return {name: source["ast"] for name, source in answer["sources"].items()}


class Contracts:
    """The contracts as they are.

    Attributes:
        sources: of each contract, its file and all that it imports.
        users: of each file that is mutated, the contracts whose code it is part of.
        settings: of the compiler, by contract.
        code: what comes of them, by contract.
    """

    def __init__(self, compiler: Compiler) -> None:
        files = deployables()
        self.sources = {name: closure(name, file) for name, file in files.items()}
        own = {file: name for name, file in files.items()}
        self.users: dict[str, tuple[str, ...]] = {}
        for file in sorted(name for name in self.sources[LEDGER] if name.startswith("src/")):
            # What is deployed by itself is linked, not compiled, into others.
            users = [own[file]] if file in own else [name for name in files if file in self.sources[name]]
            self.users[file] = tuple(users)
        self.settings: dict[str, dict[str, Any]] = {}
        self.code: dict[str, Evm] = {}
        for contract in sorted({contract for contracts in self.users.values() for contract in contracts}):
            for settings in FASTEST_FIRST:
                code, _ = compiler.code(contract, self.sources[contract], settings)
                if code is not None:
                    self.settings[contract], self.code[contract] = settings, code
                    break
            else:
                raise CampaignError(f"{contract} does not compile; ./scripts/compile says why")

    def mutated(self, compiler: Compiler, change: "Change", *, shipped: bool = False) -> dict[str, Evm] | None:
        """Code of the contracts that a mutant is part of; None if it does not compile."""
        made = {}
        for contract in self.users[change.file]:
            sources = dict(self.sources[contract])
            sources[change.file] = change.mutant.applied(sources[change.file].encode()).decode()
            code, _ = compiler.code(contract, sources, {} if shipped else self.settings[contract])
            if code is None:
                return None
            made[contract] = code
        return made


@dataclass(frozen=True)
class Change:
    """A mutant and the file that it is in."""

    file: str
    mutant: Mutant


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: killed (by a test or by the time it took), survived, equivalent, or stillborn."""

    change: Change
    outcome: str
    by: str = ""


class Bench:
    """A copy of the project in which mutants are tested one after another."""

    def __init__(self, project: Path) -> None:
        self._contracts = project / "contracts"

    def install(self, code: dict[str, Evm]) -> None:
        """Puts code where forge finds that of the contract."""
        for contract, evm in code.items():
            file = self._contracts / "out" / f"{contract}.sol" / f"{contract}.json"
            artifact = json.loads(file.read_text())
            for part in ("bytecode", "deployedBytecode"):
                artifact[part].update(evm[part], object="0x" + evm[part]["object"])
            file.write_text(json.dumps(artifact))

    def test(self, timeout: float) -> tuple[bool, str]:
        """Runs the unit tests; whether they pass, and the first that did not."""
        # code that is not optimised passes the size that a chain takes
        environment = {**os.environ, "FOUNDRY_CODE_SIZE_LIMIT": "1000000"}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                [forge(), "test", "--fail-fast"],
                cwd=self._contracts,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return False, f"{timeout:.0f} s"
            output.seek(0)
            text = output.read()
        if "Compiling" in text:
            raise CampaignError("forge compiled again and so did not test the mutant:\n" + text)
        if status == 0:
            return True, ""
        failed = FAILED_TEST.search(text)
        if failed is None:
            raise CampaignError("forge ended without naming a test that failed:\n" + text)
        return False, failed.group(1)


def all_changes(contracts: Contracts, compiler: Compiler) -> list[Change]:
    """Every mutant of every file, those that come to the same text once."""
    trees = compiler.trees(contracts.sources[LEDGER])
    neighbours = Neighbours([tree for name, tree in trees.items() if name.startswith("src/")])
    changes = []
    for file in contracts.users:
        source = contracts.sources[LEDGER][file].encode()
        seen: set[bytes] = set()
        for mutant in mutants(source, trees[file], neighbours):
            text = mutant.applied(source)
            if text not in seen:
                seen.add(text)
                changes.append(Change(file, mutant))
    return changes


def explained() -> dict[str, str]:
    """Reasons of survivors that may live, by key of the mutant."""
    entries = tomllib.loads(EXPLAINED.read_text(encoding="utf-8")).get("survivor", [])
    return {entry["mutant"]: entry["reason"] for entry in entries}


def judge(bench: Bench, compiler: Compiler, contracts: Contracts, change: Change, timeout: float) -> Verdict:
    code = contracts.mutated(compiler, change)
    if code is None:
        return Verdict(change, "stillborn")
    if all(evm == contracts.code[contract] for contract, evm in code.items()):
        return Verdict(change, "equivalent", "same code")
    bench.install(code)
    passed, first = bench.test(timeout)
    bench.install({contract: contracts.code[contract] for contract in code})
    if not passed:
        return Verdict(change, "killed", first)
    optimised = contracts.mutated(compiler, change, shipped=True)
    for contract, evm in (optimised or {}).items():
        original, _ = compiler.code(contract, contracts.sources[contract], {})
        if evm != original:
            return Verdict(change, "survived")
    return Verdict(change, "equivalent", "same optimised code")


def judge_all(
    project: Path, contracts: Contracts, changes: Iterable[Change], jobs: int, timeout: float
) -> list[Verdict]:
    """Tests the mutants on as many copies of the project as there are jobs."""
    waiting: queue.SimpleQueue[Change] = queue.SimpleQueue()
    total = 0
    for change in changes:
        waiting.put(change)
        total += 1
    verdicts: list[Verdict] = []
    failures: list[BaseException] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="suanquan-mutants-") as folder:

        def serve(number: int) -> None:
            try:
                copy = Path(folder) / str(number)
                copy_project(project, copy)
                with Compiler() as compiler:
                    bench = Bench(copy)
                    while not failures:
                        change = waiting.get_nowait()
                        verdicts.append(judge(bench, compiler, contracts, change, timeout))
                        report_progress(verdicts, total, began)
            except queue.Empty:
                pass
            except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
                failures.append(error)

        threads = [threading.Thread(target=serve, args=(number,)) for number in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return verdicts


def report_progress(verdicts: list[Verdict], total: int, began: float) -> None:
    last = verdicts[-1]
    if last.outcome == "survived":
        print(f"  survived: {last.change.file}:{last.change.mutant.line} {last.change.mutant.key}", flush=True)
    done = len(verdicts)
    if done % 25 == 0 or done == total:
        left = (time.monotonic() - began) / done * (total - done)
        counts = Counter(verdict.outcome for verdict in verdicts)
        text = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        print(f"  {done} of {total} mutants: {text}; about {left / 60:.0f} min left", flush=True)


def report(verdicts: list[Verdict], *, complete: bool) -> Result:
    """Prints the score for each file and the survivors; writes all verdicts to .cache/long/mutation.json."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    verdicts = sorted(verdicts, key=lambda verdict: (verdict.change.file, verdict.change.mutant.start))
    rows = [
        {
            "file": v.change.file,
            "line": v.change.mutant.line,
            "mutant": v.change.mutant.key,
            "outcome": v.outcome,
            "by": v.by,
        }
        for v in verdicts
    ]
    (REPORTS / "mutation.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    print(f"\n{'file':<30} {'mutants':>8} {'killed':>8} {'survived':>9} {'score':>8}   equivalent, stillborn")
    for file in sorted({verdict.change.file for verdict in verdicts}):
        of_file = Counter(verdict.outcome for verdict in verdicts if verdict.change.file == file)
        tried = of_file["killed"] + of_file["survived"]
        score = f"{100 * of_file['killed'] / tried:.1f} %" if tried else "-"
        print(
            f"{file:<30} {tried:>8} {of_file['killed']:>8} {of_file['survived']:>9} {score:>8}   "
            f"{of_file['equivalent']}, {of_file['stillborn']}"
        )
    reasons = explained()
    survivors = [verdict for verdict in verdicts if verdict.outcome == "survived"]
    unexplained = [verdict for verdict in survivors if verdict.change.mutant.key not in reasons]
    for title, group in (
        ("Survivors without a reason in contracts/mutation.toml:", unexplained),
        ("Survivors explained there:", [verdict for verdict in survivors if verdict not in unexplained]),
    ):
        if group:
            print(f"\n{title}")
            for verdict in group:
                print(f"  {verdict.change.file}:{verdict.change.mutant.line} {verdict.change.mutant.key}")
    stale = reasons.keys() - {verdict.change.mutant.key for verdict in survivors} if complete else set()
    for key in sorted(stale):
        print(f"contracts/mutation.toml explains what does not survive: {key}", file=sys.stderr)

    killed = sum(verdict.outcome == "killed" for verdict in verdicts)
    tried = killed + len(survivors)
    percent = 100 * killed / tried if tried else 0.0
    return Result(
        passed=percent >= GOAL_PERCENT and not unexplained and not stale,
        figures=f"{killed} of {tried} mutants killed, {percent:.1f} %; {len(unexplained)} survivors unexplained",
        goal=f"{GOAL_PERCENT} % killed, each survivor with a reason in contracts/mutation.toml",
    )


def campaign(options: Options) -> Result:
    with workspace(without=NOT_UNIT_TESTS) as project, Compiler() as compiler:
        contracts = Contracts(compiler)
        changes = all_changes(contracts, compiler)
        every = len(changes)
        complete = options.mutants is None or options.mutants >= every
        if options.mutants is not None and not complete:
            changes = random.Random(options.seed).sample(changes, options.mutants)
        through_ir = [contract for contract, settings in contracts.settings.items() if settings.get("viaIR", True)]
        print(f"{len(changes)} mutants{'' if complete else f' of {every} drawn by seed {options.seed}'}", end="")
        print(f"; through the IR, as the legacy pipeline cannot: {', '.join(through_ir)}", flush=True)

        built = subprocess.run(
            [forge(), "build"], cwd=project / "contracts", capture_output=True, text=True, check=False
        )
        if built.returncode != 0:
            raise CampaignError(built.stdout + built.stderr)
        bench = Bench(project)
        bench.install(contracts.code)
        began = time.monotonic()
        passed, first = bench.test(timeout=600)
        if not passed:
            raise CampaignError(f"the unit tests fail without any mutant: {first}")
        timeout = 30 + 10 * (time.monotonic() - began)
        verdicts = judge_all(project, contracts, changes, options.jobs, timeout)
        return report(verdicts, complete=complete)
