"""Evidence bundles beside the chain: whole trades, so that subsidies are computed from what platforms signed."""

from collections.abc import Mapping
from pathlib import Path

from app.audit.findings import Findings
from chain.bundle_format import MAX_BYTES, BundleError, decode
from chain.rpc import RpcClient
from chain.trade import Trade
from chain.verify import verify


def trades_of(folder: Path, rpc: RpcClient, findings: Findings) -> Mapping[bytes, Trade]:
    """The trades of the bundles in a folder, by settlement key; those that do not verify are findings.

    Raises:
        OSError: the folder or a file cannot be read.
    """
    trades: dict[bytes, Trade] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".json":
            continue
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        for step in verify(data, rpc).steps:
            if not step.ok:
                findings.add("evidence-bundle", path.name, expected=f"{step.name} to hold", found=step.detail)
        try:
            trade = decode(data).trade
        except BundleError:
            continue  # its first step told so
        trades[trade.settlement_key] = trade
    return trades
