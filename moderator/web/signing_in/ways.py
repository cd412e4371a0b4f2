"""The ways to sign in without a password that this service has, for the pages that offer them."""

from moderator.domain.password import LONGEST
from moderator.web.signing_in.passkey_check import passkeys_work
from moderator.web.site import Site


def ways(site: Site) -> dict[str, object]:
    """Return what the sign-in pages need to know: whether passkeys work at this address, the providers, the longest password."""
    passkeys = site.sealer is not None and passkeys_work(site.origin)
    return {"passkeys": passkeys, "providers": [each.provider for each in site.providers], "longest": LONGEST}
