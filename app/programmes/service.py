"""Makes programmes of policy files, publishes and terminates them."""

import re
from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from app.clock import now
from app.entities import service as entities
from app.errors import Conflict, Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Programme
from app.keyring import AUTOMATIC
from app.operations.service import submit
from app.policies.files import PolicyError, digest, parse, shipped
from app.policies.model import Policy, ProgrammePart
from app.policies.terms import contract_terms
from app.programmes import repository
from app.programmes.models import PolicyFile
from app.programmes.schemas import (
    ApproverChange,
    BudgetView,
    Listing,
    NewProgramme,
    PolicySummary,
    ProgrammeView,
    TierView,
)
from chain.relay.models import Operation

DIGEST = re.compile(r"0x[0-9a-f]{64}")


def create(session: Session, gateway: Gateway, body: NewProgramme) -> Operation:
    """Records a programme on chain as a draft, and keeps its policy file.

    Raises:
        Invalid: The policy or its programme is unknown or breaks a rule, or an approver list names no stage.
        Conflict: The version of the policy was published with another text.
    """
    content = _content(body)
    try:
        policy = parse(content)
    except PolicyError as error:
        raise Invalid("/policy_yaml", "policy", str(error)) from error
    programme = _programme(policy, body.programme)
    approvers = _approvers(session, gateway, programme, body)
    mark = digest(content)
    _keep(session, policy, mark, content)
    uri = f"/v1/policies/0x{mark.hex()}#{programme.name}"
    return submit(
        session,
        gateway,
        kind="create_programme",
        signer="operator",
        contract="VoucherLedger",
        function="createProgramme",
        args=[
            contract_terms(programme, group=policy.group, policy_hash=mark, policy_uri=uri, approvers=approvers),
        ],
        ref=policy.policy,
    )


def _content(body: NewProgramme) -> bytes:
    if (body.policy is None) == (body.policy_yaml is None):
        raise Invalid("/policy", "one_of", "give either `policy` or `policy_yaml`")
    if body.policy_yaml is not None:
        return body.policy_yaml.encode()
    content = shipped().get(str(body.policy))
    if content is None:
        known = ", ".join(shipped())
        raise Invalid("/policy", "known_policy", f"there is no policy {body.policy}; there are: {known}")
    return content


def _programme(policy: Policy, name: str | None) -> ProgrammePart:
    names = [part.name for part in policy.programmes]
    if name is None and len(names) == 1:
        return policy.programmes[0]
    if name not in names:
        raise Invalid("/programme", "known_programme", f"the policy's programmes are: {', '.join(names)}")
    return policy.programme(str(name))


def _keep(session: Session, policy: Policy, mark: bytes, content: bytes) -> None:
    """Keeps the text that is on chain by its digest; one text for each version of a policy."""
    if repository.policy_file(session, mark) is not None:
        return
    kept = repository.keep_policy_file(
        session,
        PolicyFile(digest=mark, policy=policy.policy, version=policy.version, content=content, created_at=now()),
    )
    if kept != mark:
        raise Conflict(
            "policy_version_taken",
            f"{policy.policy} version {policy.version} was published with another text; raise `version` in the file.",
        )


def _approvers(session: Session, gateway: Gateway, programme: ProgrammePart, body: NewProgramme) -> list[Sequence[str]]:
    """Addresses by stage. Where the rules issue by themselves, the key `automatic` is one of them, if it may be."""
    names = [stage.name for stage in programme.stages]
    for name in body.approvers:
        if name not in names:
            raise Invalid(f"/approvers/{name}", "known_stage", f"the policy's stages are: {', '.join(names)}")
    own = sorted(name for name in gateway.signers if name.startswith("reviewer-"))
    automatic = gateway.signers[AUTOMATIC].address
    issues = programme.mode in ("automatic", "instant") and repository.is_reviewer(session, automatic)
    found: list[Sequence[str]] = []
    for index, stage in enumerate(programme.stages):
        accounts = body.approvers.get(stage.name) or [
            gateway.signers[own[index % len(own)]].address,
            *([automatic] if issues else []),
        ]
        if len(set(accounts)) < stage.required:
            raise Invalid(
                f"/approvers/{stage.name}", "enough_approvers", f"the stage requires {stage.required} approvers"
            )
        found.append(accounts)
    return found


def find(session: Session, programme_id: int) -> Programme:
    """A programme by its number.

    Raises:
        NotFound: There is none.
    """
    row = repository.programme(session, programme_id)
    if row is None:
        raise NotFound("programme", programme_id)
    return row


def publish(session: Session, gateway: Gateway, programme_id: int) -> Operation:
    """Opens a draft for issue and redemption."""
    return _call(session, gateway, "publish_programme", "publishProgramme", [find(session, programme_id).id])


def terminate(session: Session, gateway: Gateway, programme_id: int, reason: str) -> Operation:
    """Ends a programme; existing redemptions still settle."""
    args = [find(session, programme_id).id, reason.encode().ljust(32, b"\0")]
    return _call(session, gateway, "terminate_programme", "terminateProgramme", args)


def list_parties(
    session: Session, gateway: Gateway, programme_id: int, side: Literal["suppliers", "platforms"], listing: Listing
) -> Operation:
    """Lists or removes suppliers or platforms."""
    ids = [entities.find(session, uscc).entity_id for uscc in listing.uscc]
    args = [find(session, programme_id).id, ids, listing.listed]
    return _call(session, gateway, f"list_{side}", f"set{side.capitalize()}", args)


def set_approver(session: Session, gateway: Gateway, programme_id: int, body: ApproverChange) -> Operation:
    """Names or removes an approver of a stage.

    Raises:
        NotFound: There is no such programme.
        Invalid: It has no such stage, or no reviewer has the address.
    """
    programme = find(session, programme_id)
    stages = repository.stages(session, programme.id)
    if body.stage not in stages:
        raise Invalid("/stage", "known_stage", f"the programme's stages are: {', '.join(stages)}")
    if body.approver and not repository.is_reviewer(session, body.account):
        raise Invalid("/account", "reviewer", f"{body.account} does not hold the role of a reviewer on chain")
    args = [programme.id, stages.index(body.stage), body.account, body.approver]
    return _call(session, gateway, "set_approver", "setApprover", args)


def _call(session: Session, gateway: Gateway, kind: str, function: str, args: Sequence[object]) -> Operation:
    return submit(
        session,
        gateway,
        kind=kind,
        signer="operator",
        contract="VoucherLedger",
        function=function,
        args=args,
        ref=str(args[0]),
    )


def policy_text(session: Session, which: str) -> bytes:
    """A policy file; as `find_policy_text`.

    Raises:
        NotFound: There is none.
    """
    content = find_policy_text(session, which)
    if content is None:
        raise NotFound("policy", which)
    return content


def find_policy_text(session: Session, which: str) -> bytes | None:
    """A policy file by the digest that stands on chain, `0x` and 64 hex digits, or a shipped one by its id."""
    if which in shipped():
        return shipped()[which]
    if DIGEST.fullmatch(which) is None:
        return None
    mark = bytes.fromhex(which.removeprefix("0x"))
    row = repository.policy_file(session, mark)
    if row is not None:
        return row.content
    return next((content for content in shipped().values() if digest(content) == mark), None)


def programme_part(session: Session, row: Programme) -> ProgrammePart | None:
    """What the policy file says of a programme; None where the service does not have the file."""
    stored = repository.policy_file(session, row.policy_hash)
    name = row.policy_uri.partition("#")[2]
    return None if stored is None else parse(stored.content).programme(name)


def policies(session: Session, policy: str | None) -> list[PolicySummary]:
    """Every version of every policy, of one policy if one is named: shipped ones, and those that programmes run."""
    known = {digest(content): content for content in shipped().values()}
    stored = {row.digest: row.content for row in repository.policy_files(session)}
    found = [_summary(mark, content, shipped=mark in known) for mark, content in {**known, **stored}.items()]
    asked = [one for one in found if policy in (None, one.policy)]
    return sorted(asked, key=lambda one: (one.policy, one.version))


def _summary(mark: bytes, content: bytes, *, shipped: bool) -> PolicySummary:
    policy = parse(content)
    return PolicySummary(
        policy=policy.policy,
        version=policy.version,
        title=policy.title.model_dump(),
        digest=f"0x{mark.hex()}",
        programmes=[part.name for part in policy.programmes],
        shipped=shipped,
    )


def views(session: Session, group: int | None = None) -> list[ProgrammeView]:
    """All programmes, of one group if one is named."""
    return [view(session, row) for row in repository.programmes(session, group)]


def view(session: Session, row: Programme) -> ProgrammeView:
    """A programme as callers see it."""
    stored = repository.policy_file(session, row.policy_hash)
    part = programme_part(session, row)
    return ProgrammeView(
        programme_id=row.id,
        status=row.status,
        policy=stored.policy if stored else None,
        version=stored.version if stored else None,
        programme=part.name if part else None,
        title=parse(stored.content).title.model_dump() if stored else None,
        policy_hash=f"0x{row.policy_hash.hex()}",
        policy_uri=row.policy_uri,
        group=row.group_id,
        budgets=[
            BudgetView(
                amount_fen=b.amount_fen,
                reserved_fen=b.reserved_fen,
                redeemed_fen=b.redeemed_fen,
                written_off_fen=b.written_off_fen,
                recovered_fen=b.recovered_fen,
                available_fen=b.amount_fen + b.recovered_fen - b.reserved_fen - b.redeemed_fen - b.written_off_fen,
            )
            for b in repository.budgets(session, row.id)
        ],
        tiers=[
            TierView(
                index=t.index,
                name=t.name,
                period_cap_fen=t.period_cap_fen,
                total_cap_fen=t.total_cap_fen,
                rate_bps=t.rate_bps,
            )
            for t in repository.tiers(session, row.id)
        ],
        terms=row.terms,
    )
