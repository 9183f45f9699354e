"""`/v1/orders`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.auth.roles import Role
from app.orders import service
from app.orders.schemas import NewOrder, OrderPage, OrderState, OrderView
from app.route import Caller, CommandRoute, CommandSession, QuerySession, Reader, TheGateway, only

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=CommandRoute)
queries = APIRouter(prefix="/v1/orders", tags=["orders"])


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(only(Role.PLATFORM, Role.OPERATOR))],
    responses={200: {"model": OrderView, "description": "Posted before: the order as it stands."}},
)
def post_order(
    body: NewOrder, response: Response, session: CommandSession, gateway: TheGateway, caller: Caller
) -> OrderView:
    """Posts what an organisation is going to buy (免申即享). If the programme's rules give it on confirmed facts, its
    voucher is on its way to the chain with this answer; nobody applies and nobody reviews."""
    response.status_code, view = service.post(session, gateway, caller, body)
    response.headers["location"] = f"/v1/orders/{view.id}"
    return view


@queries.get("")
def list_orders(
    *,
    session: QuerySession,
    caller: Reader,
    programme_id: Annotated[int | None, Query(ge=1, le=65535)] = None,
    state: OrderState | None = None,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrderPage:
    """Orders, oldest first; a platform sees those that it posted, an organisation those in which it is to buy."""
    return service.page(session, caller, programme_id=programme_id, state=state, after=after, limit=limit)


@queries.get("/{order_id}")
def read_order(order_id: str, session: QuerySession, caller: Reader) -> OrderView:
    """One order and what came of it."""
    return service.find(session, caller, order_id)
