"""One trade from record to payment, on a node: what the tests of bundles are about."""

import json
import time
from dataclasses import dataclass
from typing import Any

from chain.contracts import Contracts, Event
from chain.enums import NO_PERIOD, Funding, KeyPurpose
from chain.evidence import EvidenceProof, SignedSubmission, batch_tree, submission_tree
from chain.identifiers import entity_id
from chain.record import Record, from_dict, rfc3339, to_trade
from chain.rpc import RpcClient
from chain.trade import Trade
from chain.typed_data import Issue, Submission, issue_digest, submission_digest

from .ledger_world import FOREVER, World, digest
from .uscc_numbers import numbered_uscc

KEY = b"jurisdiction".ljust(32, b"!")
BUYER, SUPPLIER, PLATFORM = (numbered_uscc(number) for number in (11, 12, 13))
SUBMISSION_SIZES = (1, 3, 2)
# The second trade of the second submission is the one that is redeemed.
SUBMISSION, POSITION = 1, 1


@dataclass
class SettledTrade:
    """A trade, anchored with others."""

    world: World
    record: Record
    salt: bytes
    trade: Trade
    proof: EvidenceProof
    voucher_id: int

    @property
    def contracts(self) -> Contracts:
        return self.world.contracts

    def redeem(self) -> int:
        """Redeems it; returns the redemption's id."""
        claim = {"voucherId": self.voucher_id, "trade": self.trade.to_abi(), "proof": self.proof.to_abi()}
        receipt = self.world.act("relayer", "VoucherLedger", "redeem", claim)
        return int(_event(self.contracts, receipt, "Redeemed").args["redemptionId"])


def record_of(number: int, **changes: Any) -> Record:
    """A record of compute that the buyer bought an hour ago."""
    now = int(time.time())
    content = {
        "trade_id": f"T-{number:06d}",
        "buyer": BUYER,
        "supplier": SUPPLIER,
        "platform": PLATFORM,
        "kind": "compute",
        "compute_type": "intelligent",
        "domestic_chip": True,
        "region_id": "410100",
        "traded_at": rfc3339(now - 3_600 + number),
        "contract_signed_at": rfc3339(now - 86_400),
        "contract_number": f"HT-{number}",
        "contract_fen": 2_000_000,
        "settled_fen": 1_000_001 + number,
        "invoice_id": f"2441{number:016d}",
        "other_support_fen": 0,
        "buyer_paid": True,
        "chip_model": "昇腾 910B",
        "consumed_unit": "card_hour",
        "consumed_quantity": "685.87",
        **changes,
    }
    return from_dict(json.loads(json.dumps(content)), now=now)


def settle(rpc: RpcClient, label: str, *, wallet: str | None = None) -> SettledTrade:
    """Deploys, registers, issues a voucher of 1,000,000 fen, rotates the platform's key, and anchors six trades.

    Args:
        wallet: a contract that signs for the platform after the rotation, by accepting anything.
    """
    world = World.deployed(rpc, label)
    ids = {name: entity_id(KEY, number) for name, number in _numbers().items()}
    world.register(*({**world.registration(name, roles=role), "id": ids[name]} for name, role in _ROLES.items()))
    programme = world.programme(Funding.FIRST_COME, inTradeOrder=True)
    voucher_id = (programme << 32) + 1
    issue = Issue(voucher_id, ids["buyer"], 0, NO_PERIOD, 1_000_000, 2**32 - 1, digest("documents"))
    reviewer = world.signers["reviewer"]
    signature = reviewer.sign_digest(issue_digest(world.contracts, issue, stage=0, deadline=FOREVER))
    approval = {"stage": 0, "deadline": FOREVER, "signer": reviewer.address, "signature": signature}
    world.act("operator", "VoucherLedger", "issue", _order(issue, approval))

    later = world.platform_key("platform, rotated")
    change = (ids["platform"], KeyPurpose.EVIDENCE, wallet or later.address)
    world.act("registrar", "EntityRegistry", "proposeKey", *change, False)
    world.act("regulator", "EntityRegistry", "confirmKey", *change)

    records = [[record_of(10 * n + m) for m in range(size)] for n, size in enumerate(SUBMISSION_SIZES)]
    salt = digest("salt")
    trades = [[to_trade(record, salt, KEY) for record in each] for each in records]
    submissions = []
    for number, each in enumerate(trades, start=1):
        root = submission_tree(each).root
        message = submission_digest(world.contracts, Submission(ids["platform"], number, root, len(each)))
        signature = b"by contract" if wallet else later.sign_digest(message)
        signed = SignedSubmission(sequence=number, root=root, count=len(each), signature=signature)
        submissions.append(signed)
    times = [trade.traded_at for each in trades for trade in each]
    root = batch_tree(ids["platform"], submissions).root
    appended = world.act(
        "relayer", "EvidenceLog", "append", ids["platform"], 1, 3, root, len(times), min(times), max(times)
    )
    header = world.header(appended)
    leaves = [trade.leaf() for trade in trades[SUBMISSION]]
    proof = EvidenceProof.assemble(header, submissions, SUBMISSION + 1, leaves, POSITION)
    trade = trades[SUBMISSION][POSITION]
    return SettledTrade(world, records[SUBMISSION][POSITION], salt, trade, proof, voucher_id)


_ROLES = {"buyer": 1, "supplier": 2, "platform": 4}


def _numbers() -> dict[str, str]:
    return {"buyer": BUYER, "supplier": SUPPLIER, "platform": PLATFORM}


def _order(issue: Issue, approval: dict[str, Any]) -> dict[str, Any]:
    return {
        "voucherId": issue.voucher_id,
        "entity": issue.entity,
        "tier": issue.tier,
        "period": issue.period,
        "faceFen": issue.face_fen,
        "validUntil": issue.valid_until,
        "documents": issue.documents,
        "approvals": [approval],
    }


def _event(contracts: Contracts, receipt: dict[str, Any], name: str) -> Event:
    events = [contracts.decode_event(log) for log in receipt["logs"]]
    return next(event for event in events if event is not None and event.name == name)
