"""Audits a deployment: plays every event from the first block on, and holds what comes of it against every rule.

    chain ─► blocks ─► plays (each event by the rules of its moment) ─► invariants, after every block
                                                       └─► at the end: the contracts' own storage

What can be seen of each invariant of contracts/SECURITY.md in events is checked here; that only the named role or
signature changes anything is not in events: for that, the code on chain is compared with the artifacts.
"""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from app.audit import evidence, organisations, programmes, redemptions, vouchers
from app.audit.book import Book
from app.audit.bundles import trades_of
from app.audit.findings import Findings
from app.audit.invariants import Invariants
from app.audit.plays import PLAYS, Stage
from app.audit.policy_texts import PolicyTexts
from app.audit.reading import Block, blocks
from app.audit.storage import check_storage
from app.indexer.collector import without_collector
from chain.abi import AbiError
from chain.contracts import Contracts
from chain.deployed_code import CodeMismatch, check_code
from chain.headers import Header
from chain.rpc import RpcClient

# Importing these registered what plays events.
PLAYED = (evidence, organisations, programmes, redemptions, vouchers)

# An answer of the node is a cycle of some megabytes, and nobody else collects while the events are played.
_COLLECT_EVERY = 100_000

Progress: TypeAlias = Callable[[int, int], None]
"""Told the block that was looked at last, and the events so far."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an audit looked at, and what it found.

    Attributes:
        block: the last one.
        events: of the contracts, Transfer and Locked among them.
        compared: answers of the contracts that were compared with what the events say.
    """

    contracts: Contracts
    first_block: int
    block: Header
    events: int
    compared: int
    book: Book
    findings: Findings


def audit(
    rpc: RpcClient,
    contracts: Contracts,
    first: int,
    last: Header,
    texts: PolicyTexts,
    *,
    sample: int,
    evidence_folder: Path | None = None,
    progress: Progress = lambda block, events: None,
) -> Outcome:
    """Audit all blocks from `first` to `last`.

    Args:
        sample: of vouchers, of redemptions and of organisations, how many are compared with the contracts' storage; 0
            for all.
        evidence_folder: bundles, from whose trades subsidies are computed too.

    Raises:
        ChainMoved: the chain changed meanwhile.
        OSError: the evidence cannot be read.
        RpcError, RpcUnavailable, DeepReorganisation: the node is of no use.
    """
    findings = Findings()
    trades = {} if evidence_folder is None else trades_of(evidence_folder, rpc, findings)
    stage = Stage(texts, findings, trades)
    try:
        check_code(rpc, contracts, hex(last.number))
    except CodeMismatch as error:
        findings.add("code-is-ours", "contracts", expected="the code of this version", found=str(error))
    with without_collector():
        count = _play(stage, blocks(rpc, contracts, first, last), progress)
    findings.outside()
    compared = check_storage(rpc, contracts, last, stage.book, findings, sample=sample)
    return Outcome(contracts, first, last, count, compared, stage.book, findings)


def _play(stage: Stage, read: Iterator[Block], progress: Progress) -> int:
    """Every event in order, and the invariants after every block; how many events there were."""
    findings, invariants = stage.findings, Invariants(stage.book, stage.findings)
    count = collected = 0
    for block in read:
        findings.block_number = block.header.number
        for event in block.events:
            if isinstance(event, AbiError):
                findings.tx_hash = None
                findings.add("events-decode", "a log", expected="an event of the contracts", found=str(event))
                continue
            findings.tx_hash = event.tx_hash
            play = PLAYS.get(event.name)
            if play is not None:
                play(stage, event)
        count += len(block.events)
        if count - collected > _COLLECT_EVERY:
            collected = count
            gc.collect()
        findings.tx_hash = None
        invariants.check()
        progress(block.header.number, count)
    return count
