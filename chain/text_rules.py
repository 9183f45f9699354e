"""Rules for the texts in a record. Each returns None, or the broken rule's name and its words.

Identifiers are ASCII, so that no look-alike character makes one invoice look like two. Free text is in one Unicode form
and shows all that it holds: no control, format or unassigned characters.
"""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from stdnum.cn import uscc as _uscc

Broken: TypeAlias = tuple[str, str] | None

EARLIEST_YEAR, LATEST_YEAR = 2000, 2199

_IDENTIFIER = re.compile(r"[0-9A-Za-z._/:-]+")
# No colon in the document number: see chain.identifiers.
_MAKER = re.compile(r"maker:[0-9A-Za-z-]{1,32}")
_REGION = re.compile(r"[1-9][0-9]{5}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_QUANTITY = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@lru_cache(maxsize=65_536)
def is_uscc(number: str) -> bool:
    """Whether this is a 统一社会信用代码 (GB 32100-2015) in its canonical spelling, with the right check character."""
    return len(number) == 18 and number.isascii() and number == number.upper() and bool(_uscc.is_valid(number))


def uscc(value: str) -> Broken:
    """A 统一社会信用代码."""
    return None if is_uscc(value) else ("uscc", "must be a USCC: 18 characters with the right check character")


def party(value: str) -> Broken:
    """A USCC, or a maker's document number."""
    if is_uscc(value) or _MAKER.fullmatch(value):
        return None
    return "uscc", "must be a USCC (18 characters with the right check character), or maker:<document number>"


def identifier(value: str) -> Broken:
    """A number that somebody gave: of a trade, an invoice, an order."""
    return None if _IDENTIFIER.fullmatch(value) else ("identifier", "may have only 0-9 A-Z a-z . _ / : -")


def region(value: str) -> Broken:
    """A six-digit code of GB/T 2260."""
    return None if _REGION.fullmatch(value) else ("region", "must be a six-digit GB/T 2260 code")


def sha256(value: str) -> Broken:
    """A SHA-256 digest."""
    return None if _SHA256.fullmatch(value) else ("sha256", "must be 64 lower-case hex digits")


def quantity(value: str) -> Broken:
    """A decimal number as text."""
    if _QUANTITY.fullmatch(value):
        return None
    return "quantity", "must be a decimal number: at most 18 digits, a point and 9 digits; no sign, zeros in front or e"


@lru_cache(maxsize=65_536)  # contracts and periods begin at the same moments in very many trades
def moment(value: str) -> Broken:
    """An RFC 3339 time in UTC to the second."""
    try:
        if _MOMENT.fullmatch(value) and EARLIEST_YEAR <= datetime.fromisoformat(value).year <= LATEST_YEAR:
            return None
    except ValueError:
        pass  # a 30th of February
    return "time", f"must be a time in UTC like 2024-07-01T08:00:00Z, from {EARLIEST_YEAR} to {LATEST_YEAR}"


@lru_cache(maxsize=4096)
def text(value: str) -> Broken:
    """Words for people."""
    if value != value.strip() or not unicodedata.is_normalized("NFC", value):
        return "text", "must be in Unicode form NFC, without spaces at its ends"
    if any(unicodedata.category(character) in _UNSEEN for character in value):
        return "text", "may have no control, format or unassigned characters"
    return None
