"""The deployment of a database: made at first start, and its roles given to the service's keys."""

import logging
from collections.abc import Mapping
from functools import partial

from sqlalchemy.orm import Session, sessionmaker

from app.deployment import Deployment
from app.keyring import AUTOMATIC
from app.pools import role_of
from chain.contracts import Contracts
from chain.deploy import Journal, admit, deploy
from chain.enums import Role
from chain.keys import ADMIN, Signer
from chain.rpc import RpcClient, RpcError, RpcUnavailable
from chain.sql import reading

log = logging.getLogger(__name__)

GRANTS = {
    Role.OPERATOR: ("operator",),
    Role.REGISTRAR: ("registrar",),
    Role.REVIEWER: ("reviewer-1", "reviewer-2", "reviewer-3", AUTOMATIC),
    Role.FINANCE: ("finance",),
    Role.REGULATOR: ("regulator",),
    Role.RELAYER: ("relayer",),
}
"""Role on chain to the keys that are given it; with each, all further ones of its pool."""

GIFT_WEI = 10**24
"""Given to a key that was added to an embedded chain, where gas is free in all but name."""


class NotDeployed(Exception):
    """There are no contracts yet; the text says what to do."""


def deployed(
    make: sessionmaker[Session], rpc: RpcClient, signers: Mapping[str, Signer], *, deploys: bool, own_chain: bool
) -> tuple[Contracts, int]:
    """The deployment of this database, made or gone on with where that is allowed, and the block that it begins with.

    Args:
        deploys: Whether contracts are deployed, and roles given to keys that were added since.
        own_chain: Whether the chain is the service's own, where keys that were added since are given money too.

    Raises:
        NotDeployed: There is none, and none is to be made.
        DeployError: It cannot go on.
    """
    with reading(make) as session:
        row = session.get(Deployment, 1)
        journal: Journal = dict(row.journal) if row else {}
    save = partial(_save_journal, make)
    if row is not None and row.contracts is not None and row.start_block is not None:
        contracts = Contracts.from_dict(row.contracts)
        if deploys:
            added = _grants({name: one for name, one in signers.items() if role_of(name) != name})
            gift_wei = GIFT_WEI if own_chain else 0
            admit(rpc, signers[ADMIN], contracts, roles=added, gift_wei=gift_wei, journal=journal, save=save)
        return contracts, row.start_block
    if not deploys:
        raise NotDeployed("No contracts are deployed on this chain yet: run `suanquan deploy` once.")
    log.info("deploying the contracts")
    contracts, start_block = deploy(rpc, signers[ADMIN], roles=_grants(signers), journal=journal, save=save)
    with make.begin() as session:
        made = session.get_one(Deployment, 1)
        made.contracts, made.start_block = contracts.to_dict(), start_block
    return contracts, start_block


def able(rpc: RpcClient, contracts: Contracts, signers: Mapping[str, Signer]) -> list[str]:
    """Names of the keys that may send: the first of each role, and those of its pool that were given the role."""
    found = []
    for name, signer in signers.items():
        roles = _grants({name: signer}) if role_of(name) != name else {}
        try:
            granted = all(_has(rpc, contracts, role, signer) for role in roles)
        except (RpcError, RpcUnavailable) as error:
            # A service starts without its node; this key then has to wait for the next start.
            log.warning("the key %s takes no work, as the node does not say whether it has the role: %s", name, error)
            continue
        if granted:
            found.append(name)
        else:
            log.warning("the key %s takes no work, as %s lacks the role: run `suanquan deploy`", name, signer.address)
    return found


def _has(rpc: RpcClient, contracts: Contracts, role: Role, signer: Signer) -> bool:
    return bool(contracts.read(rpc, "EntityRegistry", "hasRole", [role.value, signer.address]))


def _grants(signers: Mapping[str, Signer]) -> dict[Role, list[str]]:
    """Role to the addresses of those keys that are given it."""
    members = {
        role: [key.address for name, key in signers.items() if role_of(name) in of] for role, of in GRANTS.items()
    }
    return {role: addresses for role, addresses in members.items() if addresses}


def _save_journal(make: sessionmaker[Session], journal: Journal) -> None:
    with make.begin() as session:
        row = session.get(Deployment, 1)
        if row is None:
            row = Deployment(id=1)
            session.add(row)
        row.journal = dict(journal)
