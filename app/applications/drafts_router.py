"""`/v1/application-drafts`."""

from fastapi import APIRouter, Depends, Response

from app.applications import drafts
from app.applications.answers import ApplicationDetail
from app.applications.schemas import DraftView, NewDraft
from app.applications.views import view
from app.auth.roles import Role
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only

router = APIRouter(
    prefix="/v1/application-drafts",
    tags=["applications"],
    route_class=CommandRoute,
    dependencies=[Depends(only(Role.ENTERPRISE, Role.OPERATOR, Role.PLATFORM))],
)
queries = APIRouter(prefix="/v1/application-drafts", tags=["applications"])


@router.post("", status_code=201)
def begin(body: NewDraft, response: Response, session: CommandSession, caller: Caller) -> DraftView:
    """Saves a draft; it may lack anything but programme and organisation."""
    draft = drafts.save(session, caller, body)
    response.headers["location"] = f"/v1/application-drafts/{draft.id}"
    return draft


@router.put("/{draft_id}")
def change(draft_id: str, body: NewDraft, session: CommandSession, caller: Caller) -> DraftView:
    """Gives a draft another content."""
    return drafts.save(session, caller, body, draft_id)


@router.delete("/{draft_id}", status_code=204)
def delete(draft_id: str, session: CommandSession, caller: Caller) -> Response:
    """Forgets a draft."""
    drafts.delete(session, caller, draft_id)
    return Response(status_code=204)


@router.post("/{draft_id}/submit", status_code=201)
def submit(
    draft_id: str, response: Response, session: CommandSession, gateway: TheGateway, caller: Caller
) -> ApplicationDetail:
    """Hands a draft in; it is an application from then on."""
    application = drafts.submit(session, gateway, caller, draft_id)
    response.headers["location"] = f"/v1/applications/{application.id}"
    return view(session, caller, application.id)


@queries.get("")
def list_drafts(session: QuerySession, caller: Reader) -> list[DraftView]:
    """The caller's drafts, the latest first."""
    return drafts.all_of(session, caller)


@queries.get("/{draft_id}")
def read_draft(draft_id: str, session: QuerySession, caller: Reader) -> DraftView:
    """A draft, and what it lacks."""
    return drafts.view(session, drafts.find(session, caller, draft_id))
