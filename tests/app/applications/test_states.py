"""The life of an application, without a database: the table of transitions, days, names of files, manifests."""

import io
import json
import zipfile
from collections import deque
from datetime import datetime
from typing import Any

import pytest

from app.applications.states import TRANSITIONS, Action, State, after
from app.documents.file_types import NotTaken, file_type
from app.errors import Conflict
from app.policies.terms import CHINA
from app.working_days import due_at
from chain.application_manifest import ManifestError, checked, digest, manifest


@pytest.mark.parametrize("state", State)
def test_whatever_is_not_in_the_table_is_a_conflict_that_says_what_is_possible(state: State) -> None:
    for action in Action:
        if (state, action) in TRANSITIONS:
            assert after(state, action) is TRANSITIONS[state, action]
            continue
        with pytest.raises(Conflict) as refused:
            after(state, action)
        assert refused.value.status == 409
        assert refused.value.extra["state"] == state
        assert refused.value.extra["possible"] == [one for at, one in TRANSITIONS if at == state]


def test_withdrawn_and_issued_are_ends_and_every_other_state_leads_to_one() -> None:
    ends = set(State) - {at for at, _ in TRANSITIONS}
    assert ends == {State.APPROVED, State.WITHDRAWN, State.ISSUED}  # approved: what follows is the chain's to say
    for state in State:
        seen, open_ = {state}, deque([state])
        while open_:
            at = open_.popleft()
            following = {to for (one, _), to in TRANSITIONS.items() if one == at} - seen
            seen |= following
            open_ += following
        assert seen & ends, state


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp())


@pytest.mark.parametrize(
    ("opened", "days", "pauses", "due"),
    [
        ("2026-03-02T09:00:00", 1, [], "2026-03-03T23:59:59"),  # a Monday
        ("2026-03-02T00:00:00", 5, [], "2026-03-09T23:59:59"),  # over a weekend
        ("2026-03-06T23:59:59", 1, [], "2026-03-09T23:59:59"),  # a Friday
        ("2026-03-07T12:00:00", 1, [], "2026-03-09T23:59:59"),  # a Saturday
        # A question within one day costs none, one over a night costs that day, one over a weekend no working day more.
        ("2026-03-02T09:00:00", 1, [("2026-03-03T09:00:00", "2026-03-03T18:00:00")], "2026-03-03T23:59:59"),
        ("2026-03-02T09:00:00", 1, [("2026-03-03T18:00:00", "2026-03-04T09:00:00")], "2026-03-04T23:59:59"),
        ("2026-03-02T09:00:00", 5, [("2026-03-06T18:00:00", "2026-03-09T09:00:00")], "2026-03-10T23:59:59"),
    ],
)
def test_working_days_end_at_midnight_in_china_and_stand_still_while_an_answer_is_awaited(
    opened: str, days: int, pauses: list[tuple[str, str]], due: str
) -> None:
    assert due_at(_at(opened), days, [(_at(first), _at(last)) for first, last in pauses]) == _at(due)


def _archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


OFFICE = "[Content_Types].xml"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n%%EOF\n", "pdf"),
        (b"\x89PNG\r\n\x1a\nxx\x00\x00\x00\x00IEND\xaeB`\x82", "png"),
        (b"\xff\xd8\xff\xe0xx\xff\xd9", "jpeg"),
        (_archive("OFD.xml", "Doc_0/Document.xml"), "ofd"),
        (_archive(OFFICE, "xl/workbook.xml"), "xlsx"),
        (_archive(OFFICE, "word/document.xml"), "docx"),
        (b"%PDF-1.7\n cut off", None),
        (b"\x89PNG\r\n\x1a\nxx", None),
        (b"MZ\x90\x00 a program called invoice.pdf", None),
        (b"<html>%PDF-1.7 %%EOF", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"PK\x03\x04 no archive", None),
        (_archive("readme.txt"), None),
        (_archive(OFFICE, "xl/workbook.xml", "xl/vbaProject.bin"), None),
    ],
)
def test_what_a_file_is_its_content_says(content: bytes, kind: str | None) -> None:
    if kind is None:
        with pytest.raises(NotTaken):
            file_type(io.BytesIO(content))
    else:
        assert file_type(io.BytesIO(content)) == kind


MANIFEST = manifest(
    "ap_1",
    [
        {"name": "b", "sha256": "22" * 32, "size": 2, "stage": "first"},
        {"name": "a", "sha256": "11" * 32, "size": 1, "stage": None},
    ],
    {"名称": "甲", "in_zone": True},
    bytes(range(32)),
)


def test_a_manifest_has_one_form_and_one_digest() -> None:
    # Worked out with another implementation: `jq -cSj . manifest.json | sha256sum`.
    assert digest(MANIFEST).hex() == "e48b68df7b35d9472bc4b2413d6714da62c831a0642eee12d7e0d15c35fa5d91"
    assert checked(json.loads(json.dumps(MANIFEST))) == MANIFEST
    assert [one["name"] for one in MANIFEST["documents"]] == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "0x12"},
        {"salt": 1},
        {"documents": MANIFEST["documents"][::-1]},
        {"documents": [{"name": "a"}]},
        {"further": 1},
        {"schema": "suanquan-application/2"},
    ],
)
def test_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ManifestError):
        checked({**MANIFEST, **change})
