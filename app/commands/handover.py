"""`suanquan handover`."""

from pathlib import Path
from typing import Annotated

import typer

from app.client.key_files import write_secret
from app.commands.screen import screen, told
from app.settings import Settings
from chain.keys import Keystore, KeystoreError

cli = typer.Typer(add_completion=False)


@cli.command()
def handover(file: Annotated[Path, typer.Argument(help="File to make, readable by its owner alone.")]) -> None:
    """Writes the jurisdiction key to a file, for a platform that signs itself or for an auditor. Whoever has it can try
    identifiers against the chain: hand it over on a way that nobody reads."""
    folder = Settings().data_dir / "keys"
    with told(KeystoreError, OSError):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} holds no keys: start the service once, or name SUANQUAN_DATA_DIR.")
        write_secret(file, Keystore(folder).secret("jurisdiction"))
    screen.print(f"{file}: the jurisdiction key", markup=False)
