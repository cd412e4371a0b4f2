"""`moderator record check`: everything the service holds, checked at once, whichever vault it lies in. Registered by the CLI's app."""

from typing import Annotated

import typer

from moderator.cli.config import Config, settings


def check(
    *,
    school: Annotated[str, typer.Option(help="One school's slug. Otherwise every school.")] = "",
    config: Config = None,
) -> None:
    """Check every record of this service now: ledger, digests' heads, bags, keys. Exit code 1 when something is wrong.

    The service does this by itself once a month, and a part of it each night. `moderator verify` needs no settings and no keys.
    """
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.check.advice import advice  # noqa: PLC0415 - the same
    from moderator.steps.verify import check_now  # noqa: PLC0415 - the same

    context = build(settings(config))
    try:
        known = [each.slug for each in context.database.schools()]
        if school and school not in known:
            message = f"there is no school {school!r}; there are {', '.join(known)}"
            raise typer.BadParameter(message)
        found = {slug: check_now(context.tools, slug) for slug in ([school] if school else known)}
    finally:
        context.close()
    faults = tuple(fault for each in found.values() for fault in each.faults)
    for fault in faults:
        typer.echo(f"{fault.where}: {fault.what} [{fault.code}]")
    for codes, text in advice(faults):
        typer.echo(f"What to do ({', '.join(codes)}): {text}")
    for slug, each in found.items():
        disposed = f", {each.disposed} of them disposed of" if each.disposed else ""
        typer.echo(f"{slug}: {each.checked} records checked{disposed}, {len(each.faults) or 'no'} faults")
    if faults:
        raise typer.Exit(1)
