"""`/v1/applications`, `/v1/publicity` and what programmes say of applications: what is read."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.applications import deciding, views
from app.applications.answers import (
    ApplicationDetail,
    ApplicationPage,
    ApprovalData,
    Displayed,
    Form,
    ManifestFile,
    ProgressReport,
)
from app.applications.form import form
from app.applications.progress import report
from app.applications.publicity import displayed
from app.applications.states import State
from app.auth.roles import STAFF
from app.auth.service import demand
from app.route import QuerySession, Reader, TheGateway

queries = APIRouter(prefix="/v1", tags=["applications"])

ProgrammeId = Annotated[int, Path(ge=1, le=65535)]


@queries.get("/applications")
def list_applications(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    uscc: Annotated[str | None, Query(max_length=64)] = None,
    state: State | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApplicationPage:
    """Applications, oldest first; an organisation sees its own."""
    shown = None if state is None else state.value
    return views.page(session, caller, uscc=uscc, programme_id=programme_id, state=shown, after=after, limit=limit)


@queries.get("/applications/{application_id}")
def read_application(application_id: str, session: QuerySession, caller: Reader) -> ApplicationDetail:
    """One application: stage n of m, who may act, time spent per stage, and every step with actor and time."""
    return views.view(session, caller, application_id)


@queries.get("/applications/{application_id}/manifest")
def read_manifest(application_id: str, session: QuerySession, caller: Reader, gateway: TheGateway) -> ManifestFile:
    """What the `documents` digest on chain commits to, for `suanquan documents`."""
    return views.manifest_file(session, gateway, caller, application_id)


@queries.get("/applications/{application_id}/approval-data")
def read_approval_data(
    *,
    application_id: str,
    session: QuerySession,
    caller: Reader,
    gateway: TheGateway,
    stage: Annotated[str, Query(max_length=32, description="Index or name of the stage.")],
    deadline: Annotated[
        int | None, Query(gt=0, lt=2**32, description="Unix seconds; 30 days and those of publicity if unset.")
    ] = None,
) -> ApprovalData:
    """The EIP-712 typed data of an approval, to sign outside; for staff."""
    demand(caller, *STAFF)
    return deciding.approval_data(session, gateway, application_id, stage, deadline)


@queries.get("/publicity")
def list_publicity(
    session: QuerySession, programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None
) -> list[Displayed]:
    """Applications on public display (公示); needs no key."""
    return displayed(session, programme_id)


@queries.get("/programmes/{programme_id}/form")
def read_form(programme_id: ProgrammeId, session: QuerySession) -> Form:
    """What an application to a programme holds, stage by stage; needs no key."""
    return form(session, programme_id)


@queries.get("/programmes/{programme_id}/approval-progress")
def read_progress(programme_id: ProgrammeId, session: QuerySession, caller: Reader) -> ProgressReport:
    """Approval progress of a programme and the time that each stage takes; for staff."""
    demand(caller, *STAFF)
    return report(session, programme_id)
