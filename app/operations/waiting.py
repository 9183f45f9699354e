"""`Prefer: wait=N` (RFC 7240): an accepted command is answered with its outcome if that comes within N seconds."""

import asyncio
import json
import re

from fastapi import Request, Response
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from app.operations.schemas import FINAL, OperationView
from app.operations.service import find

MAX_WAIT_S = 60
POLL_S = 0.05
WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")


async def await_outcome(request: Request, response: Response, sessions: sessionmaker[Session]) -> Response:
    """The operation itself with 200 once it is final, the 202 unchanged if it takes longer than asked or no
    waiting was asked for. A refusal is an outcome: the caller reads `status`."""
    asked = WAIT.search(request.headers.get("prefer", ""))
    if response.status_code != 202 or not asked:
        return response
    operation_id = json.loads(bytes(response.body))["operation_id"]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(int(asked.group(1)), MAX_WAIT_S)
    while loop.time() < deadline:
        view = await run_in_threadpool(_look, sessions, operation_id)
        if view.status in FINAL:
            return Response(view.model_dump_json(), 200, media_type="application/json")
        await asyncio.sleep(POLL_S)
    return response


def _look(sessions: sessionmaker[Session], operation_id: str) -> OperationView:
    with sessions() as session:
        session.connection(execution_options={"readonly": True})
        return OperationView.of(find(session, operation_id))
