"""`Prefer: wait=N` (RFC 7240): an accepted command is answered with its outcome if that comes within N seconds."""

import asyncio
import json
import re

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from app.gateway import Gateway
from app.indexer.models import IndexState
from app.operations.schemas import FINAL, OperationView
from app.operations.service import find

MAX_WAIT_S = 60
POLL_S = 0.05
WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")


async def await_outcome(request: Request, response: Response, gateway: Gateway) -> Response:
    """The operation itself with 200 once it is final and queries show its effects, the 202 unchanged if it takes
    longer than asked or no waiting was asked for. A refusal is an outcome: the caller reads `status`."""
    asked = WAIT.search(request.headers.get("prefer", ""))
    if response.status_code != 202 or not asked:
        return response
    operation_id = json.loads(bytes(response.body))["operation_id"]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(int(asked.group(1)), MAX_WAIT_S)
    while loop.time() < deadline:
        view = await run_in_threadpool(_look, gateway, operation_id)
        if view is not None:
            return Response(view.model_dump_json(), 200, media_type="application/json")
        await asyncio.sleep(POLL_S)
    return response


def _look(gateway: Gateway, operation_id: str) -> OperationView | None:
    """The operation if it is final and the projection has reached its block."""
    with gateway.sessions() as session:
        session.connection(execution_options={"readonly": True})
        view = OperationView.of(find(session, operation_id))
        if view.status not in FINAL:
            return None
        state = session.get(IndexState, (gateway.contracts.chain_id, gateway.contracts.ledger))
        block = view.result["block_number"] if view.result else 0
        return view if state is not None and state.block_number >= block else None
