"""The `suanquan` command: finds the file of a command and runs it.

Each command's file is imported only when it is called, so that `verify` does not wait for the gateway and the embedded
EVM to load.
"""

import gc
import importlib
import logging
import sys
from types import ModuleType

COMMANDS = {
    "serve": "start the service",
    "work": "run relay, indexer and other workers in processes of their own",
    "node": "run the embedded chain alone",
    "deploy": "deploy the contracts on the chain that CHAIN_URL names",
    "index": "bring the projection to the chain's head, or build it anew",
    "deployments": "list and add deployments that are projected beside the service's own",
    "policy": "check, explain, compare, publish and terminate policies",
    "quote": "what a trade is subsidised with under a policy, and why",
    "submit": "post a file of trades as evidence",
    "report": "read a report: on the screen, or as JSON, CSV, XLSX or PDF",
    "handover": "write the jurisdiction key to a file, for a platform or an auditor",
    "signers": "show the keys that send: balance, gas spent, days left",
    "documents": "check documents against what a voucher was approved over",
    "audit": "rebuild all state from chain events alone and check every rule",
    "reconcile": "say which rows of a service's tables are not what the chain says",
    "verify": "check a proof bundle, with or without a node",
}


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        command = _load(name)
        command.cli(args=sys.argv[2:], prog_name=f"suanquan {name}")
        return
    asked = name in ("--help", "-h")
    lines = [f"  {command:11} {what}" for command, what in COMMANDS.items()]
    head = [] if asked else [f"suanquan: there is no command {name}", ""]
    print(*head, "Suanquan 算券: trusted compute vouchers", "", *lines, "", sep="\n", file=sys.stderr)
    print("suanquan COMMAND --help tells more.", file=sys.stderr)
    sys.exit(0 if asked else 2)


def _load(name: str) -> ModuleType:
    """A command's file. What it imports stays: to go through it again and again would cost a tenth of the time."""
    gc.disable()
    command = importlib.import_module(f"app.commands.{name}")
    gc.freeze()
    gc.enable()
    return command


if __name__ == "__main__":
    main()
