"""Names for people, put beside the keys of rows."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum import numdb

from app.entities.models import Organisation
from app.indexer.models import Period, Programme
from app.policies.files import parse
from app.programmes.models import PolicyFile

KINDS = {
    "enterprise": "企业",
    "research_institute": "科研机构",
    "university": "高校",
    "intermediary": "算力中介服务机构",
    "maker": "创客",
    "supplier": "算力服务商",
    "platform": "算力平台",
}
"""Kinds of organisations in Chinese."""


def names(session: Session, dimension: str, places: Iterable[tuple[int, str]], language: str) -> dict[str, str]:
    """Names by key. A key of a period stands beside its programme: `programme/period`.

    Args:
        places: Programme and key.
    """
    found = list(places)
    keys = {key for _, key in found}
    match dimension:
        case "programmes":
            return programmes(session, {number for number, _ in found}, language)
        case "periods":
            return _periods(session)
        case "regions":
            return {key: _region(key) for key in keys} if language == "zh" else {}
        case "kinds":
            return KINDS if language == "zh" else {key: key.replace("_", " ") for key in keys}
        case "suppliers":
            return {key: name for key, (_, name) in organisations(session, keys).items()}
    return {}


def programmes(session: Session, numbers: Iterable[int], language: str) -> dict[str, str]:
    """Titles by programme, where this service has the policy file."""
    query = (
        select(Programme.id, Programme.policy_uri, PolicyFile.content)
        .join(PolicyFile, PolicyFile.digest == Programme.policy_hash)
        .where(Programme.id.in_(list(numbers)))
    )
    return {str(row[0]): _title(row[2], row[1].partition("#")[2], language) for row in session.execute(query)}


def organisations(session: Session, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """USCC and name by registry id in 0x-hex, of those that this service knows."""
    ids = [bytes.fromhex(key.removeprefix("0x")) for key in keys]
    query = select(Organisation.entity_id, Organisation.uscc, Organisation.name)
    return {
        f"0x{row[0].hex()}": (row[1], row[2]) for row in session.execute(query.where(Organisation.entity_id.in_(ids)))
    }


def _periods(session: Session) -> dict[str, str]:
    return {
        f"{row.programme_id}/{row.index}": f"{_day(row.starts_at)} – {_day(row.ends_at - 1)}"
        for row in session.scalars(select(Period))
    }


def _day(at: int) -> str:
    return (datetime.fromtimestamp(at, UTC) + timedelta(hours=8)).date().isoformat()


def _title(content: bytes, programme: str, language: str) -> str:
    """The policy's title, and the programme's where the policy has several."""
    policy = parse(content)
    titles = [policy.title]
    if len(policy.programmes) > 1:
        titles += [part.title for part in policy.programmes if part.name == programme]
    return " · ".join(title.zh if language == "zh" else title.en for title in titles)


@cache
def _region(code: str) -> str:
    """What a GB/T 2260 code is called; the table keeps former names too, the present one last."""
    parts = [name for _, about in numdb.get("cn/loc").info(code) for name in about.values()]
    present = [re.sub(r"^\[[^\]]*\]", "", name.split(",")[-1]) for name in parts]
    return "".join(dict.fromkeys(present))
