"""Reading policy files, those that ship with the product among them.

`keccak256` of a file's bytes stands on chain, so that nobody can change a policy on the quiet.
"""

import json
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from eth_hash.auto import keccak
from pydantic import ValidationError

from app.policies.model import Policy

FOLDER = Path(__file__).resolve().parent
SCHEMA_FILE = FOLDER / "policy.schema.json"
MAX_BYTES = 200_000


class PolicyError(Exception):
    """A policy file that cannot be used; the text says which member and why."""


class _Loader(yaml.SafeLoader):
    """YAML without aliases, with which a small file could unfold into a huge one, and without doubled keys."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed in a policy file")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := next((key for index, key in enumerate(keys) if key in keys[:index]), None):
            raise yaml.YAMLError(f"{twice} stands there twice{node.start_mark}")
        return super().construct_mapping(node, deep)


# Of YAML 1.1 a key `on` would be the value true; in YAML 1.2, as editors check it, only true and false are.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def parse(content: bytes) -> Policy:
    """Reads a policy file.

    Raises:
        PolicyError: It is not YAML or breaks a rule; the text names the members.
    """
    return _parsed(bytes(content))


@lru_cache(maxsize=256)
def _parsed(content: bytes) -> Policy:
    if len(content) > MAX_BYTES:
        raise PolicyError(f"a policy file has at most {MAX_BYTES} bytes, not {len(content)}")
    try:
        return Policy.model_validate(yaml.load(content, _Loader))  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise PolicyError(f"not YAML: {error}") from error
    except ValidationError as error:
        raise PolicyError("; ".join(_told(error))) from error


def _told(error: ValidationError) -> list[str]:
    """Each member and what is wrong with it. A list that lost a bad item is also called too short: not told."""
    items = error.errors()
    return [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
        for item in items
        if item["type"] != "too_short"
        or not any(other is not item and other["loc"][: len(item["loc"])] == item["loc"] for other in items)
    ]


@cache
def shipped() -> dict[str, bytes]:
    """The policy files that come with the product, by policy id."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.yaml"))}


def digest(content: bytes) -> bytes:
    """What stands on chain for a file: keccak256 of its bytes."""
    return keccak(content)


def json_schema() -> str:
    """JSON Schema of policy files, as committed in `policy.schema.json`."""
    schema = Policy.model_json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:suanquan:policy:1",
        "title": "Suanquan policy file",
    }
    return json.dumps({**schema, **head}, ensure_ascii=False, indent=2) + "\n"
