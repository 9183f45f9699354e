"""What people and platforms sign: EIP-712 digests, and the same as JSON for wallets.

Digests are computed here by hand, a few keccaks each; eth-account would parse the types anew for every signature.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from eth_hash.auto import keccak

from .abi import Parameters, checksum_address
from .contracts import Contracts, functions

EVIDENCE_DOMAIN_NAME = "Suanquan EvidenceLog"
LEDGER_DOMAIN_NAME = "Suanquan VoucherLedger"
DOMAIN_VERSION = "1"

_DOMAIN_MEMBERS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_DOMAIN_TYPEHASH = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")


class Submission(msgspec.Struct, frozen=True):
    """What a platform signs for the trades that it posts.

    Attributes:
        platform: registry id, 32 bytes.
        sequence: the platform's own gapless counter, from 1.
        root: Merkle root over the trades, 32 bytes.
        count: trades under the root.
    """

    platform: bytes
    sequence: int
    root: bytes
    count: int


class Issue(msgspec.Struct, frozen=True):
    """What a reviewer approves: a voucher to be issued (IssueOrder in contracts/src/types/Voucher.sol).

    Attributes:
        voucher_id: programme id × 2³² + serial.
        entity: registry id of the holder, 32 bytes.
        tier: index of the tier.
        period: whose budget holds the face; NO_PERIOD in first-come programmes.
        face_fen: value.
        valid_until: last Unix second at which it can be redeemed.
        documents: digest of the application's documents, 32 bytes.
    """

    voucher_id: int
    entity: bytes
    tier: int
    period: int
    face_fen: int
    valid_until: int
    documents: bytes


class Agreement(msgspec.Struct, frozen=True):
    """What a reviewer approves: a tier for one entity (另有协议的从其约定).

    Attributes:
        programme_id: programme that the tier joins.
        tier: index that it gets.
        terms: the Tier, by its Solidity names or in order.
    """

    programme_id: int
    tier: int
    terms: Any


class _Message:
    """An EIP-712 struct whose members are all static."""

    def __init__(self, name: str, **members: str) -> None:
        self.name = name
        self.members = [{"name": member, "type": kind} for member, kind in members.items()]
        signature = f"{name}({','.join(f'{kind} {member}' for member, kind in members.items())})"
        self._typehash = keccak(signature.encode())
        self._words = Parameters(self.members)

    def digest(self, domain: bytes, values: Sequence[Any]) -> bytes:
        """EIP-712 digest of values in order of the members, 32 bytes."""
        return keccak(b"\x19\x01" + domain + keccak(self._typehash + self._words.encode(values)))

    def document(self, domain: dict[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        """The JSON that `eth_signTypedData_v4` takes."""
        self._words.encode(values)  # refuses what does not fit the types
        shown = ["0x" + value.hex() if isinstance(value, bytes) else value for value in values]
        return {
            "types": {"EIP712Domain": _DOMAIN_MEMBERS, self.name: self.members},
            "primaryType": self.name,
            "domain": domain,
            "message": {member["name"]: value for member, value in zip(self.members, shown, strict=True)},
        }


_SUBMISSION = _Message("Submission", platform="bytes32", sequence="uint64", root="bytes32", count="uint32")
_ISSUE = _Message(
    "IssueApproval",
    voucherId="uint256",
    entity="bytes32",
    tier="uint16",
    period="uint8",
    faceFen="uint40",
    validUntil="uint32",
    documents="bytes32",
    stage="uint8",
    deadline="uint40",
)
_AGREEMENT = _Message(
    "AgreementApproval", programmeId="uint16", tier="uint16", termsHash="bytes32", stage="uint8", deadline="uint40"
)


def submission_digest(contracts: Contracts, submission: Submission) -> bytes:
    """What a platform's evidence key signs, 32 bytes; equals EvidenceLog.submissionDigest.

    Raises:
        AbiError: a member is out of range.
    """
    return _SUBMISSION.digest(_evidence_domain(contracts), msgspec.structs.astuple(submission))


def submission_document(contracts: Contracts, submission: Submission) -> dict[str, Any]:
    """The same as typed data for wallets and `cast wallet sign --data`."""
    domain = _domain_document(EVIDENCE_DOMAIN_NAME, contracts.chain_id, contracts.evidence)
    return _SUBMISSION.document(domain, msgspec.structs.astuple(submission))


def issue_digest(contracts: Contracts, issue: Issue, *, stage: int, deadline: int) -> bytes:
    """What a reviewer signs for an issue, 32 bytes; equals VoucherLedger.issueDigest.

    Args:
        stage: index of the stage of review.
        deadline: last Unix second at which the approval may be used.

    Raises:
        AbiError: a member is out of range.
    """
    return _ISSUE.digest(_ledger_domain(contracts), (*msgspec.structs.astuple(issue), stage, deadline))


def issue_document(contracts: Contracts, issue: Issue, *, stage: int, deadline: int) -> dict[str, Any]:
    """The same as typed data for wallets."""
    domain = _domain_document(LEDGER_DOMAIN_NAME, contracts.chain_id, contracts.ledger)
    return _ISSUE.document(domain, (*msgspec.structs.astuple(issue), stage, deadline))


def agreement_digest(contracts: Contracts, agreement: Agreement, *, stage: int, deadline: int) -> bytes:
    """What a reviewer signs for an agreement, 32 bytes; stage and deadline as for an issue.

    Raises:
        AbiError: a member is out of range, or the terms are no Tier.
    """
    return _AGREEMENT.digest(_ledger_domain(contracts), _agreement_values(agreement, stage, deadline))


def agreement_document(contracts: Contracts, agreement: Agreement, *, stage: int, deadline: int) -> dict[str, Any]:
    """The same as typed data for wallets."""
    domain = _domain_document(LEDGER_DOMAIN_NAME, contracts.chain_id, contracts.ledger)
    return _AGREEMENT.document(domain, _agreement_values(agreement, stage, deadline))


@lru_cache(maxsize=64)
def domain_separator(name: str, chain_id: int, verifying_contract: str) -> bytes:
    """EIP-712 domain separator, 32 bytes."""
    address = bytes.fromhex(verifying_contract.removeprefix("0x")).rjust(32, b"\0")
    texts = keccak(name.encode()) + keccak(DOMAIN_VERSION.encode())
    return keccak(_DOMAIN_TYPEHASH + texts + chain_id.to_bytes(32, "big") + address)


def _evidence_domain(contracts: Contracts) -> bytes:
    return domain_separator(EVIDENCE_DOMAIN_NAME, contracts.chain_id, contracts.evidence)


def _ledger_domain(contracts: Contracts) -> bytes:
    return domain_separator(LEDGER_DOMAIN_NAME, contracts.chain_id, contracts.ledger)


def _domain_document(name: str, chain_id: int, verifying_contract: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": checksum_address(verifying_contract),
    }


def _agreement_values(agreement: Agreement, stage: int, deadline: int) -> tuple[Any, ...]:
    # A Tier is static, so abi.encode(tier) is the encoding of a function's single result.
    terms = functions("VoucherLedger")["tier"].outputs.encode([agreement.terms])
    return agreement.programme_id, agreement.tier, keccak(terms), stage, deadline
