"""`suanquan audit`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TextColumn

from app.audit.audit import Outcome, audit
from app.audit.clean import clean_projection
from app.audit.policy_texts import PolicyTexts
from app.audit.reading import ChainMoved, contracts_of, first_block, header_at
from app.audit.report_file import ReportError, ReportFile
from app.commands.screen import AsJson, blocks_bar, screen, told
from chain.headers import head_number
from chain.logs import DeepReorganisation
from chain.rpc import RpcClient, RpcError, RpcUnavailable

cli = typer.Typer(add_completion=False)


@cli.command(name="audit")
def command(
    *,
    rpc: Annotated[str, typer.Option(metavar="URL", help="A node that you trust.")],
    ledger: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The VoucherLedger; of the report if left out.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A report exported as JSON; the audit ends in its block.")
    ] = None,
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
    errors = (ChainMoved, DeepReorganisation, OSError, ReportError, RpcError, RpcUnavailable, ValueError)
    with told(*errors), RpcClient(rpc, timeout=60.0) as client:
        texts = PolicyTexts(policies)
        file = None if report is None else ReportFile(report)
        number = block if file is None else file.block_number
        last = header_at(client, head_number(client) if number is None else number)
        address = ledger or (file and file.contracts.ledger)
        if not address:
            raise ValueError("Name the ledger with --ledger, or a report with --report.")
        contracts = contracts_of(client, address, hex(last.number))
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
            figures = 0
            if file is not None:
                bar.update(task, description="projecting", completed=0)
                clean = clean_projection(
                    client, contracts, first, last, lambda number: bar.update(task, completed=number - first + 1)
                )
                with clean as make, make() as session:
                    figures = file.check(client, contracts, last, session, outcome.findings)
    if as_json:
        print(json.dumps(_result(outcome, figures), ensure_ascii=False))
    else:
        _show(outcome, figures)
    raise typer.Exit(1 if outcome.findings.count else 0)


def _result(outcome: Outcome, figures: int) -> dict[str, Any]:
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
        "report_figures_compared": figures,
        "findings": {"count": outcome.findings.count, "by_rule": dict(outcome.findings.by_rule)},
        "told": [finding.to_dict() for finding in outcome.findings.kept],
    }


def _show(outcome: Outcome, figures: int) -> None:
    book, block = outcome.book, outcome.block
    screen.print(
        f"blocks {outcome.first_block} to {block.number} (0x{block.hash.hex()}): {outcome.events:,} events, "
        f"{len(book.programmes):,} programmes, {len(book.vouchers):,} vouchers, {len(book.redemptions):,} redemptions, "
        f"{sum(stream.batches for stream in book.streams.values()):,} batches; "
        f"{outcome.compared:,} answers of the contracts and {figures:,} figures of the report compared"
    )
    for finding in outcome.findings.kept:
        screen.print(f"✗ {finding.told()}", style="red", markup=False)
    left = outcome.findings.count - len(outcome.findings.kept)
    if left:
        screen.print(f"… and {left:,} more", style="red")
    if not outcome.findings.count:
        screen.print("✓ all agrees", style="green")
