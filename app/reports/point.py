"""The block that a report is read at: the newest one, one of the past by number, or the last of a day.

What happened by then is known to the event: sums of whole days and, of the day in which the block lies, its events
(sums.py). What was known of organisations by then is not kept: names are the present ones.
"""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import ApiError, Invalid
from app.indexer.models import ChainBlock, IndexState, ParkedEvent
from app.indexer.rollups import begin_of_day, date_of, day_of
from chain.contracts import Contracts
from chain.rpc import RpcClient, RpcError, RpcUnavailable


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of the chain.

    Attributes:
        block_number: Newest block that counts; what it says counts, what follows does not.
        moment: Unix seconds; vouchers that ended before its day are good for nothing.
        newest: Nothing is known that came later, so sums in all may be read.
        opens_after: Newest block before the day of `moment`; blocks after it, up to `block_number`, are of that day.
    """

    block_number: int
    block_hash: bytes
    moment: int
    newest: bool
    opens_after: int

    @property
    def day(self) -> int:
        """The day of the moment, since 1970-01-01 in China."""
        return day_of(self.moment)

    @property
    def whole(self) -> date:
        """Newest day whose stored sums count as they are."""
        return date_of(self.day if self.newest else self.day - 1)


def newest(session: Session, contracts: Contracts) -> Point:
    """The newest block of the projection.

    Raises:
        ApiError: 503 before the first.
    """
    state = session.execute(
        select(IndexState.block_number, IndexState.block_hash, IndexState.timestamp).where(
            IndexState.chain_id == contracts.chain_id, IndexState.deployment == contracts.ledger
        )
    ).first()
    if state is None:
        raise ApiError(503, "not_indexed", "No block has been read from the chain yet; ask again.")
    number, block_hash, timestamp = state
    return Point(number, block_hash, timestamp, newest=True, opens_after=_opens_after(session, timestamp))


def at(session: Session, contracts: Contracts, rpc: RpcClient | None, text: str | None) -> Point:
    """The point that a request names.

    Args:
        text: A block number, a day as 2026-03-05 (its end in China), or None for the newest block.
        rpc: Asked for the header of a block without events, which is not kept; None where no node is known.

    Raises:
        Invalid: It is neither, not reached yet, or before the deployment.
        ApiError: 503 where the node cannot say what the block's header is.
    """
    tip = newest(session, contracts)
    if text is None:
        return tip
    if re.fullmatch(r"[0-9]{1,15}", text):
        return _at_block(session, rpc, tip, int(text))
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-03-05") else None
    except ValueError:
        day = None
    if day is None:
        raise _refused("block_or_day", "is a block number or a day as 2026-03-05")
    return _at_end_of(session, tip, day)


def parked_events(session: Session, point: Point) -> int:
    """Events up to the point that could not be counted."""
    query = select(func.count()).select_from(ParkedEvent).where(ParkedEvent.block_number <= point.block_number)
    return session.scalar(query) or 0


def _at_block(session: Session, rpc: RpcClient | None, tip: Point, number: int) -> Point:
    if number > tip.block_number:
        raise _refused("known_block", f"has come as far as block {tip.block_number}")
    if number == tip.block_number:
        return tip
    kept = session.execute(select(ChainBlock.hash, ChainBlock.timestamp).where(ChainBlock.number == number)).first()
    block_hash, timestamp = kept or _header(rpc, number)
    if number < (session.scalar(select(func.min(ChainBlock.number))) or 0):
        raise _refused("deployed", "is before the contracts")
    return Point(number, block_hash, timestamp, newest=False, opens_after=_opens_after(session, timestamp))


def _at_end_of(session: Session, tip: Point, day: date) -> Point:
    moment = begin_of_day((day - date(1970, 1, 1)).days + 1)
    if moment > tip.moment:
        raise _refused("past_day", f"must be over on the chain, whose newest block is of {date_of(tip.day)}")
    block = block_before(session, moment)
    if block is None:
        raise _refused("deployed", "is before the contracts")
    return Point(block.number, block.hash, moment, newest=False, opens_after=block.number)


def _header(rpc: RpcClient | None, number: int) -> tuple[bytes, int]:
    if rpc is None:
        raise _refused("eventful_block", "must have events of the contracts: no node of its chain is known")
    try:
        header = rpc.call("eth_getBlockByNumber", hex(number), False)
    except (RpcError, RpcUnavailable) as error:
        raise ApiError(503, "node_unavailable", f"The node cannot say what block {number} is; ask again.") from error
    if header is None:
        raise ApiError(503, "node_unavailable", f"The node does not know block {number}; ask again.")
    return bytes.fromhex(header["hash"].removeprefix("0x")), int(header["timestamp"], 16)


def _opens_after(session: Session, moment: int) -> int:
    block = block_before(session, begin_of_day(day_of(moment)))
    return -1 if block is None else block.number


def block_before(session: Session, moment: int) -> ChainBlock | None:
    """The newest block kept that is older than a moment."""
    query = select(ChainBlock).where(ChainBlock.timestamp < moment)
    return session.scalars(query.order_by(ChainBlock.timestamp.desc(), ChainBlock.number.desc()).limit(1)).first()


def _refused(rule: str, detail: str) -> Invalid:
    return Invalid("query/as_of", rule, detail)
