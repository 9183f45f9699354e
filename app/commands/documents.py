"""`suanquan documents`."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.commands.screen import AsJson, screen, told
from chain.application_manifest import checked, digest
from chain.contracts import decode_event, event_topic
from chain.rpc import RpcClient, RpcError

cli = typer.Typer(add_completion=False)


class _File(msgspec.Struct, frozen=True):
    """What `/v1/applications/{id}/manifest` gives."""

    manifest: Any
    ledger: str
    voucher_id: int


@cli.command()
def documents(
    manifest: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="From /v1/applications/{id}/manifest.")],
    files: Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Documents to check.")] = None,
    rpc: Annotated[
        str | None, typer.Option(metavar="URL", help="A node that you trust, to ask for the voucher.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Checks what a voucher was approved over: that files are those of the application, and that the digest on chain is
    that of the manifest. Exit status 0 only if all of it holds."""
    with told(OSError, ValueError, msgspec.MsgspecError, RpcError):
        file = msgspec.json.decode(manifest.read_bytes(), type=_File)
        content = checked(file.manifest)
        made = f"0x{digest(content).hex()}"
        names = {one["sha256"]: one["name"] for one in content["documents"]}
        found = [
            {"file": str(path), "sha256": sha256, "document": names.get(sha256)}
            for path in files or []
            for sha256 in [hashlib.sha256(path.read_bytes()).hexdigest()]
        ]
        on_chain = None if rpc is None else _on_chain(rpc, file)
    agrees = None if rpc is None else on_chain == made
    good = agrees is not False and all(one["document"] for one in found)
    if as_json:
        print(json.dumps({"ok": good, "digest": made, "on_chain": on_chain, "files": found}, ensure_ascii=False))
    else:
        screen.print(f"digest {made}, voucher {file.voucher_id}", highlight=False)
        for one in found:
            mark, what = ("✓", one["document"]) if one["document"] else ("✗", "is no document of this application")
            screen.print(f"{mark} {one['file']}: {what}", highlight=False, markup=False)
        if agrees is not None:
            screen.print("✓ stands on chain" if agrees else f"✗ on chain stands {on_chain}", highlight=False)
    raise typer.Exit(0 if good else 1)


def _on_chain(rpc: str, file: _File) -> str | None:
    """The digest in the event of the voucher's issue; None where it was not issued."""
    where = {
        "address": file.ledger,
        "fromBlock": "0x0",
        "toBlock": "latest",
        "topics": [event_topic("VoucherLedger", "VoucherIssued"), f"0x{file.voucher_id:064x}"],
    }
    with RpcClient(rpc) as client:
        logs = client.call("eth_getLogs", where)
    if not logs:
        return None
    return f"0x{decode_event('VoucherLedger', logs[0]).args['documents'].hex()}"
