"""`suanquan audit`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TextColumn

from app.audit.audit import Outcome, audit
from app.audit.policy_texts import PolicyTexts
from app.audit.reading import ChainMoved, contracts_of, first_block, header_at
from app.commands.screen import AsJson, blocks_bar, screen, told
from chain.headers import head_number
from chain.logs import DeepReorganisation
from chain.rpc import RpcClient, RpcError, RpcUnavailable

cli = typer.Typer(add_completion=False)


@cli.command(name="audit")
def command(
    *,
    rpc: Annotated[str, typer.Option(metavar="URL", help="A node that you trust.")],
    ledger: Annotated[str, typer.Option(metavar="ADDRESS", help="The VoucherLedger; its registry and log follow.")],
    policies: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The policies' texts; those of the product if left out.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Proof bundles: their trades are recomputed, too.")
    ] = None,
    block: Annotated[int | None, typer.Option(min=0, help="The last block to look at; the newest if left out.")] = None,
    sample: Annotated[
        int,
        typer.Option(min=0, help="Vouchers, redemptions, organisations compared with the contracts' storage; 0: all."),
    ] = 1_000,
    as_json: AsJson = False,
) -> None:
    """Rebuilds all state from chain events alone and checks it against every rule. Exit status 0 only if all agrees."""
    errors = (ChainMoved, DeepReorganisation, OSError, RpcError, RpcUnavailable, ValueError)
    with told(*errors), RpcClient(rpc, timeout=60.0) as client:
        texts = PolicyTexts(policies)
        last = header_at(client, head_number(client) if block is None else block)
        contracts = contracts_of(client, ledger, hex(last.number))
        first = first_block(client, contracts, last.number)
        with blocks_bar(TextColumn("{task.fields[events]:,} events")) as bar:
            task = bar.add_task("blocks", total=last.number - first + 1, events=0)
            outcome = audit(
                client,
                contracts,
                first,
                last,
                texts,
                sample=sample,
                evidence_folder=evidence,
                progress=lambda number, events: bar.update(task, completed=number - first + 1, events=events),
            )
    if as_json:
        print(json.dumps(_result(outcome), ensure_ascii=False))
    else:
        _show(outcome)
    raise typer.Exit(1 if outcome.findings.count else 0)


def _result(outcome: Outcome) -> dict[str, Any]:
    book, block = outcome.book, outcome.block
    return {
        "ok": outcome.findings.count == 0,
        "chain_id": outcome.contracts.chain_id,
        "contracts": outcome.contracts.addresses,
        "first_block": outcome.first_block,
        "block_number": block.number,
        "block_hash": f"0x{block.hash.hex()}",
        "events": outcome.events,
        "programmes": len(book.programmes),
        "vouchers": len(book.vouchers),
        "redemptions": len(book.redemptions),
        "batches": sum(stream.batches for stream in book.streams.values()),
        "answers_compared": outcome.compared,
        "findings": {"count": outcome.findings.count, "by_rule": dict(outcome.findings.by_rule)},
        "told": [finding.to_dict() for finding in outcome.findings.kept],
    }


def _show(outcome: Outcome) -> None:
    book, block = outcome.book, outcome.block
    screen.print(
        f"blocks {outcome.first_block} to {block.number} (0x{block.hash.hex()}): {outcome.events:,} events, "
        f"{len(book.programmes):,} programmes, {len(book.vouchers):,} vouchers, {len(book.redemptions):,} redemptions, "
        f"{sum(stream.batches for stream in book.streams.values()):,} batches; "
        f"{outcome.compared:,} answers of the contracts compared"
    )
    for finding in outcome.findings.kept:
        screen.print(f"✗ {finding.told()}", style="red", markup=False)
    left = outcome.findings.count - len(outcome.findings.kept)
    if left:
        screen.print(f"… and {left:,} more", style="red")
    if not outcome.findings.count:
        screen.print("✓ all agrees", style="green")
