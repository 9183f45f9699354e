"""What is signed here is what the contracts, eth-account and wallets compute."""

from typing import Any

import msgspec
import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.abi import AbiError
from chain.contracts import Contracts
from chain.deploy import deploy
from chain.evidence import BatchHeader, EvidenceProof, SignedSubmission, batch_tree
from chain.keys import LocalSigner
from chain.merkle import MerkleTree, leaf_hash
from chain.rpc import RpcClient
from chain.signatures import recover
from chain.typed_data import (
    Agreement,
    Issue,
    Submission,
    agreement_digest,
    agreement_document,
    issue_digest,
    issue_document,
    submission_digest,
    submission_document,
)

from .faucet import funded_signer

CONTRACTS = Contracts(31337, *("0x" + bytes([n]).hex() * 20 for n in (0xA1, 0xB2, 0xC3)))
WORD = st.binary(min_size=32, max_size=32)
SUBMISSIONS = st.builds(Submission, WORD, st.integers(0, 2**64 - 1), WORD, st.integers(0, 2**32 - 1))
ISSUES = st.builds(
    Issue,
    voucher_id=st.integers(0, 2**48 - 1),
    entity=WORD,
    tier=st.integers(0, 2**16 - 1),
    period=st.integers(0, 255),
    face_fen=st.integers(0, 2**40 - 1),
    valid_until=st.integers(0, 2**32 - 1),
    documents=WORD,
)
TIER = {
    "name": b"enterprise".ljust(32, b"\0"),
    "entity": bytes(32),
    "periodCapFen": 30_000_000,
    "totalCapFen": 2**48 - 1,
    "rateBps": [3_000] * 8 + [0] * 32,
}


def _by_eth_account(document: dict[str, Any]) -> bytes:
    return bytes(_hash_eip191_message(encode_typed_data(full_message=document)))


@given(submission=SUBMISSIONS, issue=ISSUES, stage=st.integers(0, 255), deadline=st.integers(0, 2**40 - 1))
@settings(max_examples=30)
def test_digests_are_those_of_the_documents(submission: Submission, issue: Issue, stage: int, deadline: int) -> None:
    when = {"stage": stage, "deadline": deadline}
    agreement = Agreement(1, 2, TIER)
    for ours, document in (
        (submission_digest(CONTRACTS, submission), submission_document(CONTRACTS, submission)),
        (issue_digest(CONTRACTS, issue, **when), issue_document(CONTRACTS, issue, **when)),
        (agreement_digest(CONTRACTS, agreement, **when), agreement_document(CONTRACTS, agreement, **when)),
    ):
        assert ours == _by_eth_account(document)


def test_digests_are_those_of_the_contracts(node_rpc: RpcClient) -> None:
    contracts, _ = deploy(node_rpc, funded_signer(node_rpc, "typed data"), roles={})
    submission = Submission(b"\1" * 32, 2**64 - 1, b"\2" * 32, 10_000)
    theirs = contracts.read(node_rpc, "EvidenceLog", "submissionDigest", msgspec.structs.astuple(submission))
    assert submission_digest(contracts, submission) == theirs
    issue = Issue(2**32 + 1, b"\3" * 32, 7, 255, 2**40 - 1, 2**32 - 1, b"\4" * 32)
    order = (*msgspec.structs.astuple(issue), [])
    theirs = contracts.read(node_rpc, "VoucherLedger", "issueDigest", [order, 3, 2**40 - 1])
    assert issue_digest(contracts, issue, stage=3, deadline=2**40 - 1) == theirs
    assert issue_digest(contracts, issue, stage=4, deadline=2**40 - 1) != theirs


def test_what_is_out_of_range_is_not_signed() -> None:
    with pytest.raises(AbiError):
        submission_digest(CONTRACTS, Submission(b"\1" * 32, 2**64, b"\2" * 32, 1))
    with pytest.raises(AbiError):
        submission_document(CONTRACTS, Submission(b"\1" * 31, 1, b"\2" * 32, 1))
    with pytest.raises(AbiError):
        agreement_digest(CONTRACTS, Agreement(1, 1, {**TIER, "name": b""}), stage=256, deadline=1)


@given(key=st.integers(1, 2**255), digest=WORD)
def test_signer_is_recovered_as_eth_account_recovers_it(key: int, digest: bytes) -> None:
    signer = LocalSigner(key.to_bytes(32, "big"))
    signature = signer.sign_digest(digest)
    assert recover(digest, signature) == signer.address
    assert Account._recover_hash(digest, signature=signature) == signer.address


ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_signatures_that_the_contracts_refuse_are_nobodys() -> None:
    digest = b"\7" * 32
    signature = LocalSigner(b"\1" * 32).sign_digest(digest)
    s = int.from_bytes(signature[32:64], "big")
    mirrored = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - signature[64]])
    for bad in (
        b"",
        signature[:64],
        signature + b"\0",
        signature[:64] + b"\0",
        signature[:64] + b"\x1d",
        mirrored,
        bytes(64) + b"\x1b",
        b"\xff" * 64 + b"\x1b",
    ):
        assert recover(digest, bad) is None


def _header(root: bytes, to_sequence: int) -> BatchHeader:
    return BatchHeader(
        platform=b"\1" * 32,
        index=0,
        previous_head=bytes(32),
        from_sequence=5,
        to_sequence=to_sequence,
        root=root,
        count=10,
        first_trade_at=1,
        last_trade_at=2,
        appended_at=3,
    )


def test_a_proof_is_assembled_only_from_what_was_anchored() -> None:
    leaves = [[leaf_hash(bytes([n, m])) for m in range(n + 1)] for n in range(4)]
    submissions = [
        SignedSubmission(sequence=5 + n, root=MerkleTree(each).root, count=n + 1, signature=b"")
        for n, each in enumerate(leaves)
    ]
    header = _header(batch_tree(b"\1" * 32, submissions).root, 8)
    proof = EvidenceProof.assemble(header, submissions, 7, leaves[2], 1)
    assert proof.submission is submissions[2]
    assert proof.trade_path == MerkleTree(leaves[2]).path(1)
    for wrong in (
        (header, submissions[:3], 7, leaves[2], 1),
        (header, submissions, 9, leaves[2], 1),
        (header, submissions, 4, leaves[2], 1),
        (header, submissions, 7, leaves[1], 1),
    ):
        with pytest.raises(ValueError):
            EvidenceProof.assemble(*wrong)
    with pytest.raises(IndexError):
        EvidenceProof.assemble(header, submissions, 7, leaves[2], 3)
