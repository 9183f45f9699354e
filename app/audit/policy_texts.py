"""The texts of the policies, held against the terms on chain: same digest, same figures.

A programme names its text by digest. The terms that the text means are worked out anew; the audit then computes each
subsidy by them, not by what the chain says they are.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.audit.findings import Findings
from app.policies.files import FOLDER, PolicyError, digest, parse
from app.policies.model import Policy, ProgrammePart
from app.policies.terms import contract_terms


class PolicyTexts:
    """The policy files of a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read them; those that ship with the product where no folder is named.

        Raises:
            OSError: the folder cannot be read.
        """
        # A folder that is not there would be one without policies.
        files = sorted(path for path in (folder or FOLDER).iterdir() if path.suffix in (".yaml", ".yml"))
        self._files = {path.name: path.read_bytes() for path in files}
        self._by_digest = {digest(content): name for name, content in self._files.items()}

    def terms_of(
        self, number: int, terms: Mapping[str, Any], findings: Findings
    ) -> tuple[ProgrammePart | None, Mapping[str, Any]]:
        """What a programme's text says of it.

        Args:
            terms: as the chain has them.
            findings: told where there is no such text, and each member that the text gives another value.

        Returns:
            The programme in the text and the terms that it means; None and the chain's where there is no text.
        """
        mark, uri = terms["policyHash"], terms["policyURI"]
        wanted = uri.partition("#")[2]
        name = self._by_digest.get(mark)
        subject = f"programme {number}, {uri}"
        if name is None:
            found = f"no file with this digest{self._nearest(wanted, terms)}"
            findings.add("policy-text", subject, expected=f"a policy file with digest 0x{mark.hex()}", found=found)
            return None, terms
        try:
            policy = parse(self._files[name])
            part = _part(policy, wanted)
        except (PolicyError, KeyError) as error:
            findings.add("policy-text", subject, expected=f"{name} to hold programme {wanted!r}", found=str(error))
            return None, terms
        meant = _meant(policy, part, terms)
        for member, by_text, on_chain in _differences(meant, terms):
            findings.add("terms-are-the-policys", f"{subject}: {member} ({name})", expected=by_text, found=on_chain)
        return part, meant

    def _nearest(self, wanted: str, terms: Mapping[str, Any]) -> str:
        """The file whose terms are most like these, and where it differs: perhaps it was changed since."""
        best: tuple[int, str, str] | None = None
        for name, content in self._files.items():
            try:
                policy = parse(content)
                part = _part(policy, wanted)
            except (PolicyError, KeyError):
                continue
            # The digest differs anyway.
            meant = {**_meant(policy, part, terms), "policyHash": terms["policyHash"]}
            differing = [f"{member} is {one}, on chain {other}" for member, one, other in _differences(meant, terms)]
            where = "; ".join(differing[:5]) or "the same terms in other words"
            candidate = (len(differing), name, f"; nearest is {name}, digest 0x{digest(content).hex()}: {where}")
            best = min(best or candidate, candidate)
        return "" if best is None else best[2]


def _part(policy: Policy, wanted: str) -> ProgrammePart:
    return policy.programmes[0] if not wanted and len(policy.programmes) == 1 else policy.programme(wanted)


def _meant(policy: Policy, part: ProgrammePart, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms that the text means; who approves and where the text is published are the operator's to say."""
    stages = terms["stages"]
    same = len(stages) == len(part.stages)
    approvers = [one["approvers"] for one in stages] if same else [[] for _ in part.stages]
    uri = terms["policyURI"]
    return contract_terms(
        part, group=policy.group, policy_hash=terms["policyHash"], policy_uri=uri, approvers=approvers
    )


def _differences(meant: Any, found: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Members by path, with both values."""
    if isinstance(meant, Mapping) and isinstance(found, Mapping):
        for name in sorted(meant.keys() | found.keys()):
            yield from _differences(meant.get(name), found.get(name), f"{place}.{name}" if place else name)
    elif isinstance(meant, list) and isinstance(found, list) and len(meant) == len(found):
        for index, (one, other) in enumerate(zip(meant, found, strict=True)):
            yield from _differences(one, other, f"{place}.{index}")
    elif meant != found:
        yield place, meant, found
