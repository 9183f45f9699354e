"""`suanquan signers`."""

import json

import typer
from sqlalchemy.exc import DBAPIError

from app.commands.screen import AsJson, screen, told
from app.settings import Settings
from app.signers.report import report
from chain.sql import open_engine, sessions

cli = typer.Typer(add_completion=False)


@cli.command()
def signers(as_json: AsJson = False) -> None:
    """Shows the service's keys: balance, gas spent, days left, work that waits. Exit status 1 if one is low."""
    engine = open_engine(Settings().database_url)
    with told(DBAPIError), sessions(engine)() as session:
        session.connection(execution_options={"readonly": True})
        found = report(session)
    engine.dispose()
    if as_json:
        print(json.dumps([one.model_dump() for one in found]))
    for one in [] if as_json else found:
        left = "" if one.days_left is None else f", {one.days_left} days left"
        work = f"{one.queued} queued, {one.in_flight} in flight"
        screen.print(
            f"{one.name:12} {one.address}  {one.balance_wei} wei{left}  ·  {work}  ·  {one.note}", markup=False
        )
    raise typer.Exit(1 if any(one.low for one in found) else 0)
