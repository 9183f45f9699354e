"""Registers organisations and keeps their standing; the registry on chain has the last word."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.clock import now
from app.custody import account_of, evidence_signer_of
from app.entities import repository
from app.entities.models import Organisation
from app.entities.schemas import EntityView, KeyChange, NewEntity, NewStanding
from app.errors import Conflict, Invalid, NotFound
from app.gateway import Gateway
from app.operations.service import submit
from chain.enums import EntityKind, EntityRoles, KeyPurpose, Standing
from chain.identifiers import controller_id, entity_id
from chain.relay.models import Operation


def register(session: Session, gateway: Gateway, entities: Sequence[NewEntity]) -> Operation:
    """Records organisations and registers them on chain, all or nothing.

    Raises:
        Conflict: One is registered already.
        Invalid: Two of the list are the same, or evidence key and roles do not fit.
    """
    numbers = [entity.uscc for entity in entities]
    for index, entity in enumerate(entities):
        if entity.uscc in numbers[:index]:
            raise Invalid(f"/entities/{index}/uscc", "unique", "stands twice in the list")
        if entity.evidence_key and "platform" not in entity.roles:
            raise Invalid(f"/entities/{index}/evidence_key", "platform_only", "only a platform has an evidence key")
    if taken := repository.existing(session, numbers):
        raise Conflict("entity_exists", f"Already registered: {', '.join(sorted(taken))}.", uscc=sorted(taken))
    return enter(session, gateway, [prepare(gateway, entity) for entity in entities])


class Prepared(NamedTuple):
    """An organisation that is ready to be entered: its row, and what the registry is told of it."""

    row: dict[str, Any]
    registration: dict[str, Any]


def prepare(gateway: Gateway, entity: NewEntity) -> Prepared:
    """An organisation that was checked, with its digests and the keys that the gateway keeps for it."""
    account = entity.account or account_of(gateway, entity.uscc)
    row = {
        "uscc": entity.uscc,
        "entity_id": entity_id(gateway.jurisdiction_key, entity.uscc),
        "name": entity.name,
        "kind": entity.kind,
        "region": entity.region,
        "controller": entity.controller,
        "account": bytes.fromhex(account.removeprefix("0x")),
        "custodial": entity.account is None,
    }
    platform = "platform" in entity.roles
    own_key = entity.evidence_key
    kept_key = evidence_signer_of(gateway, entity.uscc).address if platform else f"0x{bytes(20).hex()}"
    registration = {
        "id": row["entity_id"],
        "account": account,
        "kind": EntityKind[entity.kind.upper()],
        "roles": sum(EntityRoles[role.upper()] for role in set(entity.roles)),
        "region": int(entity.region),
        "standing": Standing[entity.standing.upper()],
        "standingUntil": entity.standing_until,
        "controller": controller_id(gateway.jurisdiction_key, entity.controller),
        "evidenceKey": own_key or kept_key,
        "custodial": platform and own_key is None,
    }
    return Prepared(row, registration)


def enter(session: Session, gateway: Gateway, prepared: Sequence[Prepared]) -> Operation:
    """Records organisations, and registers them on chain in one call."""
    at = now()
    session.execute(insert(Organisation), [{**one.row, "created_at": at} for one in prepared])
    return submit(
        session,
        gateway,
        kind="register_entities",
        signer="registrar",
        contract="EntityRegistry",
        function="register",
        args=[[one.registration for one in prepared]],
        ref=str(prepared[0].row["uscc"]) if len(prepared) == 1 else None,
    )


def find(session: Session, uscc: str) -> Organisation:
    """An organisation by its number.

    Raises:
        NotFound: There is none.
    """
    row = repository.by_uscc(session, uscc)
    if row is None:
        raise NotFound("entity", uscc)
    return row


def set_standing(session: Session, gateway: Gateway, uscc: str, standing: NewStanding) -> Operation:
    """Records a standing on chain."""
    value = Standing[standing.standing.upper()]
    return _call(session, gateway, "registrar", "setStanding", uscc, value, standing.until)


def freeze(session: Session, gateway: Gateway, uscc: str, reason: str) -> Operation:
    """Freezes an organisation everywhere."""
    return _call(session, gateway, "regulator", "freeze", uscc, reason.encode().ljust(32, b"\0"))


def unfreeze(session: Session, gateway: Gateway, uscc: str) -> Operation:
    """Ends a freeze."""
    return _call(session, gateway, "regulator", "unfreeze", uscc)


def propose_key(session: Session, gateway: Gateway, uscc: str, change: KeyChange) -> Operation:
    """First approval of a key change."""
    purpose = KeyPurpose[change.purpose.upper()]
    return _call(session, gateway, "registrar", "proposeKey", uscc, purpose, change.key, change.custodial)


def confirm_key(session: Session, gateway: Gateway, uscc: str, change: KeyChange) -> Operation:
    """Second approval of a key change."""
    return _call(session, gateway, "regulator", "confirmKey", uscc, KeyPurpose[change.purpose.upper()], change.key)


def _call(session: Session, gateway: Gateway, signer: str, function: str, uscc: str, *args: object) -> Operation:
    """A registry call about one organisation, whose id is the first argument."""
    return submit(
        session,
        gateway,
        kind=f"entity_{function}",
        signer=signer,
        contract="EntityRegistry",
        function=function,
        args=[find(session, uscc).entity_id, *args],
        ref=uscc,
    )


def views(session: Session, rows: Sequence[Organisation]) -> list[EntityView]:
    """Organisations with what the registry says of them."""
    chain = repository.on_chain(session, [row.entity_id for row in rows])
    found = []
    for row in rows:
        record = chain.get(row.entity_id)
        key = repository.evidence_key(session, row.entity_id)
        roles = EntityRoles(record.roles if record else 0)
        found.append(
            EntityView(
                uscc=row.uscc,
                entity_id=f"0x{row.entity_id.hex()}",
                name=row.name,
                kind=row.kind,
                region=row.region,
                controller=row.controller,
                registered=record is not None,
                account=f"0x{record.account.hex()}" if record else None,
                roles=[str(role.name).lower() for role in roles],
                standing=record.standing if record else None,
                standing_until=record.standing_until if record else None,
                frozen=record.frozen if record else None,
                evidence_key=f"0x{key.key.hex()}" if key else None,
            )
        )
    return found


def page(session: Session, after: str, limit: int) -> list[Organisation]:
    """Organisations in order of their numbers."""
    return repository.page(session, after, limit)
