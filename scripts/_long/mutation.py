"""Mutation testing: each small fault put into the contracts must make a unit test fail.

All faults are compiled at once and sleep (`schemata.py`); the contracts' bytecode takes the place of the original in
forge's output, and the tests, which deploy from there (`deployCode`), run once for each fault with that fault awake.
Contracts are compiled without the optimiser; a survivor whose code, compiled as for production, is the original's is
no fault.

Survivors are explained in contracts/mutation.toml. The campaign fails below 95 % killed, and for a survivor without a
reason. Verdicts are kept in .cache/long/mutation.json, so a campaign that was interrupted goes on where it ended.
"""

import json
import os
import queue
import random
import re
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from .campaign import CampaignError, Options, Result, copy_project, forge, workspace
from .compiler import LEDGER, Compiler, Contracts, Evm
from .mutants import Neighbours, mutants
from .schemata import address, awake, with_mutants
from .verdicts import Change, Kept, Verdict, explained, report

NOT_UNIT_TESTS = ("invariant", "gas", "symbolic")
FAILED_TEST = re.compile(r"\[FAIL[^\n]*\] (\w+)\(")
FAILED_SUITE = re.compile(r"failing tests? in [^\n]*tests/contracts/(\S+\.sol):")
FEW_FUZZ_RUNS = "16"
"""What most faults need; those that live through them face as many as in the test command."""

Numbered = dict[int, Change]
"""Mutants by the number that wakes them."""


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

    def test(self, number: int, timeout: float, *, fuzz_runs: str = "", suite: str = "*") -> tuple[bool, str, str]:
        """Runs the unit tests, or one file of them, with a mutant awake; whether they pass, the first that did not, and
        its file.
        """
        environment = {
            **os.environ,
            "FOUNDRY_CODE_SIZE_LIMIT": "100000000",  # all mutants at once, not optimised
            **({"FOUNDRY_FUZZ_RUNS": fuzz_runs} if fuzz_runs else {}),
        }
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                [forge(), "test", "--fail-fast", "--match-path", f"*/{suite}", "--block-coinbase", address(number)],
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
                return False, f"{timeout:.0f} s", ""
            output.seek(0)
            text = output.read()
        if "Compiling" in text:
            raise CampaignError("forge compiled again and so did not test the mutant:\n" + text)
        if status == 0:
            return True, "", ""
        failed, file = FAILED_TEST.search(text), FAILED_SUITE.search(text)
        if failed is None or file is None:
            raise CampaignError("forge ended without naming a test that failed:\n" + text)
        return False, failed.group(1), file.group(1)

    def judge(self, number: int, change: Change, timeout: float, likely: str | None) -> Verdict:
        """Survived or killed; the suite that killed the mutant's neighbour is asked first."""
        passed, by, suite = True, "", ""
        if likely is not None:
            passed, by, suite = self.test(number, timeout, fuzz_runs=FEW_FUZZ_RUNS, suite=likely)
        if passed:
            passed, by, suite = self.test(number, timeout, fuzz_runs=FEW_FUZZ_RUNS)
        if passed:
            passed, by, suite = self.test(number, timeout)
        return Verdict(change, "survived" if passed else "killed", by, suite)


def all_changes(contracts: Contracts, trees: dict[str, dict[str, object]]) -> list[Change]:
    """Every mutant of every file, those that come to the same text once."""
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


def sources_with(contracts: Contracts, trees: dict[str, dict[str, object]], changes: Numbered) -> dict[str, str]:
    """The files that can be mutated, with mutants asleep in them."""
    made = {}
    for file in contracts.users:
        own = [(number, change.mutant) for number, change in changes.items() if change.file == file]
        made[file] = with_mutants(contracts.sources[LEDGER][file].encode(), trees[file], own)
    return made


def without_stillborn(
    contracts: Contracts, compiler: Compiler, trees: dict[str, dict[str, object]], changes: Numbered
) -> tuple[dict[str, str], Numbered]:
    """The files with all mutants that are Solidity, and those that are not."""
    living: Numbered = dict(changes)
    stillborn: Numbered = {}
    examined: set[int] = set()

    def lives(change: Change) -> bool:
        text = change.mutant.applied(contracts.sources[LEDGER][change.file].encode()).decode()
        return not compiler.objections(contracts.with_files(LEDGER, {change.file: text}))

    while True:
        files = sources_with(contracts, trees, living)
        objections = compiler.objections(contracts.with_files(LEDGER, files))
        if not objections:
            return files, stillborn
        found = set()
        for (file, place), message in objections:
            near = nearest(
                files.get(file, ""), place, {n: change for n, change in living.items() if change.file == file}
            )
            if near is None:
                raise CampaignError(message)
            if "prior assignment" not in message:
                found.add(near)
            else:
                # It objects to what a mutant left undone, wherever in its function that shows.
                function = living[near].function
                undecided = {n for n, c in living.items() if c.function == function and c.mutant.drops} - examined
                examined |= undecided
                found |= {n for n in undecided if not lives(living[n])}
        if not found:
            raise CampaignError("".join(message for _, message in objections))
        for number in found:
            stillborn[number] = living.pop(number)


def nearest(text: str, place: int, changes: Numbered) -> int | None:
    """The mutant of a file whose choice opens last before a place; else the one whose opens next after it."""
    at = len(text.encode()[:place].decode())
    opens = sorted((text.find(awake(number)), number) for number in changes)
    before = [number for position, number in opens if 0 <= position <= at]
    after = [number for position, number in opens if position > at]
    return before[-1] if before else after[0] if after else None


def judge_all(project: Path, changes: Numbered, kept: Kept, jobs: int, timeout: float) -> list[Verdict]:
    """Tests mutants on as many copies of the project as there are jobs; whether survivors are faults is not asked."""
    waiting: queue.SimpleQueue[tuple[int, Change]] = queue.SimpleQueue()
    for entry in changes.items():
        waiting.put(entry)
    verdicts: list[Verdict] = []
    failures: list[BaseException] = []
    killers: dict[str, str | None] = {}
    """The suite that last killed a mutant of each function."""
    lock, began = threading.Lock(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="suanquan-mutants-") as folder:

        def serve(job: int) -> None:
            try:
                copy = Path(folder) / str(job)
                copy_project(project, copy)
                bench = Bench(copy)
                while not failures:
                    number, change = waiting.get_nowait()
                    verdict = bench.judge(number, change, timeout, killers.get(change.function))
                    with lock:
                        verdicts.append(verdict)
                        kept.keep(verdict)
                        killers[change.function] = verdict.suite or killers.get(change.function)
                        report_progress(verdicts, len(changes), began)
            except queue.Empty:
                pass
            except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
                failures.append(error)

        threads = [threading.Thread(target=serve, args=(job,)) for job in range(jobs)]
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
        print(f"  lives: {last.change.file}:{last.change.mutant.line} {last.change.mutant.key}", flush=True)
    done = len(verdicts)
    if done % 25 == 0 or done == total:
        left = (time.monotonic() - began) / done * (total - done)
        counts = Counter(verdict.outcome for verdict in verdicts)
        text = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        print(f"  {done} of {total} mutants: {text}; about {left / 60:.0f} min left", flush=True)


def weighed(verdict: Verdict, compiler: Compiler, contracts: Contracts) -> Verdict:
    """A survivor without a reason is no fault where its code, compiled as for production, is the original's."""
    change = verdict.change
    if verdict.outcome != "survived" or change.mutant.key in explained():
        return verdict
    text = change.mutant.applied(contracts.sources[LEDGER][change.file].encode()).decode()
    same = contracts.same_when_shipped(compiler, change.file, text)
    return Verdict(change, "equivalent", "same optimised code") if same else verdict


def campaign(options: Options) -> Result:
    kept = Kept()
    with workspace(without=NOT_UNIT_TESTS) as project, Compiler() as compiler:
        contracts = Contracts()
        trees = compiler.trees(contracts.sources[LEDGER])
        changes = all_changes(contracts, trees)
        every = len(changes)
        wanted = min(every, options.mutants or every)
        complete = wanted == every
        # All too are drawn: what an interrupted campaign has tried is a fair sample.
        changes = random.Random(options.seed).sample(changes, wanted)
        print(f"{len(changes)} mutants{'' if complete else f' of {every} drawn by seed {options.seed}'}", end="")
        verdicts = [verdict for change in changes if (verdict := kept.find(change)) is not None]
        known = {verdict.change for verdict in verdicts}
        numbered = {number: change for number, change in enumerate(changes, 1) if change not in known}
        print(f"; {len(known)} verdicts hold from before", flush=True)
        if numbered:
            files, stillborn = without_stillborn(contracts, compiler, trees, numbered)
            for number, change in stillborn.items():
                del numbered[number]
                verdicts.append(Verdict(change, "stillborn"))
                kept.keep(verdicts[-1])
            built = subprocess.run(
                [forge(), "build"], cwd=project / "contracts", capture_output=True, text=True, check=False
            )
            if built.returncode != 0:
                raise CampaignError(built.stdout + built.stderr)
            bench = Bench(project)
            bench.install(contracts.fastest_code(compiler, files))
            began = time.monotonic()
            passed, first, _ = bench.test(0, timeout=600)
            if not passed:
                raise CampaignError(f"the unit tests fail without any mutant awake: {first}")
            timeout = 30 + 10 * (time.monotonic() - began)
            verdicts += judge_all(project, numbered, kept, options.jobs, timeout)
        verdicts = [weighed(verdict, compiler, contracts) for verdict in verdicts]
        for verdict in verdicts:
            if verdict.outcome == "equivalent":
                kept.keep(verdict)
        return report(verdicts, complete=complete)
