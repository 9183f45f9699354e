"""Which kind of file something is, told by its content; neither its name nor what the sender says counts."""

import zipfile
from collections.abc import Mapping
from typing import BinaryIO

from app.policies.model import FileType

MEDIA_TYPES: Mapping[FileType, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "ofd": "application/ofd",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
_MAX_MEMBERS = 10_000
_TAIL = 2048
"""Bytes at the end of a PDF in which readers look for its end."""


class NotTaken(Exception):
    """The content is of no kind that is taken; the text says why."""


def file_type(file: BinaryIO) -> FileType:
    """The kind of a file.

    Raises:
        NotTaken: It is none of `MEDIA_TYPES`, is cut off, or holds macros.
    """
    head = file.read(8)
    file.seek(0, 2)
    file.seek(max(0, file.tell() - _TAIL))
    tail = file.read()
    file.seek(0)
    whole: bool
    kind: FileType
    if head.startswith(b"%PDF-"):
        kind, whole = "pdf", b"%%EOF" in tail
    elif head == b"\x89PNG\r\n\x1a\n":
        kind, whole = "png", tail.endswith(b"IEND\xaeB`\x82")
    elif head.startswith(b"\xff\xd8\xff"):
        kind, whole = "jpeg", b"\xff\xd9" in tail
    elif head.startswith(b"PK\x03\x04"):
        return _of_archive(file)
    else:
        raise NotTaken(f"is none of {', '.join(MEDIA_TYPES)}")
    if not whole:
        raise NotTaken(f"begins as {kind}, but its end is missing")
    return kind


def _of_archive(file: BinaryIO) -> FileType:
    """OFD (GB/T 33190) and Office Open XML (ISO 29500) are ZIP archives, told apart by their members."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = {member.filename for member in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise NotTaken("is a ZIP archive that cannot be read") from error
    if len(names) > _MAX_MEMBERS:
        raise NotTaken(f"has more than {_MAX_MEMBERS} members")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise NotTaken("holds macros")
    if "OFD.xml" in names:
        return "ofd"
    if "[Content_Types].xml" in names and "xl/workbook.xml" in names:
        return "xlsx"
    if "[Content_Types].xml" in names and "word/document.xml" in names:
        return "docx"
    raise NotTaken("is a ZIP archive, and neither ofd, xlsx nor docx")
