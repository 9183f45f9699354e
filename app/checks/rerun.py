"""Makes a decision again: with the rules of its day, which must give the same, and with today's."""

from typing import Any

import msgspec
from sqlalchemy.orm import Session

from app.checks.models import CheckRun
from app.checks.rules import BY_VERSION, NEWEST, Rule, decide
from app.checks.schemas import AgainView, RerunView
from app.policies.checks import Checks
from app.policies.files import parse
from app.programmes import repository as programmes


def again(session: Session, run: CheckRun) -> RerunView:
    """A run, once more."""
    kept = programmes.policy_file(session, run.policy_digest)
    assert kept is not None  # noqa: S101 - the run was made with it
    then = parse(kept.content).programme(run.programme).checks
    newest = max(
        (one for one in programmes.policy_files(session) if one.policy == kept.policy), key=lambda one: one.version
    )
    parts = {part.name: part.checks for part in parse(newest.content).programmes}
    today = parts.get(run.programme, then)
    return RerunView(
        run_id=run.id,
        policy_digest=f"0x{run.policy_digest.hex()}",
        todays_policy_digest=f"0x{newest.digest.hex()}",
        checks=[_one(kept_one, then, today) for kept_one in run.outcomes],
    )


def _one(kept: dict[str, Any], then: Checks, today: Checks) -> AgainView:
    code, inputs = kept["check"], kept["inputs"]
    rule, newest = BY_VERSION[code, kept["version"]], NEWEST[code]
    view = AgainView(
        check=code, version=rule.version, todays_version=newest.version, same=None, today=None, changed=None
    )
    if inputs is None:
        return view
    first, later = _decided(rule, inputs, then), _decided(newest, inputs, today)
    return view.model_copy(
        update={"same": first == kept["outcome"], "today": later, "changed": later != kept["outcome"]}
    )


def _decided(rule: Rule, inputs: dict[str, Any], settings: Checks) -> dict[str, Any] | None:
    outcome = decide(rule, inputs, settings)
    return None if outcome is None else msgspec.to_builtins(outcome)
