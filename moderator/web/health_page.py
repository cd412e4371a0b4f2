"""Health: how the service stands for a school, in lights and plain words, with what to do next. Linked from the menu."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from moderator.domain.access import Action
from moderator.domain.mail_words import MAILS
from moderator.steps.words import words_for
from moderator.store.standing import standing
from moderator.web.health_facts import Light, Machine, own_words, parts
from moderator.web.machine import disks, last_backup, lines_in
from moderator.web.need import Need, Visit, of_path
from moderator.web.policy_due import policy_overdue
from moderator.web.site import Site, SiteOf

router = APIRouter(prefix="/schools/{school}")
Sees = Annotated[Visit, Depends(Need(Action.SEE_HEALTH, of_path))]


@router.get("/health")
def health(site: SiteOf, visit: Sees) -> Response:
    """Show how the service stands. Reads only; asks no platform and no mail server."""
    now = site.clock.now()
    with site.database.reading() as connection:
        stands = standing(connection, visit.school.slug, now)
    found = (*parts(stands, _machine(site, visit), now=now, silence=site.tools.silence), *own_words(_left_out(site, visit)))
    return site.pages.html(
        "health",
        visit=visit,
        section="health",
        troubled=[part for light in (Light.NOW, Light.LOOK) for part in found if part.light is light],
        well=[part for part in found if part.light is Light.GOOD],
        counted={light: sum(part.light is light for part in found) for light in Light},
        model=site.tools.classifier.version,
        policy=site.tools.policy.version,
        policy_overdue=policy_overdue(site, visit),
        now=now,
    )


def _left_out(site: Site, visit: Visit) -> list[str]:
    """Return the mails from which the school's own words are left out."""
    return [mail for mail in MAILS if words_for(site.tools, visit.school.slug, mail).left_out]


def _machine(site: Site, visit: Visit) -> Machine:
    """Return what the machine says; without the data folder, of the vault's disk alone."""
    vault = {"records": site.tools.vault.working_folder}
    folder = site.data_dir
    if folder is None:
        return Machine(disks(vault), None, None, asked=False)
    return Machine(
        disks({"the database and the ledger": folder} | vault), lines_in(folder / visit.school.ledger), last_backup(folder), asked=True
    )
