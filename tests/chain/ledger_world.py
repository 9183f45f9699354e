"""The contracts on a node, with officers, organisations and a platform, and calls on them for tests.

Evidence is kept simple: each trade is a submission and a batch of its own, so its leaf is the root of both trees.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from chain.claims import batch_args
from chain.contracts import ContractName, Contracts, encode_call, functions
from chain.deploy import deploy
from chain.enums import NO_CAP, NO_PERIOD, Funding, KeyPurpose, Role, Standing
from chain.evidence import NO_HEAD, BatchHeader, SignedSubmission
from chain.keys import LocalSigner
from chain.merkle import leaf_hash
from chain.rpc import RpcClient
from chain.trade import Trade

from .faucet import funded_signer, send

DAY = 86_400
FOREVER = 2**40 - 1
OFFICERS = {
    Role.OPERATOR: "operator",
    Role.REVIEWER: "reviewer",
    Role.FINANCE: "finance",
    Role.REGULATOR: "regulator",
    Role.REGISTRAR: "registrar",
    Role.RELAYER: "relayer",
}
_ZERO_ADDRESS = "0x" + "00" * 20


class Reverted(AssertionError):
    """A call that should succeed was undone by its contract."""


def digest(text: str) -> bytes:
    """Some 32 bytes that belong to a text."""
    return leaf_hash(text.encode())


@dataclass
class World:
    """A deployment of its own.

    Attributes:
        signers: the officers' keys by name, with money.
        label: keeps the keys and organisations of two worlds on one node apart.
    """

    rpc: RpcClient
    label: str
    contracts: Contracts
    start_block: int
    signers: dict[str, LocalSigner]
    sequences: dict[bytes, int] = field(default_factory=dict)
    heads: dict[bytes, bytes] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @classmethod
    def deployed(cls, rpc: RpcClient, label: str) -> "World":
        """Deploys."""
        signers = {name: funded_signer(rpc, f"{label}/{name}") for name in ("admin", *OFFICERS.values())}
        roles = {role: [signers[name].address] for role, name in OFFICERS.items()}
        contracts, start_block = deploy(rpc, signers["admin"], roles=roles)
        return cls(rpc, label, contracts, start_block, signers)

    def to(self, contract: ContractName) -> bytes:
        """Address of a contract, 20 bytes."""
        return bytes.fromhex(self.contracts.addresses[contract].removeprefix("0x"))

    def act(self, officer: str, contract: ContractName, function: str, *args: Any) -> dict[str, Any]:
        """Sends a call past the relay and waits for its receipt; it must succeed."""
        receipt = send(
            self.rpc,
            self.signers[officer],
            to=self.contracts.addresses[contract],
            data="0x" + encode_call(contract, function, args).hex(),
        )
        if receipt["status"] != "0x1":
            raise Reverted(f"{function} reverted")
        return receipt

    def read(self, contract: ContractName, function: str, *args: Any) -> Any:
        """A view."""
        return self.contracts.read(self.rpc, contract, function, args)

    # Organisations

    def registration(self, name: str, *, roles: int = 1, controller: bytes = bytes(16)) -> dict[str, Any]:
        """An organisation to register; a platform's evidence key is `platform_key`."""
        platform = roles & 4 != 0
        return {
            "id": digest(name),
            "account": "0x" + digest(f"{self.label}/{name}").hex()[:40],
            "kind": 5 if platform else 0,
            "roles": roles,
            "region": 410100,
            "standing": Standing.GOOD,
            "standingUntil": FOREVER,
            "controller": controller,
            "evidenceKey": self.platform_key(name).address if platform else _ZERO_ADDRESS,
            "custodial": platform,
        }

    def register(self, *registrations: dict[str, Any]) -> None:
        """Registers organisations."""
        self.act("registrar", "EntityRegistry", "register", list(registrations))

    def platform_key(self, name: str) -> LocalSigner:
        """The key that a platform signs evidence with."""
        return LocalSigner(digest(f"evidence/{self.label}/{name}"))

    # Programmes and vouchers

    def terms(self, funding: Funding, **changes: Any) -> dict[str, Any]:
        """Terms with two yearly periods, the first of them now, a budget each, and one tier of 30 %."""
        now = int(time.time())
        middle = now + 300 * DAY
        return {
            "policyHash": digest("policy"),
            "policyURI": "https://example.org/policy",
            "group": 1,
            "funding": funding,
            "inTradeOrder": False,
            "tradeBeforeIssue": True,
            "oneClaimPerContract": False,
            "suppliersListed": False,
            "platformsListed": False,
            "basis": 0,
            "supportCeilingBps": 10_000,
            "challengeSeconds": 0,
            "minTradeFen": 0,
            "requiredAttributes": 0,
            "contractsFrom": 0,
            "contractsTo": FOREVER,
            "claimsUntil": FOREVER,
            "regions": [],
            "budgetsFen": [10_000_000, 20_000_000],
            "periods": [
                {"startsAt": now - 100 * DAY, "endsAt": middle, "budget": 0},
                {"startsAt": middle, "endsAt": middle + 365 * DAY, "budget": 1},
            ],
            "tiers": [tier("enterprise", period_cap_fen=5_000_000)],
            "stages": [{"name": name32("review"), "required": 1, "approvers": [self.signers["reviewer"].address]}],
        } | changes

    def programme(self, funding: Funding, **changes: Any) -> int:
        """A published programme's id."""
        return self.programme_of(self.terms(funding, **changes))

    def programme_of(self, terms: dict[str, Any]) -> int:
        """The same, of any terms."""
        receipt = self.act("operator", "VoucherLedger", "createProgramme", terms)
        created = self.contracts.decode_event(receipt["logs"][0])
        assert created is not None
        programme_id = int(created.args["programmeId"])
        self.act("operator", "VoucherLedger", "publishProgramme", programme_id)
        return programme_id

    def order(self, voucher_id: int, holder: str, face_fen: int, *, period: int = NO_PERIOD) -> dict[str, Any]:
        """An approved order to issue a voucher."""
        order = {
            "voucherId": voucher_id,
            "entity": digest(holder),
            "tier": 0,
            "period": period,
            "faceFen": face_fen,
            "validUntil": 2**32 - 1,
            "documents": digest("documents"),
            "approvals": [],
        }
        subject = self.read("VoucherLedger", "issueDigest", order, 0, FOREVER)
        reviewer = self.signers["reviewer"]
        approval = {"stage": 0, "deadline": FOREVER, "signer": reviewer.address}
        return {**order, "approvals": [{**approval, "signature": reviewer.sign_digest(subject)}]}

    def issue(self, programme_id: int, serial: int, holder: str, face_fen: int, *, period: int = NO_PERIOD) -> int:
        """Issues a voucher; returns its id."""
        voucher_id = (programme_id << 32) + serial
        self.act("operator", "VoucherLedger", "issue", self.order(voucher_id, holder, face_fen, period=period))
        return voucher_id

    # Evidence and claims

    def trade(self, buyer: str, settled_fen: int, **changes: Any) -> Trade:
        """A trade of intelligent compute between `buyer` and "supplier", settled an hour ago on "platform"."""
        number = next(self.numbers)
        fields: dict[str, Any] = {
            "platform": digest("platform"),
            "trade_id": digest(f"trade {number}"),
            "buyer": digest(buyer),
            "supplier": digest("supplier"),
            "kind": 0,
            "compute_type": 2,
            "attributes": 0,
            "region": 410100,
            "traded_at": int(time.time()) - 3_600 + number,
            "contract_signed_at": int(time.time()) - DAY,
            "settled_fen": settled_fen,
            "contract_fen": settled_fen,
            "other_support_fen": 0,
            "settlement_key": digest(f"invoice {number}"),
            "contract_key": digest(f"contract {number}"),
            "details": digest(f"details {number}"),
        }
        return Trade(**fields | changes)

    def header(self, receipt: dict[str, Any]) -> BatchHeader:
        """Header of the batch that a transaction anchored."""
        appended = self.contracts.decode_event(receipt["logs"][0])
        assert appended is not None
        block = self.rpc.call("eth_getBlockByNumber", receipt["blockNumber"], False)
        platform = appended.args["platform"]
        before = self.heads.get(platform, NO_HEAD)
        self.heads[platform] = appended.args["head"]
        return BatchHeader.of_event(appended.args, before, int(block["timestamp"], 16))

    def claim(self, voucher_id: int, trade: Trade) -> dict[str, Any]:
        """Anchors the trade and returns a claim for it."""
        platform = trade.platform
        sequence = self.sequences.get(platform, 0) + 1
        leaf = leaf_of(trade)
        signed = self.read("EvidenceLog", "submissionDigest", platform, sequence, leaf, 1)
        key = self.platform_key("platform")
        submission_leaf = leaf_hash(platform + sequence.to_bytes(32, "big") + leaf + (1).to_bytes(32, "big"))
        times = (trade.traded_at, trade.traded_at)
        receipt = self.act("relayer", "EvidenceLog", "append", platform, sequence, sequence, submission_leaf, 1, *times)
        self.sequences[platform] = sequence
        submission = SignedSubmission(sequence=sequence, root=leaf, count=1, signature=key.sign_digest(signed))
        proof = {
            "batch": self.header(receipt).to_abi(),
            "submission": submission.to_abi(),
            "tradePath": [],
            "submissionPath": [],
        }
        return {"voucherId": voucher_id, "trade": trade.to_abi(), "proof": proof}

    def redeem(self, *claims: dict[str, Any]) -> list[int]:
        """Presents claims together; the ids of the redemptions made."""
        receipt = self.act("relayer", "VoucherLedger", "redeemMany", *batch_args(claims))
        events = [self.contracts.decode_event(log) for log in receipt["logs"]]
        return [event.args["redemptionId"] for event in events if event is not None and event.name == "Redeemed"]


def ref(redemption_id: int, trade: Trade) -> dict[str, Any]:
    """A redemption as officers name it."""
    return {"redemptionId": redemption_id, "settlementKey": trade.settlement_key}


def leaf_of(trade: Trade) -> bytes:
    """The trade's leaf, by the ABI encoder rather than by chain.trade."""
    encoded = functions("VoucherLedger")["quote"].inputs.encode([0, trade.to_abi()])
    return leaf_hash(encoded[32:])


def tier(
    name: str, *, entity: bytes = bytes(32), period_cap_fen: int = NO_CAP, total_cap_fen: int = NO_CAP
) -> dict[str, Any]:
    """A tier that pays 30 % of compute."""
    return {
        "name": name32(name),
        "entity": entity,
        "periodCapFen": period_cap_fen,
        "totalCapFen": total_cap_fen,
        "rateBps": [3_000 if index < 8 else 0 for index in range(40)],
    }


def name32(text: str) -> bytes:
    """ASCII text as bytes32."""
    return text.encode().ljust(32, b"\0")


def story(world: World) -> None:
    """Every event of the contracts that changes anything, in a plausible order."""
    w = world
    w.register(
        w.registration("buyer"),
        w.registration("other buyer", controller=digest("group")[:16]),
        w.registration("supplier", roles=2),
        w.registration("platform", roles=4),
    )
    reserved = w.programme(Funding.RESERVED_AT_ISSUE)
    first_come = w.programme(
        Funding.FIRST_COME, inTradeOrder=True, group=2, policyURI="evil\0uri", budgetsFen=[900_000, 1_000]
    )
    w.act("operator", "VoucherLedger", "setSuppliers", reserved, [digest("supplier"), digest("buyer")], True)
    w.act("operator", "VoucherLedger", "setSuppliers", reserved, [digest("buyer")], False)
    w.act("operator", "VoucherLedger", "setPlatforms", reserved, [digest("platform")], True)
    w.act("operator", "VoucherLedger", "setApprover", reserved, 0, w.signers["reviewer"].address, True)

    first = w.issue(reserved, 1, "buyer", 1_000_000, period=0)
    second = w.issue(reserved, 2, "other buyer", 500_000, period=1)
    orders = [
        w.order((reserved << 32) + 3, "buyer", 700_000, period=0),
        w.order((reserved << 32) + 4, "buyer", 2**40 - 1, period=0),
        w.order((first_come << 32) + 1, "buyer", 2_000_000),
        w.order((first_come << 32) + 2, "other buyer", 2_000_000),
    ]
    w.act("operator", "VoucherLedger", "issueMany", orders)
    third, fourth, fifth = (reserved << 32) + 3, (first_come << 32) + 1, (first_come << 32) + 2

    trades = [w.trade("buyer", 1_000_000) for _ in range(4)]
    one, two, three = w.redeem(*(w.claim(first, trade) for trade in trades[:3]))
    # The same invoice again, and a trade that the voucher's face cuts.
    w.redeem(w.claim(first, trades[0]), w.claim(first, trades[3]))
    w.redeem(w.claim(second, w.trade("other buyer", 100_000)))
    late = w.trade("buyer", 2_000_000)
    later = w.trade("other buyer", 2_000_000)
    (paid,) = w.redeem(w.claim(fourth, late))
    (cut,) = w.redeem(w.claim(fifth, later))

    w.act("finance", "VoucherLedger", "writeOff", [ref(one, trades[0]), ref(paid, late)], digest("payment 1"))
    bad = trades[1]
    w.act("finance", "VoucherLedger", "reject", ref(two, bad), bad.contract_key, digest("wrong"), True)
    for amount_fen in (100_000, 50_000):
        w.act("finance", "VoucherLedger", "recover", ref(one, trades[0]), amount_fen, digest("recovery"))
    w.act("regulator", "VoucherLedger", "freeze", second, digest("suspicion"))
    w.act("regulator", "VoucherLedger", "unfreeze", second)
    w.act("operator", "VoucherLedger", "cancel", third, digest("withdrawn"))
    w.act("operator", "VoucherLedger", "cancel", first, digest("withdrawn"))
    # To a voucher that ended, nothing returns.
    for number, trade in ((three, trades[2]), (cut, later)):
        w.act("finance", "VoucherLedger", "reject", ref(number, trade), trade.contract_key, digest("wrong"), False)
    w.act("operator", "VoucherLedger", "terminateProgramme", first_come, digest("over"))
    w.act("operator", "VoucherLedger", "expire", fourth)

    buyer = digest("buyer")
    w.act("registrar", "EntityRegistry", "update", buyer, 2, 3, 410200, digest("group")[:16])
    w.act("registrar", "EntityRegistry", "setStanding", digest("other buyer"), Standing.DISHONEST, FOREVER - 1)
    w.act("regulator", "EntityRegistry", "freeze", buyer, digest("reason"))
    w.act("regulator", "EntityRegistry", "freeze", digest("other buyer"), digest("reason"))
    w.act("regulator", "EntityRegistry", "unfreeze", digest("other buyer"))
    account = "0x" + digest(f"{w.label}/new account").hex()[:40]
    w.act("registrar", "EntityRegistry", "proposeKey", buyer, KeyPurpose.ACCOUNT, account, False)
    w.act("regulator", "EntityRegistry", "confirmKey", buyer, KeyPurpose.ACCOUNT, account)
    evidence_key = w.platform_key("later").address
    w.act("registrar", "EntityRegistry", "proposeKey", digest("platform"), KeyPurpose.EVIDENCE, evidence_key, False)
    w.act("regulator", "EntityRegistry", "confirmKey", digest("platform"), KeyPurpose.EVIDENCE, evidence_key)
    w.act("admin", "EntityRegistry", "revokeRole", Role.OPERATOR.value, w.signers["operator"].address)
    w.act("admin", "EntityRegistry", "grantRole", Role.OPERATOR.value, w.signers["operator"].address)


def budgets(world: World, programme_ids: Sequence[int]) -> dict[tuple[int, int], dict[str, Any]]:
    """Every budget as the contract has it."""
    found = {}
    for programme_id in programme_ids:
        for index in range(world.read("VoucherLedger", "programme", programme_id)["budgets"]):
            found[programme_id, index] = world.read("VoucherLedger", "budget", programme_id, index)[0]
    return found
