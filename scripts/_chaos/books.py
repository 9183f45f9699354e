"""Checks the books after a campaign: what was acknowledged against what is on chain."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from app.settings import Settings
from chain.contracts import Contracts
from chain.rpc import RpcClient
from scripts._chaos.load import Load
from scripts._chaos.processes import Processes


def check(
    processes: Processes, load: Load, rpc: RpcClient, folder: Path, settings: Mapping[str, str]
) -> dict[str, Any]:
    """The report; `ok` says whether all of it is as it must be."""
    service, key = load.service, load.story.keys["operator"]
    operations = [service.get(f"/v1/operations/{one}", key) for one in load.operations]
    claims = [service.get(f"/v1/claims/{one}", key) for one in load.claims]
    redemptions = load.story.redeemed()
    processes.stop()
    as_it_is = json.loads(processes.run("index", "--json"))
    rebuilt = json.loads(processes.run("index", "--rebuild", "--json"))
    contracts = Contracts.from_dict(json.loads(processes.run("deploy", "--json")))
    paid = Counter(one["leaf"] for one in redemptions)
    redeemed = {one["redemption_id"] for one in claims if one["state"] == "redeemed"}
    registered = Counter(event["args"]["id"] for one in operations for event in (one["result"] or {}).get("events", ()))
    gaps, keys = _gaps(folder, settings, rpc)
    report: dict[str, Any] = {
        "acknowledged": len(operations) + len(claims),
        "redeemed": len(redemptions),
        # An organisation of the load is new and good: whatever is not registered was lost.
        "lost": sum(one["status"] != "succeeded" for one in operations)
        + sum(one["state"] not in ("redeemed", "refused") for one in claims)
        + len(redeemed - {one["redemption_id"] for one in redemptions}),
        "duplicated": sum(count - 1 for count in paid.values())
        + sum(count - 1 for count in registered.values())
        + len({one["redemption_id"] for one in redemptions} - redeemed),
        "nonce_gaps": gaps,
        "keys_that_sent": keys,
        "projection_equals_rebuild": as_it_is["row_digest"] == rebuilt["row_digest"] and not rebuilt["parked"],
        "budget_holds": _budget_holds(rpc, contracts, load.story.programme_id, redemptions),
        "refused": dict(Counter(one["code"] for one in claims if one["state"] == "refused")),
    }
    flawless = not (report["lost"] or report["duplicated"] or report["nonce_gaps"])
    report["ok"] = flawless and report["projection_equals_rebuild"] and report["budget_holds"]
    return report


def _gaps(folder: Path, settings: Mapping[str, str], rpc: RpcClient) -> tuple[int, int]:
    """Differences between the nonces that the relays gave out and those that the chain used; and the number of keys."""
    url = Settings(data_dir=folder, DATABASE_URL=settings.get("DATABASE_URL", "")).database_url
    query = "SELECT signer, nonce FROM transactions WHERE status IN ('mined', 'final') ORDER BY signer, nonce"
    by_signer: dict[bytes, list[int]] = {}
    engine = create_engine(url)
    with engine.connect() as connection:
        for signer, nonce in connection.execute(text(query)):
            by_signer.setdefault(bytes(signer), []).append(nonce)
    engine.dispose()
    gaps = 0
    for signer, nonces in by_signer.items():
        used = int(rpc.call("eth_getTransactionCount", "0x" + signer.hex(), "latest"), 16)
        wanted = list(range(nonces[0], used))
        gaps += len(set(wanted) ^ set(nonces)) + len(nonces) - len(set(nonces))
    return gaps, len(by_signer)


def _budget_holds(rpc: RpcClient, contracts: Contracts, programme: int, redemptions: list[dict[str, Any]]) -> bool:
    """budget = available + reserved + redeemed + written off − recovered, and redeemed is the sum of redemptions."""
    budgets = contracts.read(rpc, "VoucherLedger", "programme", [programme])["budgets"]
    found = [contracts.read(rpc, "VoucherLedger", "budget", [programme, index]) for index in range(budgets)]
    conserved = all(
        budget["amountFen"]
        == available + budget["reservedFen"] + budget["redeemedFen"] + budget["writtenOffFen"] - budget["recoveredFen"]
        for budget, available in found
    )
    redeemed = sum(budget["redeemedFen"] for budget, _ in found)
    return bool(conserved and redeemed == sum(one["amount_fen"] for one in redemptions))
