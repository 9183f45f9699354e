"""Proofs by symbolic execution: halmos runs tests/contracts/symbolic on the ledger's bytecode, its inputs and the words
of its storage open.

The ledger is linked to fixed addresses, at which the proofs put the libraries, as halmos does not link code that it
loads.
"""

import json
import os
import re
import time
from pathlib import Path

from .campaign import ROOT, TOOLS, CampaignError, Options, Result, forge, run, workspace

LINKS = {
    "Issuing": f"{0x15501:040x}",
    "Lifecycle": f"{0x115EC1C1:040x}",
    "Programmes": f"{0x960624A1:040x}",
}
"""Where SymbolicBase.sol puts the libraries, Programmes apart, of which no proof calls a function."""
SECONDS_FOR_A_PROOF = 1800
MILLISECONDS_FOR_A_BRANCH = 50
"""Enough to see most dead ends; by default halmos looks for one, and then follows them."""
PROOFS = ROOT / "tests" / "contracts" / "symbolic"
PROOF = re.compile(r"function (check_\w+)")
VERDICT = re.compile(r"^\[(PASS|FAIL|ERROR|TIMEOUT)\] \w+", re.MULTILINE)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def link(artifact: Path) -> None:
    """Puts the addresses of the libraries into a contract's code."""
    content = json.loads(artifact.read_text())
    for part in ("bytecode", "deployedBytecode"):
        code = content[part]["object"]
        for libraries in content[part]["linkReferences"].values():
            for name, places in libraries.items():
                for place in places:
                    start = 2 + 2 * place["start"]
                    code = code[:start] + LINKS[name] + code[start + 40 :]
        content[part].update(object=code, linkReferences={})
    artifact.write_text(json.dumps(content))


def campaign(_: Options) -> Result:
    others = [entry.name for entry in (ROOT / "tests" / "contracts").iterdir() if entry.name != "symbolic"]
    with workspace(without=others, compiled=False) as project:
        contracts = project / "contracts"
        environment = {"PATH": os.pathsep.join([str(TOOLS), str(Path(forge()).parent), os.environ["PATH"]])}
        # as halmos builds, so that it finds nothing left to build
        build = [forge(), "build", "--ast", "--extra-output", "storageLayout", "metadata", "--root", "."]
        status, output = run(build, folder=contracts, environment=environment, shown=())
        if status != 0:
            raise CampaignError(output)
        link(contracts / "out" / "VoucherLedger.sol" / "VoucherLedger.json")
        halmos = [str(TOOLS / "halmos"), "--root", ".", "--no-status", "--solver-command", str(TOOLS / "yices-smt2")]
        halmos += ["--solver-timeout-assertion", "0", "--solver-timeout-branching", f"{MILLISECONDS_FOR_A_BRANCH}ms"]
        # One at a time, so that one that takes for ever keeps no other from its verdict.
        limited = ["timeout", "--kill-after=5", str(SECONDS_FOR_A_PROOF), *halmos]
        names = [name for file in sorted(PROOFS.glob("*.t.sol")) for name in PROOF.findall(file.read_text())]
        verdicts = {}
        for name in names:
            start = time.monotonic()
            command = [*limited, "--match-test", f"^{name}\\("]
            output = run(command, folder=contracts, environment=environment, shown=())[1]
            found = VERDICT.search(COLOURS.sub("", output))
            verdicts[name] = found[1] if found else "NONE"
            print(f"  {name}: {verdicts[name]} after {time.monotonic() - start:.0f} s", flush=True)
    proved = [name for name, verdict in verdicts.items() if verdict == "PASS"]
    return Result(
        passed=len(proved) == len(names),
        figures=f"{len(proved)} of {len(names)} properties proved",
        goal="each proved, whatever the words of the records that it is about",
    )
