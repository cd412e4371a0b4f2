"""What to do about each fault, in plain words. Used by `moderator verify`, the alerts and the guides."""

from collections.abc import Iterable

from moderator.domain.record import Fault

_ASK = "Keep everything as it is, tell the trust, and compare with a backup or with a pack that was handed out."
_ALTERED = f"Somebody or something changed the record after it was sealed. {_ASK}"
_LEDGER = (
    "The ledger was changed after it was written. Do not mend it by hand: keep it, fetch the copy of a backup, and compare both with the"
    " heads in the trust's mailbox."
)
_CODES = {
    ("altered", "missing", "unlisted", "unreadable", "manifest", "too_many", "facts", "format", "downgraded", "not_a_folder"): _ALTERED,
    ("signature", "not_as_sealed", "twice"): (
        f"This is not the record that the school's service sealed, or it was sealed with another key. {_ASK}"
    ),
    ("record_gone",): "The record was taken away. Fetch it from a backup, put it back in its place, and check again. Tell the trust.",
    ("not_in_ledger", "wrong_record", "wrong_school", "wrong_year"): (
        "The record lies where it does not belong, or was never sealed by this service. Find out who put it there; do not rely on it."
    ),
    ("no_ledger",): "Give the school's ledger with --ledger FILE; without it the record is checked against itself only.",
    ("head",): (
        "The ledger was cut short or written anew since that digest was sent. Fetch the ledger and records of that day from a backup and"
        " compare. Tell the trust: this is what the digests are for."
    ),
    (
        "ledger_line",
        "ledger_chain",
        "ledger_torn",
        "ledger_school",
        "ledger_first",
        "ledger_twice",
        "sealed_twice",
        "sealed_uncaptured",
    ): _LEDGER,
    ("key_rotation",): "Somebody put another signing key in place without the old one. Nothing sealed after that line can be relied on.",
    ("hidden_unsealed",): "A comment was hidden before its record was sealed. Tell the trust: the service must never do that (R10).",
    ("stamp", "stamp_untrusted", "stamp_time", "stamp_order"): (
        "The outside clock does not vouch for this record. Ask the authority for its certificates and check with --chain FILE. The"
        " signature and the ledger may still hold."
    ),
    ("stamp_gone",): "A stamp was taken away. Fetch it from a backup and put it beside the manifest.",
    ("renewed_late", "renewal_short", "renewal_unknown"): (
        "The renewal does not carry the older stamps on. Fetch the older stamps from a backup; the record itself may still be good."
    ),
    ("disposed_by_one", "disposed_under_hold"): "A record was destroyed against the rules. Tell the trust and whoever asked for the hold.",
    ("disposed_still_there",): "Disposal was not finished, or a backup was put back. Run the service, which finishes it, or dispose again.",
    ("link", "not_plain", "outside", "stray"): (
        "Something lies there that no record holds. It was not opened. Find out who put it there, and take it out of the vault."
    ),
    (
        "zip",
        "bomb",
        "no_record",
    ): "This ZIP is not one that the service made, or it was damaged on its way. Ask for it again; do not unpack it.",
}
_ADVICE = {code: advice for codes, advice in _CODES.items() for code in codes}


def advice(faults: Iterable[Fault]) -> list[tuple[tuple[str, ...], str]]:
    """Return what to do about these faults: each advice once, with the codes it is for, in the order they came."""
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(fault.code for fault in faults):
        found.setdefault(_ADVICE.get(code, _ASK), []).append(code)
    return [(tuple(codes), text) for text, codes in found.items()]
