"""`suanquan policy check | list | schema | explain | diff | simulate | trades | publish | terminate`."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.commands.policy_files import Which, read
from app.commands.remote import Remote, RemoteError
from app.commands.screen import AsJson, screen, told
from app.commands.simulate import simulate_policy
from app.policies.compiled import compiled
from app.policies.differences import differences
from app.policies.explain import answer_of, explain
from app.policies.files import PolicyError, digest, json_schema, parse, shipped
from app.policies.question import QuestionError
from app.settings import Settings

cli = typer.Typer(add_completion=False, no_args_is_help=True, help="Policy files.")

Api = Annotated[str, typer.Option("--api", metavar="URL", help="The service; else the one that runs here.")]


class Language(StrEnum):
    """Of explanations."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


@cli.command()
def check(files: list[str], as_json: AsJson = False) -> None:
    """Reads policy files strictly, and works out their examples. Exit status 0 only if all are good."""
    results = [_checked(file) for file in files]
    if as_json:
        print(json.dumps(results, ensure_ascii=False))
    for one in results if not as_json else []:
        if one["ok"]:
            screen.print(
                f"{one['file']}: {one['policy']} version {one['version']}, {one['digest']}",
                style="green",
                soft_wrap=True,
            )
        else:
            screen.print(f"{one['file']}: {one['error']}", style="red", markup=False)
    raise typer.Exit(0 if all(one["ok"] for one in results) else 1)


def _checked(file: str) -> dict[str, Any]:
    try:
        content = read(file)
        policy = compiled(content)
        idle = [
            f"programmes.{part.name}.examples.{index}: nothing would be paid"
            for part in policy.policy.programmes
            for index, example in enumerate(part.examples)
            if not answer_of(policy, example).subsidy_fen
        ]
    except (PolicyError, QuestionError) as error:
        return {"file": file, "ok": False, "error": str(error)}
    if idle:
        return {"file": file, "ok": False, "error": "; ".join(idle)}
    known = {"policy": policy.policy.policy, "version": policy.policy.version, "digest": f"0x{digest(content).hex()}"}
    return {"file": file, "ok": True, **known}


@cli.command("list")
def list_policies(as_json: AsJson = False) -> None:
    """The policies that ship with the product."""
    policies = [parse(content) for content in shipped().values()]
    if as_json:
        print(json.dumps([{"policy": p.policy, "version": p.version, "title": p.title.model_dump()} for p in policies]))
        return
    for policy in policies:
        print(f"{policy.policy:15} {policy.version:3}  {policy.title.zh}  {policy.title.en}")


@cli.command()
def schema() -> None:
    """The JSON Schema of policy files."""
    print(json_schema(), end="")


@cli.command("explain")
def explain_policy(which: Which, language: Annotated[Language, typer.Option("--lang")] = Language.BOTH) -> None:
    """The policy in plain Chinese and English, with its worked examples as the engine computes them."""
    with told(PolicyError, QuestionError):
        content = read(which)
        if language != Language.EN:
            print(explain(content, "zh"))
        if language == Language.BOTH:
            print("\n" + "─" * 80 + "\n")
        if language != Language.ZH:
            print(explain(content, "en"))


@cli.command()
def diff(
    old: Annotated[str, typer.Argument(help="A policy file, or the id of a shipped policy.")],
    new: Annotated[str, typer.Argument(help="The same.")],
    as_json: AsJson = False,
) -> None:
    """What changed between two policy files, rule by rule. Exit status 1 if anything did, as `diff` has it."""
    with told(PolicyError):
        changes = differences(parse(read(old)), parse(read(new)))
    if as_json:
        print(json.dumps([one._asdict() for one in changes], ensure_ascii=False))
    else:
        for heading, chosen in (("rules", True), ("texts", False)):
            found = [one for one in changes if one.rule is chosen]
            if found:
                print(f"{heading}:")
                print(*(f"  {one}" for one in found), sep="\n")
    raise typer.Exit(1 if changes else 0)


@cli.command()
def publish(
    which: Which,
    programme: Annotated[
        list[str] | None, typer.Option(help="Only this programme of the policy; may be repeated.")
    ] = None,
    api: Api = "",
    as_json: AsJson = False,
) -> None:
    """Creates and publishes the policy's programmes on chain. Repeated, it goes on where it stopped and makes no second
    programme of the same file. Needs a service, and the key of an operator."""
    with told(PolicyError, RemoteError):
        content = read(which)
        policy = parse(content)
        names = programme or [part.name for part in policy.programmes]
        mark = digest(content).hex()
        done = []
        with Remote(api, Settings().data_dir, "operator") as service:
            for name in names:
                body = {"policy_yaml": content.decode(), "programme": name}
                result = service.settle("/v1/programmes", body, once=f"create-{mark[:16]}-{name}")
                number = next(e for e in result["events"] if e["event"] == "ProgrammeCreated")["args"]["programmeId"]
                service.settle(f"/v1/programmes/{number}/publish", None, once=f"publish-{mark[:16]}-{name}")
                done.append({"programme": name, "programme_id": number, "policy_hash": f"0x{mark}"})
                screen.print(f"{policy.policy} version {policy.version}, {name}: programme {number} is published")
    if as_json:
        print(json.dumps(done))


@cli.command()
def terminate(
    programme_id: int,
    reason: Annotated[str, typer.Option(help="Up to 31 ASCII characters; it stands on chain.")],
    api: Api = "",
    as_json: AsJson = False,
) -> None:
    """Ends a programme; existing redemptions still settle. Needs a service, and the key of an operator."""
    with told(RemoteError), Remote(api, Settings().data_dir, "operator") as service:
        result = service.settle(f"/v1/programmes/{programme_id}/terminate", {"reason": reason})
    if as_json:
        print(json.dumps({"programme_id": programme_id, "tx_hash": result["tx_hash"]}))
    else:
        screen.print(f"programme {programme_id} is terminated")


cli.command("simulate")(simulate_policy)


@cli.command()
def trades(programme_id: int, api: Api = "") -> None:
    """The trades that were claimed under a programme, for `simulate`, on standard output. Needs a service, and the key
    of an operator."""
    with told(RemoteError), Remote(api, Settings().data_dir, "operator") as service:
        print(service.get(f"/v1/claims/trades?programme_id={programme_id}").text, end="")
