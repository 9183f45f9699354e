"""Organisations, their keys, and the roles of officers."""

from dataclasses import replace

from app.audit.book import Registered
from app.audit.plays import Stage, plays
from app.indexer.projector import Occurrence
from app.indexer.values import account
from app.programmes.facts import Organisation
from chain.enums import EntityRoles, KeyPurpose, Role

_NO_ACCOUNT = bytes(20)
_APART = {Role.REVIEWER.value: Role.FINANCE.value, Role.FINANCE.value: Role.REVIEWER.value}


@plays("EntityRegistered")
def _registered(stage: Stage, e: Occurrence) -> None:
    book, one, given = stage.book, e.args["id"], e.args["registration"]
    number, key = e.args["number"], account(e.args["account"])
    subject = f"organisation 0x{one.hex()}"
    wanted = len(book.registered) + 1
    require = stage.findings.require
    require(number == wanted, "numbers-are-counted", subject, expected=wanted, found=number)
    require(one not in book.registered, "registered-once", subject, expected="a new id", found="registered before")
    _take_account(stage, one, key)
    book.registered[one] = Registered(number, given["kind"], given["region"], key)
    book.organisations[one] = Organisation(
        EntityRoles(given["roles"]), given["standing"], given["standingUntil"], given["controller"]
    )


@plays("EntityUpdated")
def _updated(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is None:
        return
    organisation, registered = one
    roles = EntityRoles(e.args["roles"])
    stage.book.organisations[e.args["id"]] = replace(organisation, roles=roles, controller=e.args["controller"])
    registered.kind, registered.region = e.args["kind"], e.args["region"]


@plays("StandingSet")
def _standing_set(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is not None:
        changed = replace(one[0], standing=e.args["standing"], standing_until=e.args["until"])
        stage.book.organisations[e.args["id"]] = changed


@plays("EntityFrozen", "EntityUnfrozen")
def _frozen(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is None:
        return
    frozen = e.name == "EntityFrozen"
    subject = f"organisation 0x{e.args['id'].hex()}"
    stage.findings.require(
        one[0].frozen != frozen, "state-by-own-operations", subject, expected=f"frozen: {not frozen}", found=e.name
    )
    stage.book.organisations[e.args["id"]] = replace(one[0], frozen=frozen)


@plays("KeyProposed")
def _key_proposed(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is not None:
        one[1].proposed[e.args["purpose"]] = account(e.args["key"])


@plays("KeyChanged")
def _key_changed(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is None:
        return
    registered, purpose, key = one[1], e.args["purpose"], account(e.args["key"])
    # A platform's first key comes with its registration.
    first = purpose == KeyPurpose.EVIDENCE and registered.evidence_key is None and EntityRoles.PLATFORM in one[0].roles
    proposed = registered.proposed.pop(purpose, None)
    subject = f"{KeyPurpose(purpose).name.lower()} key of organisation 0x{e.args['id'].hex()}"
    stage.findings.require(first or proposed == key, "two-approve-a-key", subject, expected=proposed, found=key)
    if purpose == KeyPurpose.EVIDENCE:
        registered.evidence_key = key
    else:
        stage.book.holder_of_account.pop(registered.account, None)
        _take_account(stage, e.args["id"], key)
        registered.account = key


@plays("RoleGranted", "RoleRevoked")
def _role(stage: Stage, e: Occurrence) -> None:
    role, officer = e.args["role"], account(e.args["account"])
    officers = stage.book.officers
    if e.name == "RoleRevoked":
        officers.discard((role, officer))
        return
    officers.add((role, officer))
    if role in _APART and (_APART[role], officer) in officers:
        subject = f"account 0x{officer.hex()}"
        stage.findings.add("reviewers-do-not-settle", subject, expected="reviewer or finance", found="both")


def _take_account(stage: Stage, one: bytes, key: bytes) -> None:
    holder = stage.book.holder_of_account.get(key)
    if holder is not None or key == _NO_ACCOUNT:
        subject = f"account 0x{key.hex()} of organisation 0x{one.hex()}"
        stage.findings.add("account-is-one-organisations", subject, expected="a free account", found=holder or key)
    stage.book.holder_of_account[key] = one


def _known(stage: Stage, e: Occurrence) -> tuple[Organisation, Registered] | None:
    one = e.args["id"]
    if one in stage.book.registered:
        return stage.book.organisations[one], stage.book.registered[one]
    stage.findings.add("known", f"organisation 0x{one.hex()} of {e.name}", expected="registered", found="unknown")
    return None
