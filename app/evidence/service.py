"""Decides on submissions of evidence: takes them, answers repetitions, refuses the rest.

A receipt is given for what is durable, once, in the platform's own sequence. Two ways in:

- signed: the platform chose salts, sequence and signature. The signature covers the root over all records, so one bad
  record refuses the submission whole: without it the root would be another.
- custody: the gateway keeps the platform's key; it salts, counts and signs. Bad records are reported one by one and the
  good ones stored, unless `atomic` is set.

The same trade number with the same content is answered with the first receipt; with other content it is refused and
kept for the auditor. Parties need not be registered: a claim on such a trade is refused by the contract later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from fastapi import Response
from sqlalchemy.orm import Session

from app.auth.service import Principal, still_valid
from app.errors import ApiError, Conflict, Invalid, problem_response, unauthenticated
from app.evidence.body import Envelope
from app.evidence.checking import Checked, Checks, Faults
from app.evidence.open_stream import OpenStream
from app.evidence.receipts import contradicted, fault, invalid, item, receipt, refused, repeated
from app.evidence.schemas import Receipt
from app.gateway import Gateway
from app.idempotency.service import first_answer, keep_first
from chain.identifiers import entity_id
from chain.merkle import MerkleTree
from chain.signatures import recover
from chain.typed_data import Submission, submission_digest

MAX_SEQUENCE = 2**63 - 1

_to_json = msgspec.json.Encoder().encode


class Refused(Exception):
    """A submission that is refused although something of it must be kept: the problem is the answer, and the
    transaction commits."""

    def __init__(self, problem: ApiError) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Post:
    """A submission whose records are checked.

    Attributes:
        signature: 65 bytes; None in custody.
        signer: Address of whoever made the signature, 20 bytes; None where there is none or it is no signature.
        idempotency: Key and digest of the request; None without a key.
    """

    caller: Principal
    envelope: Envelope
    checks: Checks
    signature: bytes | None
    signer: bytes | None
    idempotency: tuple[str, bytes] | None


def examine(
    gateway: Gateway, caller: Principal, envelope: Envelope, checks: Checks, idempotency: tuple[str, bytes] | None
) -> Post:
    """The post that a submission makes, with its signature looked into.

    Raises:
        Invalid: Sequence or signature are missing or malformed.
    """
    if envelope.sequence is None or envelope.signature is None:
        if (envelope.sequence is None) != (envelope.signature is None):
            missing = "/sequence" if envelope.sequence is None else "/signature"
            raise Invalid(missing, "together", "a signed submission has both sequence and signature, custody neither")
        return Post(caller, envelope, checks, None, None, idempotency)
    signature = _signature(envelope.signature)
    if not 1 <= envelope.sequence <= MAX_SEQUENCE:
        raise Invalid("/sequence", "range", "must be from 1 to 2^63 - 1")
    signer = None
    if checks.root is not None and not checks.bad:
        platform_id = entity_id(gateway.jurisdiction_key, envelope.platform)
        subject = Submission(platform_id, envelope.sequence, checks.root, len(checks.good))
        address = recover(submission_digest(gateway.contracts, subject), signature)
        signer = bytes.fromhex(address[2:]) if address else None
    return Post(caller, envelope, checks, signature, signer, idempotency)


def _signature(text: str) -> bytes:
    try:
        signature = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        signature = b""
    if not text.startswith("0x") or len(signature) != 65:
        raise Invalid("/signature", "signature", "must be 0x and 130 hex digits")
    return signature


def take_all(session: Session, gateway: Gateway, posts: Sequence[Post]) -> list[Response]:
    """Answers posts in order, all in one transaction; an answer is to be sent once it is committed.

    What one of them is refused for leaves the others as they are.
    """
    answers: dict[int, Response] = {}
    valid = still_valid(session, {post.caller.key_id for post in posts})
    platforms: dict[str, list[int]] = {}
    for number, post in enumerate(posts):
        if post.caller.key_id in valid:
            platforms.setdefault(post.envelope.platform, []).append(number)
        else:
            answers[number] = problem_response(unauthenticated())
    # In one order everywhere, so that two gateways never wait for each other's streams.
    for uscc, numbers in sorted(platforms.items()):
        try:
            stream = OpenStream(session, gateway, uscc)
        except Conflict as problem:
            answers |= {number: problem_response(problem) for number in numbers}
            continue
        stream.learn(one for number in numbers for one in posts[number].checks.good)
        for number in numbers:
            answers[number] = _answer(session, stream, posts[number])
        stream.write()
    return [answers[number] for number in range(len(posts))]


def _answer(session: Session, stream: OpenStream, post: Post) -> Response:
    """The answer to one post. One that is refused uses up no idempotency key, unless something of it is kept."""
    tenant = post.caller.key_id
    try:
        if post.idempotency is not None:
            first = first_answer(session, tenant, *post.idempotency)
            if first is not None:
                return first
        status, found = take(stream, post)
        response = Response(_to_json(found), status, media_type="application/json")
    except Refused as refusal:
        response = problem_response(refusal.problem)
    except ApiError as problem:
        return problem_response(problem)
    if post.idempotency is not None:
        keep_first(session, tenant, *post.idempotency, response)
    return response


def take(stream: OpenStream, post: Post) -> tuple[int, Receipt]:
    """Takes a submission; returns the HTTP status and the receipt.

    Raises:
        ApiError: It is refused; nothing of it is kept.
        Refused: It is refused, and contradictions in it are kept.
    """
    if post.signature is not None:
        return _take_signed(stream, post, post.signature)
    if bytes.fromhex(stream.custodian.address[2:]) != stream.key:
        raise Conflict("own_key", "The platform's registered key is its own, so it signs: send sequence and signature.")
    return _take_custody(stream, post)


def _take_signed(stream: OpenStream, post: Post, signature: bytes) -> tuple[int, Receipt]:
    sequence, good, root = int(post.envelope.sequence or 0), post.checks.good, post.checks.root
    if sequence > stream.next_sequence:
        raise Conflict(
            "sequence_gap",
            f"The next sequence is {stream.next_sequence}, not {sequence}.",
            expected=stream.next_sequence,
            given=sequence,
        )
    if post.checks.bad or root is None:
        raise invalid(
            post.checks.bad, "A record breaks a rule. The signature covers the root over all records, so none is taken."
        )
    if post.signer != stream.key:
        raise Invalid(
            "/signature",
            "signature",
            f"is not that of the registered key 0x{stream.key.hex()} over this sequence, root 0x{root.hex()} and count",
            code="bad_signature",
        )
    if sequence < stream.next_sequence:
        return _replay(stream, sequence, root)
    known = [one for one in good if stream.known(one.trade_id)]
    conflicts = [one for one in known if stream.contradicts(one)]
    if conflicts:
        stream.flag(conflicts)
        raise Refused(contradicted([_conflict(stream, one) for one in conflicts]))
    wrong = _twice(good) + _correcting_nothing(stream, good)
    if wrong:
        raise invalid(wrong, "A record breaks a rule, so none is taken.")
    if len(known) == len(good):
        # The whole submission came before under another sequence; its receipt is the answer, no sequence is used up.
        items = [item(one.position, "duplicate", str(stream.known(one.trade_id)), one.trade_id) for one in good]
        return 200, receipt(stream.uscc, None, items, custody=False)
    if known:
        raise repeated(
            [fault(one, "duplicate", f"was posted before, as {stream.known(one.trade_id)}") for one in known]
        )
    submission, ids = stream.add(good, root, signature, custody=False)
    items = [item(one.position, "stored", id_, one.trade_id) for one, id_ in zip(good, ids, strict=True)]
    return 201, receipt(stream.uscc, submission, items, custody=False)


def _take_custody(stream: OpenStream, post: Post) -> tuple[int, Receipt]:
    bad = list(post.checks.bad)
    first: dict[str, Checked] = {}
    fresh, twins, conflicts = [], [], []
    for one in post.checks.good:
        if stream.contradicts(one):
            conflicts.append(one)
            bad.append(_conflict(stream, one))
        elif stream.known(one.trade_id):
            twins.append(one)
        elif one.trade_id in first:
            if first[one.trade_id].content_digest == one.content_digest:
                twins.append(one)
            else:
                conflicts.append(one)
                place = f"/records/{first[one.trade_id].position}"
                bad.append(fault(one, "conflict", f"the same number as {place} with other content"))
        elif one.corrects is not None and not (stream.known(one.corrects) or one.corrects in first):
            bad.append(_correcting_unknown(one))
        else:
            first[one.trade_id] = one
            fresh.append(one)
    if bad and (post.envelope.atomic or not (fresh or twins)):
        known = [one for one in conflicts if stream.known(one.trade_id)]
        if not known:
            raise invalid(bad, "A record breaks a rule, so none is taken.")
        stream.flag(known)
        raise Refused(contradicted(bad))
    submission = None
    items = refused(bad)
    if fresh:
        whole = len(fresh) == len(post.checks.good)
        root = post.checks.root if whole and post.checks.root else MerkleTree([one.leaf for one in fresh]).root
        signature = stream.custodian.sign_digest(stream.digest(stream.next_sequence, root, len(fresh)))
        submission, ids = stream.add(fresh, root, signature, custody=True)
        items += [item(one.position, "stored", id_, one.trade_id) for one, id_ in zip(fresh, ids, strict=True)]
    items += [item(one.position, "duplicate", str(stream.known(one.trade_id)), one.trade_id) for one in twins]
    items.sort(key=lambda one: one.position)
    stream.flag(conflicts)
    return 201 if fresh else 200, receipt(stream.uscc, submission, items, custody=True)


def _replay(stream: OpenStream, sequence: int, root: bytes) -> tuple[int, Receipt]:
    """The first receipt of a submission that was posted again."""
    posted = stream.posted(sequence)
    if posted is None or posted[0].root != root:
        raise Conflict(
            "sequence_reused",
            f"Sequence {sequence} holds another submission; the next is {stream.next_sequence}.",
            expected=stream.next_sequence,
            given=sequence,
        )
    first, rows = posted
    items = [item(place, "stored", id_, trade_id) for place, (id_, trade_id) in enumerate(rows)]
    return 200, receipt(stream.uscc, first, items, custody=first.custody)


def _twice(good: Sequence[Checked]) -> list[Faults]:
    first: dict[str, int] = {}
    found = []
    for one in good:
        before = first.setdefault(one.trade_id, one.position)
        if before != one.position:
            found.append(fault(one, "unique", f"stands at /records/{before} too"))
    return found


def _correcting_nothing(stream: OpenStream, good: Sequence[Checked]) -> list[Faults]:
    """Corrections of trades that neither were posted before nor stand before them."""
    seen: set[str] = set()
    found = []
    for one in good:
        if one.corrects is not None and not (stream.known(one.corrects) or one.corrects in seen):
            found.append(_correcting_unknown(one))
        seen.add(one.trade_id)
    return found


def _correcting_unknown(one: Checked) -> Faults:
    return fault(one, "known_trade", f"{one.corrects} was not posted before", "corrects")


def _conflict(stream: OpenStream, one: Checked) -> Faults:
    return fault(one, "conflict", f"was posted before with other content, as {stream.known(one.trade_id)}")
