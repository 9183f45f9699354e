"""Makes programmes of policy files, publishes and terminates them."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from app.clock import now
from app.entities import service as entities
from app.errors import Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Programme
from app.operations.service import submit
from app.programmes import repository
from app.programmes.models import PolicyFile
from app.programmes.policy import Policy, PolicyError, digest, parse, shipped
from app.programmes.schemas import BudgetView, Listing, NewProgramme, PolicySummary, ProgrammeView, TierView
from chain.relay.models import Operation


def create(session: Session, gateway: Gateway, body: NewProgramme) -> Operation:
    """Records a programme on chain as a draft, and keeps its policy file.

    Raises:
        Invalid: The policy is unknown or breaks a rule, or an approver list names no stage.
    """
    content = _content(body)
    try:
        policy = parse(content)
    except PolicyError as error:
        raise Invalid("/policy_yaml", "policy", str(error)) from error
    approvers = _approvers(gateway, policy, body)
    mark = digest(content)
    if repository.policy_file(session, mark) is None:
        session.add(
            PolicyFile(digest=mark, policy=policy.policy, version=policy.version, content=content, created_at=now())
        )
    uri = f"/v1/policies/0x{mark.hex()}"
    return submit(
        session,
        gateway,
        kind="create_programme",
        signer="operator",
        contract="VoucherLedger",
        function="createProgramme",
        args=[policy.terms(mark, uri, approvers)],
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


def _approvers(gateway: Gateway, policy: Policy, body: NewProgramme) -> list[Sequence[str]]:
    """Addresses by stage."""
    names = [stage.name for stage in policy.stages]
    for name in body.approvers:
        if name not in names:
            raise Invalid(f"/approvers/{name}", "known_stage", f"the policy's stages are: {', '.join(names)}")
    own = sorted(name for name in gateway.signers if name.startswith("reviewer-"))
    found: list[Sequence[str]] = []
    for index, stage in enumerate(policy.stages):
        accounts = body.approvers.get(stage.name) or [gateway.signers[own[index % len(own)]].address]
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


def policy_text(session: Session, mark: str) -> bytes:
    """A policy file by the digest that stands on chain, `0x` and 64 hex digits.

    Raises:
        NotFound: There is none.
    """
    try:
        row = repository.policy_file(session, bytes.fromhex(mark.removeprefix("0x")))
    except ValueError:
        row = None
    if row is None:
        raise NotFound("policy", mark)
    return row.content


def policies() -> list[PolicySummary]:
    """The policies that ship with the product."""
    found = []
    for content in shipped().values():
        policy = parse(content)
        found.append(
            PolicySummary(
                policy=policy.policy,
                version=policy.version,
                title=policy.title.model_dump(),
                digest=f"0x{digest(content).hex()}",
            )
        )
    return found


def views(session: Session, group: int | None = None) -> list[ProgrammeView]:
    """All programmes, of one group if one is named."""
    return [view(session, row) for row in repository.programmes(session, group)]


def view(session: Session, row: Programme) -> ProgrammeView:
    """A programme as callers see it."""
    stored = repository.policy_file(session, row.policy_hash)
    return ProgrammeView(
        programme_id=row.id,
        status=row.status,
        policy=stored.policy if stored else None,
        version=stored.version if stored else None,
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
