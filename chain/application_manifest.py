"""What the `documents` digest of a voucher commits to: the manifest of its application.

A manifest is the JSON object

    {"application": id, "documents": [...], "facts": {...}, "salt": "0x…", "schema": "suanquan-application/1"}

with a document each as {"name", "sha256", "size", "stage"}: its name in the policy, SHA-256 of the file in hex, its
bytes, and the stage that it was handed in for or null; in ascending order of stage (null first), name and sha256. Facts
are what the applicant stated: text, integer, true, false or null by name. The salt is 32 random bytes. The digest is
SHA-256 over the manifest as UTF-8 JSON with sorted keys, without spaces, without escapes beyond those JSON demands.
There are no fractions in it, so that this equals RFC 8785 wherever keys are ASCII.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA = "suanquan-application/1"


class ManifestError(ValueError):
    """It is no manifest; the text says why."""


def manifest(
    application: str, documents: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], salt: bytes
) -> dict[str, Any]:
    """The manifest of an application.

    Args:
        application: Its id.
        documents: `name`, `sha256` (hex), `size` (bytes) and `stage` of each, in any order.
        facts: What the applicant stated.
        salt: 32 bytes.
    """
    listed = [{name: one[name] for name in ("name", "sha256", "size", "stage")} for one in documents]
    return {
        "schema": SCHEMA,
        "application": application,
        "documents": sorted(listed, key=lambda one: (one["stage"] or "", one["name"], one["sha256"])),
        "facts": dict(facts),
        "salt": f"0x{salt.hex()}",
    }


def digest(content: Mapping[str, Any]) -> bytes:
    """The digest of a manifest, 32 bytes."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).digest()


def checked(content: Any) -> dict[str, Any]:
    """A manifest that came from elsewhere, as it would be made here.

    Raises:
        ManifestError: Its form is another one.
    """
    try:
        salt = bytes.fromhex(content["salt"].removeprefix("0x"))
        made = manifest(content["application"], content["documents"], content["facts"], salt)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"this is no manifest of an application: {error!r}") from error
    if made != content or len(salt) != 32:
        raise ManifestError("this is no manifest of an application: a member is out of form or out of order")
    return made
