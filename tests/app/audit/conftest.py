"""A node with the whole story on it, and a programme that was made of a policy's text."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from app.policies.files import digest as policy_digest
from app.policies.files import parse, shipped
from app.policies.terms import contract_terms
from chain.enums import KeyPurpose
from chain.rpc import RpcClient
from tests.chain.conftest import node_rpc, node_url
from tests.chain.ledger_world import World, digest, ref, story

__all__ = ["node_rpc", "node_url"]

_LONG = {"from": "2020-01-01", "to": "2099-12-31"}


@dataclass
class Audited:
    """The world, and the folder of its policies' texts."""

    world: World
    texts: Path


def policy_text() -> bytes:
    """E-Town's rates for a time in which the tests run: 30 %, or 40 % for domestic chips."""
    content = yaml.safe_load(shipped()["beijing-etown"])
    content["programmes"][0] |= {
        "mode": "after_trade",
        "order": "trade_time",
        "window": {"contracts": _LONG, "claims_until": "2099-12-31"},
        "budgets": [{"amount_fen": 700_000}],
        "periods": [{**_LONG, "budget": 0}],
    }
    return yaml.safe_dump(content, allow_unicode=True).encode()


@pytest.fixture(scope="module")
def audited(node_rpc: RpcClient, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A world in which everything happened once."""
    world = World.deployed(node_rpc, "audited")
    story(world)
    texts = tmp_path_factory.mktemp("policies")
    (texts / "etown.yaml").write_bytes(policy_text())
    _run(world)
    return Audited(world, texts)


def _run(world: World) -> None:
    """A programme of the policy: two redemptions, the second cut by the budget, one of them paid."""
    text = policy_text()
    part = parse(text).programmes[0]
    reviewer = world.signers["reviewer"].address
    mark, group = policy_digest(text), parse(text).group
    terms = contract_terms(part, group=group, policy_hash=mark, policy_uri="file#vouchers", approvers=[[reviewer]])
    world.register(world.registration("renter"))
    number = world.programme_of(terms)
    voucher = world.issue(number, 1, "renter", 2_000_000)
    # The story rotated the platform's key.
    platform, key = digest("platform"), world.platform_key("platform").address
    world.act("registrar", "EntityRegistry", "proposeKey", platform, KeyPurpose.EVIDENCE, key, False)
    world.act("regulator", "EntityRegistry", "confirmKey", platform, KeyPurpose.EVIDENCE, key)
    first, second = world.trade("renter", 1_000_000), world.trade("renter", 1_500_000, attributes=1)
    paid, cut = world.redeem(world.claim(voucher, first), world.claim(voucher, second))
    world.act("finance", "VoucherLedger", "writeOff", [ref(paid, first), ref(cut, second)], b"payment".ljust(32))
