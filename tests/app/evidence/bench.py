"""A gateway on a migrated database without a chain: what a chain would show is written into the projection by hand."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from app.auth.roles import Role
from app.auth.service import Principal
from app.claims.models import Claim
from app.custody import evidence_signer_of
from app.evidence import service
from app.evidence.body import read
from app.evidence.checking import Job, check
from app.evidence.models import EvidenceAnchor, EvidenceRecord, EvidenceSubmission
from app.evidence.open_stream import OpenStream
from app.gateway import Gateway
from app.indexer.models import EvidenceBatch, EvidenceKey, IndexState, Programme, Redemption, Voucher
from app.pools import Pools
from app.settings import Settings
from chain.contracts import Contracts, decode_call
from chain.identifiers import entity_id
from chain.relay.models import Operation
from chain.rpc import RpcClient
from tests.app.organisations import new_uscc

KEY = b"k" * 32
_numbers = count(1)


@dataclass
class Bench:
    """A gateway with one platform in custody."""

    sessions: sessionmaker[Session]
    settings: Settings = field(default_factory=lambda: Settings(batch_max_age_s=0, DATABASE_URL="", CHAIN_URL=""))
    platform: str = field(default_factory=new_uscc)
    buyer: str = field(default_factory=new_uscc)

    def __post_init__(self) -> None:
        addresses = (f"0x{number:040x}" for number in (1, 2, 3))
        self.gateway = Gateway(
            settings=self.settings,
            sessions=self.sessions,
            rpc=RpcClient("http://127.0.0.1:1"),
            contracts=Contracts(86371, *addresses),
            start_block=0,
            signers={},
            pools=Pools(["relayer"]),
            jurisdiction_key=KEY,
            custody_seed=b"s" * 32,
            webhook_seed=bytes(32),
            command_gate=asyncio.Semaphore(1),
        )
        self.platform_id = entity_id(KEY, self.platform)
        self.buyer_id = entity_id(KEY, self.buyer)
        signer = evidence_signer_of(self.gateway, self.platform)
        with self.sessions.begin() as session:
            key = bytes.fromhex(signer.address[2:])
            session.add(EvidenceKey(entity_id=self.platform_id, valid_from=1, key=key, custodial=True))

    def record(self, **changes: Any) -> dict[str, Any]:
        """A valid record."""
        number = next(_numbers)
        return {
            "trade_id": f"T-{number}",
            "buyer": self.buyer,
            "supplier": self.buyer,
            "platform": self.platform,
            "kind": "compute",
            "compute_type": "super",
            "domestic_chip": False,
            "region_id": "410100",
            "traded_at": "2024-07-01T08:00:00Z",
            "contract_signed_at": "2024-06-01T00:00:00Z",
            "contract_number": "C",
            "contract_fen": 100,
            "settled_fen": 100,
            "invoice_id": f"INV-{number}",
            "other_support_fen": 0,
            "buyer_paid": True,
            **changes,
        }

    def post(self, *records: dict[str, Any]) -> list[str]:
        """Takes a submission; the evidence ids."""
        body = msgspec.json.encode({"platform": self.platform, "records": records or [self.record()]})
        posted = read(body, "", "", self.settings.max_body_bytes)
        texts = [bytes(record) for record in posted.records]
        checks = check(Job(self.platform, True, KEY, int(time.time()), texts))
        caller = Principal("key", Role.PLATFORM, self.platform)
        post = service.examine(self.gateway, caller, posted.envelope, checks, None)
        with self.sessions.begin() as session:
            stream = OpenStream(session, self.gateway, self.platform)
            stream.learn(checks.good)
            _, receipt = service.take(stream, post)
            stream.write()
        return [str(item.id) for item in receipt.items]

    def operations(self) -> list[tuple[str, dict[str, Any]]]:
        """Function and arguments of all operations, in order."""
        with self.sessions() as session:
            found = list(session.scalars(select(Operation).order_by(Operation.seq)))
        contracts = self.gateway.contracts
        calls = [decode_call(contracts.name_at(f"0x{one.to.hex()}") or "VoucherLedger", one.data) for one in found]
        return list(calls)

    def anchors(self) -> list[tuple[int, int, str]]:
        """Range and state of all batches, in order."""
        with self.sessions() as session:
            rows = session.scalars(select(EvidenceAnchor).order_by(EvidenceAnchor.id))
            return [(row.from_sequence, row.to_sequence, row.state) for row in rows]

    def finish(self, status: str, **changes: Any) -> None:
        """Gives the newest operation an end."""
        with self.sessions.begin() as session:
            newest = session.scalar(select(func.max(Operation.seq)))
            operation = session.get_one(Operation, newest)
            operation.status = status
            for name, value in changes.items():
                setattr(operation, name, value)

    def show_batch(self) -> None:
        """Lets the projection show the batch that is on its way, and ends its operation."""
        with self.sessions.begin() as session:
            anchor = session.scalars(select(EvidenceAnchor).order_by(EvidenceAnchor.id.desc())).first()
            assert anchor is not None
            index = session.scalar(select(func.count()).select_from(EvidenceBatch)) or 0
            session.add(
                EvidenceBatch(
                    platform_id=anchor.platform_id,
                    index=index,
                    previous_head=bytes(32),
                    head=bytes(32),
                    root=anchor.root,
                    from_sequence=anchor.from_sequence,
                    to_sequence=anchor.to_sequence,
                    count=anchor.count,
                    first_trade_at=1,
                    last_trade_at=1,
                    appended_at=1,
                    tx_hash=bytes(32),
                    block_number=1,
                )
            )
        self.finish("succeeded")

    def age(self, seconds: int) -> None:
        """Makes submissions and refusals older."""
        with self.sessions.begin() as session:
            for row in session.scalars(select(EvidenceSubmission)):
                row.received_at -= seconds
            for anchor in session.scalars(select(EvidenceAnchor)):
                anchor.updated_at -= seconds

    def show_programme(self, *, in_order: bool) -> int:
        """Lets the projection show a programme and a voucher of the buyer; the voucher's number."""
        with self.sessions.begin() as session:
            session.add(
                Programme(
                    id=1,
                    policy_hash=bytes(32),
                    policy_uri="",
                    group_id=1,
                    status="published",
                    terms={"inTradeOrder": in_order},
                    last_traded_at=0,
                    created_at=1,
                    tx_hash=bytes(32),
                    block_number=1,
                )
            )
            session.add(
                Voucher(
                    id=2**32 + 1,
                    programme_id=1,
                    entity_id=self.buyer_id,
                    tier=0,
                    period=None,
                    holder_region=410100,
                    holder_kind="enterprise",
                    state="live",
                    issued_at=1,
                    valid_until=2**32 - 1,
                    face_fen=1_000_000,
                    redeemed_fen=0,
                    written_off_fen=0,
                    returned_fen=0,
                    documents=bytes(32),
                    tx_hash=bytes(32),
                    block_number=1,
                )
            )
            session.add(
                IndexState(
                    chain_id=self.gateway.contracts.chain_id,
                    deployment=self.gateway.contracts.ledger,
                    block_number=100,
                    block_hash=bytes(32),
                    timestamp=1,
                    final_block_number=99,
                )
            )
        return 2**32 + 1

    def show_redemption(self, number: int, claim_id: str, tx_hash: str) -> dict[str, Any]:
        """Lets the projection show what a claim became in a transaction; the row."""
        with self.sessions.begin() as session:
            claim, record = self._claimed(session, claim_id)
            row = {
                "id": number,
                "voucher_id": claim.voucher_id,
                "programme_id": claim.programme_id,
                "entity_id": self.buyer_id,
                "state": "provisional",
                "settlement_key": claim.settlement_key,
                "leaf": record.leaf,
                "tx_hash": bytes.fromhex(tx_hash[2:]),
                **dict.fromkeys(("limit", "kind", "compute_type"), "none"),
                **dict.fromkeys(("contract_key", "platform_id", "supplier_id"), bytes(32)),
                **dict.fromkeys(("period", "amount_fen", "recovered_fen", "rate_bps", "attributes", "region"), 0),
                **dict.fromkeys(("settled_fen", "traded_at", "redeemed_at", "block_number"), 0),
                "trade_barred": False,
            }
            session.add(Redemption(**row))
        return row

    @staticmethod
    def _claimed(session: Session, claim_id: str) -> tuple[Claim, EvidenceRecord]:
        claim = session.get_one(Claim, claim_id)
        return claim, session.get_one(EvidenceRecord, claim.evidence_id)
