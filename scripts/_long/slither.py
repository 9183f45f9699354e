"""Slither's static analysis: no finding of high or medium impact without a reason in contracts/slither.toml.

An entry there names the detector and the finding in slither's words, line numbers aside, so it stays good when lines
move and falls away when the code changes. An entry that nothing matches any more fails as well.
"""

import json
import os
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .campaign import CONTRACTS, TOOLS, CampaignError, Options, Result, forge, run, workspace

TRIAGE = CONTRACTS / "slither.toml"
ARGUMENTS = ("--ignore-compile", "--foundry-out-directory", "out-slither", "--config-file", "slither.config.json")
WHERE = re.compile(r" \((?:src|\.\./)[^()]*#[\d-]+\)")
LINES = re.compile(r"\((src[^()]*#[\d-]+)\)")


@dataclass(frozen=True)
class Finding:
    """What slither says of one place.

    Attributes:
        text: slither's description, without places and on one line.
        place: the first place that it names.
    """

    detector: str
    impact: str
    text: str
    place: str

    @property
    def key(self) -> tuple[str, str]:
        return self.detector, self.text


def findings(report: Path) -> list[Finding]:
    """The findings in a JSON report of slither, in order of impact."""
    answer = json.loads(report.read_text(encoding="utf-8"))
    if not answer["success"]:
        raise CampaignError(f"slither failed: {answer['error']}")
    made = []
    for entry in answer["results"].get("detectors", []):
        places = LINES.findall(entry["description"])
        text = " ".join(WHERE.sub("", entry["description"]).split())
        made.append(Finding(entry["check"], entry["impact"], text, places[0] if places else ""))
    return sorted(made, key=lambda finding: (finding.impact, finding.detector, finding.place))


def triaged() -> dict[tuple[str, str], str]:
    """Reasons of findings that may stay."""
    entries = tomllib.loads(TRIAGE.read_text(encoding="utf-8")).get("finding", [])
    return {(entry["detector"], entry["text"]): entry["reason"] for entry in entries}


def analyse() -> list[Finding]:
    with workspace(without=("*",)) as project:
        contracts = project / "contracts"
        # slither reads syntax trees from forge's build info, which forge writes only of what it compiles
        compiled = {"FOUNDRY_OUT": "out-slither", "FOUNDRY_CACHE_PATH": "cache-slither"}
        status, output = run([forge(), "build", "--build-info"], folder=contracts, environment=compiled, shown=())
        if status != 0:
            raise CampaignError(output)
        report = contracts / "slither.json"
        _, output = run(
            [str(TOOLS / "slither"), ".", *ARGUMENTS, "--json", report.name],
            folder=contracts,
            environment={"PATH": f"{Path(forge()).parent}{os.pathsep}{os.environ['PATH']}"},
            shown=(),
        )
        if not report.is_file():
            raise CampaignError(output)
        return findings(report)


def campaign(_: Options) -> Result:
    found, reasons = analyse(), triaged()
    for finding in found:
        reason = reasons.get(finding.key)
        print(f"{finding.impact:<7} {finding.detector:<22} {finding.place}")
        print(f"        {finding.text}")
        print(f"        {'accepted: ' + reason if reason else 'WITHOUT A REASON in contracts/slither.toml'}")
    new = [finding for finding in found if finding.key not in reasons]
    stale = reasons.keys() - {finding.key for finding in found}
    for detector, text in sorted(stale):
        print(f"contracts/slither.toml explains what slither does not find: {detector}: {text}")
    impacts = Counter(finding.impact for finding in found)
    return Result(
        passed=not new and not stale,
        figures=f"{impacts['High']} high, {impacts['Medium']} medium; {len(new)} of them without a reason",
        goal="none of high or medium impact without a reason in contracts/slither.toml",
    )
