"""Time and memory of an audit: `suanquan audit` in a process of its own, over a chain made for it.

    ./scripts/bench audit --events 1000000

The chain is one on paper (paper_chain.py), under a programme whose policy has a text; it answers as a node does:
headers, logs and views. Aims are those of issue 6.
"""

import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from app.policies.files import digest as policy_digest
from app.policies.files import parse, shipped
from app.policies.terms import contract_terms
from chain.contracts import Contracts
from chain.deploy import deploy
from chain.enums import Role
from scripts._anvil import Anvil
from scripts._bench.node import remote
from scripts._bench.paper_chain import Paper, Plan, serve

AIM_SECONDS = 180.0
AIM_BYTES = 2**30
_LONG = {"from": "2020-01-01", "to": "2099-12-31"}


@dataclass(frozen=True)
class AuditReport:
    """What was measured.

    Attributes:
        events: of the contracts, Transfer and Locked among them; `recorded` without these.
        peak_bytes: largest resident size of the auditing process.
        findings: must be 0.
    """

    recorded: int
    events: int
    vouchers: int
    redemptions: int
    answers_compared: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    findings: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        aims = {"seconds": self.seconds <= AIM_SECONDS, "memory": self.peak_bytes <= AIM_BYTES}
        return {"benchmark": "audit", **asdict(self), "aims_met": aims}


def measure(events: int, *, progress: Callable[[str], None]) -> AuditReport:
    """Make the chain, then audit it.

    Args:
        progress: told what goes on.
    """
    progress("deploying")
    with tempfile.TemporaryDirectory(prefix="suanquan-bench-") as folder, Anvil() as anvil, remote(anvil.url) as node:
        signers = {role: [node.signer(role.name).address] for role in Role}
        contracts = deploy(node.rpc, node.signer("admin"), roles=signers)[0]
        progress(f"{events:,} events on paper")
        paper = Paper(Plan(contracts, _terms(signers[Role.REVIEWER]), events // 10))
        texts = Path(folder)
        (texts / "bench.yaml").write_bytes(_policy_text())
        server = serve(paper, anvil.url)
        worker = threading.Thread(target=server.serve_forever)
        worker.start()
        try:
            progress("audit")
            return _audit(events, f"http://127.0.0.1:{server.server_port}", contracts, texts)
        finally:
            server.shutdown()
            worker.join()
            server.server_close()


def show(report: AuditReport, screen: Console) -> None:
    """For people."""
    screen.print(
        f"{report.vouchers:,} vouchers, {report.recorded:,} events ({report.events:,} with Transfer and Locked): "
        f"{report.seconds:.1f} s, {report.cpu_seconds:.1f} CPU seconds, {report.peak_bytes / 2**20:,.0f} MiB; "
        f"{report.answers_compared:,} answers compared, {report.findings} findings"
    )


def _policy_text() -> bytes:
    """E-Town's rates, for vouchers that reserve their face of a budget that is large enough."""
    content = yaml.safe_load(shipped()["beijing-etown"])
    content["programmes"][0] |= {
        "mode": "after_trade",
        "funding": "reserved_at_issue",
        "window": {"contracts": _LONG, "claims_until": "2099-12-31"},
        "budgets": [{"amount_fen": 2 * 10**13}],
        "periods": [{**_LONG, "budget": 0}],
    }
    content["programmes"][0]["tiers"][0]["period_cap_fen"] = 10**13
    return yaml.safe_dump(content, allow_unicode=True).encode()


def _terms(approvers: Sequence[str]) -> dict[str, Any]:
    text = _policy_text()
    policy = parse(text)
    return contract_terms(
        policy.programmes[0],
        group=policy.group,
        policy_hash=policy_digest(text),
        policy_uri="bench.yaml#vouchers",
        approvers=[approvers],
    )


def _audit(recorded: int, rpc_url: str, contracts: Contracts, texts: Path) -> AuditReport:
    command = ["-m", "app.cli", "audit", "--rpc", rpc_url, "--ledger", contracts.ledger, "--policies", str(texts)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, peak_bytes = time.monotonic(), 0
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen([sys.executable, *command, "--json"], stdout=answer)
        # Not from its usage: what the parent held when it was forked counts there.
        while process.poll() is None:
            peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
            time.sleep(0.1)
        seconds = time.monotonic() - began
        answer.seek(0)
        found = json.load(answer)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return AuditReport(
        recorded=recorded,
        events=found["events"],
        vouchers=found["vouchers"],
        redemptions=found["redemptions"],
        answers_compared=found["answers_compared"],
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime,
        peak_bytes=peak_bytes,
        findings=found["findings"]["count"],
    )


def _peak_bytes(pid: int) -> int:
    """Largest resident size of a process so far; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
