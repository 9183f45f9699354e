"""`/v1/programmes` and `/v1/policies`. Published rules are public: reading them needs no key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from app.auth.roles import Role
from app.entities.schemas import Reason
from app.operations.schemas import Accepted
from app.policies.files import SCHEMA_FILE
from app.programmes import service
from app.programmes.schemas import ApproverChange, Listing, NewProgramme, PolicySummary, ProgrammeView
from app.route import CommandRoute, CommandSession, QuerySession, TheGateway, only

router = APIRouter(
    prefix="/v1/programmes",
    tags=["programmes"],
    route_class=CommandRoute,
    dependencies=[Depends(only(Role.OPERATOR))],
)
queries = APIRouter(prefix="/v1", tags=["programmes"])
ProgrammeId = Annotated[int, Path(ge=1, le=65535)]


@router.post("", status_code=202)
def create(body: NewProgramme, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Creates a programme as a draft."""
    return Accepted.of(service.create(session, gateway, body))


@router.post("/{programme_id}/publish", status_code=202)
def publish(programme_id: ProgrammeId, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Publishes a draft."""
    return Accepted.of(service.publish(session, gateway, programme_id))


@router.post("/{programme_id}/terminate", status_code=202)
def terminate(programme_id: ProgrammeId, body: Reason, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Ends a programme; existing redemptions still settle."""
    return Accepted.of(service.terminate(session, gateway, programme_id, body.reason))


@router.post("/{programme_id}/suppliers", status_code=202)
def list_suppliers(programme_id: ProgrammeId, body: Listing, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Lists or removes suppliers (入库/备案)."""
    return Accepted.of(service.list_parties(session, gateway, programme_id, "suppliers", body))


@router.post("/{programme_id}/platforms", status_code=202)
def list_platforms(programme_id: ProgrammeId, body: Listing, session: CommandSession, gateway: TheGateway) -> Accepted:
    """Lists or removes platforms."""
    return Accepted.of(service.list_parties(session, gateway, programme_id, "platforms", body))


@router.post("/{programme_id}/approvers", status_code=202)
def set_approver(
    programme_id: ProgrammeId, body: ApproverChange, session: CommandSession, gateway: TheGateway
) -> Accepted:
    """Names an approver of a stage, or removes one; in a running programme too, as where a granted appeal needs
    somebody who has not decided yet. The contract demands that a new approver holds the role of a reviewer."""
    return Accepted.of(service.set_approver(session, gateway, programme_id, body))


@queries.get("/programmes")
def list_programmes(
    session: QuerySession, group: Annotated[int | None, Query(ge=1, lt=2**32)] = None
) -> list[ProgrammeView]:
    """All programmes."""
    return service.views(session, group)


@queries.get("/programmes/{programme_id}")
def read_programme(programme_id: ProgrammeId, session: QuerySession) -> ProgrammeView:
    """One programme."""
    return service.view(session, service.find(session, programme_id))


@queries.get("/policies")
def list_policies(
    session: QuerySession, policy: Annotated[str | None, Query(max_length=64)] = None
) -> list[PolicySummary]:
    """Every version of every policy, or of one: those that ship with the product, and those that programmes run."""
    return service.policies(session, policy)


@queries.get("/policies/schema", response_class=Response)
def read_policy_schema() -> Response:
    """The JSON Schema of policy files."""
    return Response(SCHEMA_FILE.read_bytes(), media_type="application/schema+json")


@queries.get("/policies/{policy}", response_class=Response)
def read_policy(policy: str, session: QuerySession) -> Response:
    """A policy file, byte for byte: by the digest that stands on chain, or a shipped one by its id."""
    return Response(service.policy_text(session, policy), media_type="application/yaml")
