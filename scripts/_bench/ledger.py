"""The contracts in use: a programme that runs, fifty holders with vouchers, and trades anchored by the thousand.

What is measured happens in this world, so nothing is a first time except where a row says so.
"""

from collections.abc import Sequence
from typing import Any

from eth_hash.auto import keccak

from chain.claims import batch_args
from chain.contracts import Contracts, encode_call
from chain.deploy import deploy
from chain.enums import NO_CAP, NO_PERIOD, ComputeType, EntityKind, EntityRoles, Funding, Role, Standing, TradeKind
from chain.evidence import NO_HEAD, BatchHeader, EvidenceProof, SignedSubmission
from chain.merkle import MerkleTree
from chain.trade import Trade
from chain.typed_data import Issue, Submission, issue_digest, submission_digest
from scripts._bench.node import Node

HOLDERS = 50
# Trees of 2**10 leaves: a path of 10 in the submission and one of 10 in the batch, 20 together.
TREE = 2**10
DAY = 86_400
FOREVER = 2**40 - 1
YUAN = 100
_RATE_BPS = 3_000
_SETTLED_FEN = 10_000 * YUAN
# What one redemption comes to.
REDEEMED_FEN = _SETTLED_FEN * _RATE_BPS // 10_000


def digest(text: str) -> bytes:
    """Some 32 bytes that belong to a text."""
    return keccak(text.encode())


class Ledger:
    """A deployment of its own, and calls on it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.signers = {role: node.signer(role.name) for role in Role}
        roles = {role: [signer.address] for role, signer in self.signers.items()}
        self.contracts: Contracts = deploy(node.rpc, node.signer("admin"), roles=roles)[0]
        self._platform = digest("platform")
        self._platform_key = node.signer("platform")
        self._sequence = 1
        self._opened_at = node.now
        self._serials = iter(range(1, 2**32))
        self._trades = iter(range(1, 2**32))
        self._proofs: dict[bytes, EvidenceProof] = {}
        parties = [(f"holder {one}", EntityRoles.BUYER) for one in range(HOLDERS + 1)]
        parties += [("supplier", EntityRoles.SUPPLIER), ("platform", EntityRoles.PLATFORM)]
        self.send(Role.REGISTRAR, "EntityRegistry", "register", [self._registration(*party) for party in parties])

    def send(self, role: Role, contract: Any, function: str, *args: Any) -> tuple[dict[str, Any], bytes]:
        """A call that succeeds; its receipt and data."""
        data = encode_call(contract, function, args)
        return self.node.send(self.signers[role], to=self.contracts.addresses[contract], data=data), data

    def programme(self, funding: Funding) -> int:
        """A published programme: yearly caps, one approval, no challenge window, first come in order of trade time."""
        periods = [(self._opened_at - DAY, self._opened_at + 100 * DAY), (self._opened_at + 100 * DAY, FOREVER)]
        rates = [_RATE_BPS if place < 8 else 0 for place in range(40)]
        tier = {"name": b"enterprise".ljust(32, b"\0"), "entity": bytes(32), "rateBps": rates}
        terms = {
            "policyHash": digest("policy"),
            "policyURI": "https://example.org/policy",
            "group": 1,
            "funding": funding,
            "inTradeOrder": funding == Funding.FIRST_COME,
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
            "budgetsFen": [100_000_000_000 * YUAN],
            "periods": [{"startsAt": first, "endsAt": end, "budget": 0} for first, end in periods],
            "tiers": [{**tier, "periodCapFen": 100_000_000 * YUAN, "totalCapFen": NO_CAP}],
            "stages": [
                {
                    "name": b"review".ljust(32, b"\0"),
                    "required": 1,
                    "approvers": [self.signers[Role.REVIEWER].address],
                }
            ],
        }
        receipt, _ = self.send(Role.OPERATOR, "VoucherLedger", "createProgramme", terms)
        created = self.contracts.decode_event(receipt["logs"][0])
        assert created is not None  # noqa: S101 - createProgramme logs ProgrammeCreated first
        number = int(created.args["programmeId"])
        self.send(Role.OPERATOR, "VoucherLedger", "publishProgramme", number)
        return number

    def order(self, programme: int, holder: int, *, period: int = NO_PERIOD) -> dict[str, Any]:
        """An approved order to issue a voucher."""
        issue = Issue(
            voucher_id=(programme << 32) + next(self._serials),
            entity=digest(f"holder {holder}"),
            tier=0,
            period=period,
            face_fen=1_000_000 * YUAN,
            valid_until=2**32 - 1,
            documents=digest("documents"),
        )
        reviewer = self.signers[Role.REVIEWER]
        signature = reviewer.sign_digest(issue_digest(self.contracts, issue, stage=0, deadline=FOREVER))
        return {
            "voucherId": issue.voucher_id,
            "entity": issue.entity,
            "tier": issue.tier,
            "period": issue.period,
            "faceFen": issue.face_fen,
            "validUntil": issue.valid_until,
            "documents": issue.documents,
            "approvals": [
                {"stage": 0, "deadline": FOREVER, "signer": reviewer.address, "signature": signature},
            ],
        }

    def trades(self, holders: Sequence[int], *, apart: bool = False) -> list[Trade]:
        """A trade of each holder, anchored in a batch of 1,024 submissions.

        Args:
            apart: each in a submission of its own instead of all in one; a submission has 1,024 trades either way.
        """
        trades = [self._trade(holder) for holder in holders]
        together = [[trade] for trade in trades] if apart else [trades]
        first = self._sequence
        trees: list[MerkleTree] = []
        submissions: list[SignedSubmission] = []
        for own in together:
            filler = [digest(f"other trade {place}") for place in range(TREE - len(own))]
            trees.append(MerkleTree([trade.leaf() for trade in own] + filler))
            submissions.append(self._submission(first + len(submissions), trees[-1].root))
        submissions += [
            SignedSubmission(sequence=first + place, root=digest(f"submission {first + place}"), count=1, signature=b"")
            for place in range(len(together), TREE)
        ]
        above = MerkleTree([submission.leaf(self._platform) for submission in submissions])
        header = self._anchored(above.root, TREE, (len(together) + 1) * TREE)
        for number, own in enumerate(together):
            for place, trade in enumerate(own):
                self._proofs[trade.trade_id] = EvidenceProof(
                    batch=header,
                    submission=submissions[number],
                    trade_path=trees[number].path(place),
                    submission_path=above.path(number),
                )
        return trades

    def append(self, records: int) -> tuple[dict[str, Any], bytes]:
        """Anchor a batch of one submission with so many records, from a real tree."""
        tree = MerkleTree([digest(f"record {place}") for place in range(records)])
        root = self._submission(self._sequence, tree.root, records).leaf(self._platform)
        return self._append(root, 1, records)

    def claims(self, vouchers: Sequence[int], trades: Sequence[Trade]) -> list[dict[str, Any]]:
        """Each voucher against a trade of its holder."""
        return [
            {"voucherId": voucher, "trade": trade.to_abi(), "proof": self._proofs[trade.trade_id].to_abi()}
            for voucher, trade in zip(vouchers, trades, strict=True)
        ]

    def redeem_all(self, vouchers: Sequence[int], trades: Sequence[Trade]) -> list[dict[str, Any]]:
        """Redeem in batches of ten; the redemptions as officers name them."""
        claims = self.claims(vouchers, trades)
        redemptions = []
        for place in range(0, len(claims), 10):
            receipt, _ = self.send(Role.RELAYER, "VoucherLedger", "redeemMany", *batch_args(claims[place : place + 10]))
            redemptions += self.redemptions(receipt)
        return redemptions

    def redemptions(self, receipt: dict[str, Any]) -> list[dict[str, Any]]:
        """The redemptions that a transaction made, as officers name them.

        Raises:
            AssertionError: a claim was refused.
        """
        events = [self.contracts.decode_event(log) for log in receipt["logs"]]
        refused = [event for event in events if event is not None and event.name == "RedemptionRefused"]
        if refused:
            raise AssertionError(f"a claim was refused: {refused[0]}")
        made = [event.args for event in events if event is not None and event.name == "Redeemed"]
        return [{name: args[name] for name in ("redemptionId", "settlementKey")} for args in made]

    def set_supplier(self, *, listed: bool) -> int:
        """Put the supplier on the list of the first programme, or take it off; the block of the event."""
        receipt, _ = self.send(Role.OPERATOR, "VoucherLedger", "setSuppliers", 1, [digest("supplier")], listed)
        return int(receipt["blockNumber"], 16)

    def _trade(self, holder: int) -> Trade:
        number = next(self._trades)
        return Trade(
            platform=self._platform,
            trade_id=digest(f"trade {number}"),
            buyer=digest(f"holder {holder}"),
            supplier=digest("supplier"),
            kind=TradeKind.COMPUTE,
            compute_type=ComputeType.INTELLIGENT,
            attributes=0,
            region=410100,
            traded_at=self._opened_at,
            contract_signed_at=self._opened_at - DAY,
            settled_fen=_SETTLED_FEN,
            contract_fen=_SETTLED_FEN,
            other_support_fen=0,
            settlement_key=digest(f"invoice {number}"),
            contract_key=digest(f"contract {number}"),
            details=digest(f"details {number}"),
        )

    def _submission(self, sequence: int, root: bytes, count: int = TREE) -> SignedSubmission:
        stated = Submission(platform=self._platform, sequence=sequence, root=root, count=count)
        signature = self._platform_key.sign_digest(submission_digest(self.contracts, stated))
        return SignedSubmission(sequence=sequence, root=root, count=count, signature=signature)

    def _anchored(self, root: bytes, submissions: int, records: int) -> BatchHeader:
        receipt, _ = self._append(root, submissions, records)
        appended = self.contracts.decode_event(receipt["logs"][0])
        assert appended is not None  # noqa: S101 - append logs BatchAppended and nothing else
        index = int(appended.args["index"])
        before = NO_HEAD
        if index:
            before = self.contracts.read(self.node.rpc, "EvidenceLog", "headAt", (self._platform, index - 1))
        block = self.node.rpc.call("eth_getBlockByNumber", receipt["blockNumber"], False)
        return BatchHeader.of_event(appended.args, before, int(block["timestamp"], 16))

    def _append(self, root: bytes, submissions: int, records: int) -> tuple[dict[str, Any], bytes]:
        first = self._sequence
        self._sequence += submissions
        times = (self._opened_at, self._opened_at)
        arguments = (self._platform, first, self._sequence - 1, root, records, *times)
        return self.send(Role.RELAYER, "EvidenceLog", "append", *arguments)

    def _registration(self, name: str, roles: EntityRoles) -> dict[str, Any]:
        platform = roles == EntityRoles.PLATFORM
        return {
            "id": digest(name),
            "account": "0x" + digest(f"account of {name}").hex()[:40],
            "kind": EntityKind.PLATFORM if platform else EntityKind.ENTERPRISE,
            "roles": roles,
            "region": 410100,
            "standing": Standing.GOOD,
            "standingUntil": FOREVER,
            # Members of different groups of companies, so that relations are really looked at.
            "controller": digest(f"controller of {name}")[:16],
            "evidenceKey": self._platform_key.address if platform else "0x" + "00" * 20,
            "custodial": False,
        }
