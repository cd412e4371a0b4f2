"""The identity providers of the settings, with their secrets. Called by the commands that serve the app."""

from moderator.settings import Settings
from moderator.web.signing_in.oidc_provider import Provider


def providers(settings: Settings) -> tuple[Provider, ...]:
    """Return each `[[oidc]]`. Raises BadInput when a secret file is missing, empty or open to others."""
    return tuple(
        Provider(each.slug, each.name, each.issuer, each.client_id, settings.secret(each.secret_name), each.trusts_mfa)
        for each in settings.oidc
    )
