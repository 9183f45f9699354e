"""Organisations, their keys and standing, and the roles of officers."""

from chain.enums import KeyPurpose, Role

from .models import Entity, EvidenceKey, OfficerRole
from .projector import Occurrence, handles
from .rows import Rows
from .values import account, nonzero, word

_ROLE_NAMES = {role.value: role.name.lower() for role in Role} | {bytes(32): "admin"}


@handles("EntityRegistered")
def _registered(rows: Rows, e: Occurrence) -> None:
    given = e.args["registration"]
    rows.insert(
        Entity,
        id=e.args["id"],
        number=e.args["number"],
        account=account(e.args["account"]),
        kind=word(given["kind"]),
        roles=given["roles"],
        region=given["region"],
        standing=word(given["standing"]),
        standing_until=given["standingUntil"],
        controller=nonzero(given["controller"]),
        frozen=False,
        registered_at=e.at,
        tx_hash=e.tx_hash,
        block_number=e.block_number,
    )


@handles("EntityUpdated")
def _updated(rows: Rows, e: Occurrence) -> None:
    rows.update(
        Entity,
        e.args["id"],
        kind=word(e.args["kind"]),
        roles=e.args["roles"],
        region=e.args["region"],
        controller=nonzero(e.args["controller"]),
    )


@handles("StandingSet")
def _standing_set(rows: Rows, e: Occurrence) -> None:
    rows.update(Entity, e.args["id"], standing=word(e.args["standing"]), standing_until=e.args["until"])


@handles("EntityFrozen")
def _frozen(rows: Rows, e: Occurrence) -> None:
    rows.update(Entity, e.args["id"], frozen=True)


@handles("EntityUnfrozen")
def _unfrozen(rows: Rows, e: Occurrence) -> None:
    rows.update(Entity, e.args["id"], frozen=False)


@handles("KeyChanged")
def _key_changed(rows: Rows, e: Occurrence) -> None:
    key = account(e.args["key"])
    if e.args["purpose"] == KeyPurpose.ACCOUNT:
        rows.update(Entity, e.args["id"], account=key)
    else:
        # Two changes in one second: the later one counts, as in the contract's checkpoints.
        rows.put(EvidenceKey, entity_id=e.args["id"], valid_from=e.at, key=key, custodial=e.args["custodial"])


@handles("RoleGranted")
def _role_granted(rows: Rows, e: Occurrence) -> None:
    rows.put(OfficerRole, role=_role_name(e.args["role"]), account=account(e.args["account"]))


@handles("RoleRevoked")
def _role_revoked(rows: Rows, e: Occurrence) -> None:
    rows.delete(OfficerRole, _role_name(e.args["role"]), account(e.args["account"]))


def _role_name(role: bytes) -> str:
    return _ROLE_NAMES.get(role, "0x" + role.hex())
