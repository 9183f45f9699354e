"""Audits what the story made: from chain events alone, and the service's tables row by row."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from app.audit.audit import audit as audited
from app.audit.policy_texts import PolicyTexts
from app.audit.reading import header_at
from app.audit.reconcile import reconcile
from app.indexer.projected import OWN, scoped
from chain.contracts import Contracts
from chain.headers import head_number
from chain.rpc import RpcClient
from chain.sql import open_engine, sessions
from scripts._demo.service import DemoError, Service


def audit(service: Service, bundle: Path) -> dict[str, Any]:
    """What `suanquan audit` and `suanquan reconcile` do.

    Args:
        bundle: Its trade is recomputed, too.

    Returns:
        How much was looked at.

    Raises:
        DemoError: Something is not as the rules or the chain say.
    """
    about = service.get("/v1/chain")
    contracts = Contracts.from_dict({"chain_id": about["chain_id"], **about["contracts"]})
    engine = open_engine(f"sqlite:///{service.data_dir / 'gateway.sqlite'}")
    with tempfile.TemporaryDirectory() as evidence, RpcClient(service.node_url) as rpc:
        shutil.copy(bundle, evidence)
        last = header_at(rpc, head_number(rpc))
        outcome = audited(
            rpc, contracts, about["start_block"], last, PolicyTexts(), sample=0, evidence_folder=Path(evidence)
        )
        found = reconcile(scoped(sessions(engine), OWN), rpc, contracts, about["start_block"])
    engine.dispose()
    told = [one.told() for one in outcome.findings.kept] + [one.told() for one in found.wrong]
    if told:
        raise DemoError("the audit found: " + "; ".join(told))
    return {"events": outcome.events, "compared": outcome.compared, "rows": found.rows, "equal": True}
