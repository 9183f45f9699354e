"""Puts reports together: rows, the block that they were read at, and a digest."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.clock import now
from app.errors import ApiError
from app.gateway import Gateway
from app.reports import repository
from app.reports.schemas import Anchor, BudgetLine, Flow, Flows, Line, Overview, RefusalLine, Refusals
from app.vouchers.repository import numbers_of

ATTEMPTS = 5
T = TypeVar("T")


def overview(session: Session, gateway: Gateway) -> Overview:
    """The overview of all programmes.

    Raises:
        ApiError: 503 if blocks came faster than the report could be read.
    """
    rows, block = _at_one_block(session, gateway, lambda: _overview_rows(session))
    return Overview(anchor=_anchor(gateway, block, rows), **rows)


def refusals(session: Session, gateway: Gateway) -> Refusals:
    """What was refused or rejected, by reason."""

    def read() -> list[RefusalLine]:
        return [
            RefusalLine(subject=subject, programme_id=programme_id, code=code or "unknown", count=count)
            for subject, programme_id, code, count in repository.refusals(session)
        ]

    rows, block = _at_one_block(session, gateway, read)
    return Refusals(anchor=_anchor(gateway, block, {"rows": rows}), rows=rows)


def flows(session: Session, gateway: Gateway, *, dimension: str, by: str, first: date, last: date) -> Flows:
    """What happened by day or month, from a date to another, months as a whole."""
    length = len("2026-03") if by == "month" else len("2026-03-05")

    def read() -> list[Flow]:
        found = repository.flows(session, dimension, first.isoformat()[:length], last.isoformat()[:length], length)
        return [Flow(**{name: getattr(row, name) for name in Flow.model_fields}) for row in found]

    rows, block = _at_one_block(session, gateway, read)
    return Flows(anchor=_anchor(gateway, block, {"rows": rows}), rows=rows)


def _overview_rows(session: Session) -> dict[str, Any]:
    found = repository.totals(session, now())
    suppliers = {key for _, key in found["suppliers"]}
    names = {f"0x{one.hex()}": uscc for one, uscc in numbers_of(session, map(_entity_id, suppliers)).items()}
    rows: dict[str, Any] = {
        dimension: [
            Line(programme_id=programme_id, key=names.get(key, key), **sums)
            for (programme_id, key), sums in sorted(lines.items())
        ]
        for dimension, lines in found.items()
    }
    rows["budgets"] = [
        BudgetLine(
            programme_id=b.programme_id,
            budget=b.index,
            amount_fen=b.amount_fen,
            reserved_fen=b.reserved_fen,
            redeemed_fen=b.redeemed_fen,
            written_off_fen=b.written_off_fen,
            recovered_fen=b.recovered_fen,
            available_fen=b.amount_fen + b.recovered_fen - b.reserved_fen - b.redeemed_fen - b.written_off_fen,
        )
        for b in repository.budgets(session)
    ]
    return rows


def _entity_id(key: str) -> bytes:
    return bytes.fromhex(key.removeprefix("0x"))


def _at_one_block(session: Session, gateway: Gateway, read: Callable[[], T]) -> tuple[T, tuple[int, bytes] | None]:
    """Reads until no block came between, since PostgreSQL shows each statement the newest rows."""
    for _ in range(ATTEMPTS):
        before = repository.index_state(session, gateway.contracts)
        rows = read()
        if repository.index_state(session, gateway.contracts) == before:
            return rows, before
    raise ApiError(503, "blocks_too_fast", "New blocks came while the report was read; ask again.")


def _anchor(gateway: Gateway, block: tuple[int, bytes] | None, rows: dict[str, Any]) -> Anchor:
    plain = {name: [line.model_dump() for line in lines] for name, lines in rows.items()}
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Anchor(
        chain_id=gateway.contracts.chain_id,
        contracts={str(name): address for name, address in gateway.contracts.addresses.items()},
        block_number=block[0] if block else None,
        block_hash=f"0x{block[1].hex()}" if block else None,
        rows_sha256=f"0x{hashlib.sha256(canonical.encode()).hexdigest()}",
    )
