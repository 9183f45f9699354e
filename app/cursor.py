"""The cursor of a page: the id of the last item of the page before."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from app.errors import Invalid

T = TypeVar("T")


def named_by(session: Session, after: str | None, find: Callable[[Session, str], T | None]) -> T | None:
    """What a cursor names, as `find` gives it; None without a cursor.

    Raises:
        Invalid: It names nothing.
    """
    if not after:
        return None
    found = find(session, after)
    if found is None:
        raise Invalid("query/after", "known_cursor", "take the cursor from the page before")
    return found
