"""Errands to another site and passkeys, on both engines: each is good once, and a credential is one person's."""

from datetime import timedelta

import pytest
from cast import enrol
from cryptography.fernet import Fernet
from stage import NOON, Stage

from moderator.domain.errors import BadInput
from moderator.store import authorising, identities, passkeys, register
from moderator.store.passkeys import Passkey
from moderator.store.sealed import Sealer

SOON = NOON + timedelta(minutes=5)


def test_an_errand_is_finished_once_in_time_and_by_who_holds_its_state(any_stage: Stage) -> None:
    sealer = Sealer([Fernet.generate_key().decode()])
    with any_stage.database.unit() as unit:
        account = any_stage.account.id
        state = authorising.begin(
            unit.connection, sealer, payload={"verifier": "v", "n": 1}, account_id=account, session="s", expires_at=SOON
        )
        late = authorising.begin(unit.connection, sealer, payload={}, expires_at=SOON)
        assert len(state) == 43
        assert authorising.finish(unit.connection, sealer, "\ud800", at=NOON) is None
        assert authorising.finish(unit.connection, sealer, state, at=NOON) == ({"verifier": "v", "n": 1}, account, "s")
        assert authorising.finish(unit.connection, sealer, state, at=NOON) is None
        assert authorising.finish(unit.connection, sealer, late, at=SOON) is None
        kept = unit.connection.execute(authorising.AUTHORISINGS.select()).all()
        assert not any(part in str(row) for row in kept for part in (state, late, "verifier"))
        assert authorising.forget_ended(unit.connection, at=SOON + authorising.KEEP_ENDED) == 0
        assert authorising.forget_ended(unit.connection, at=SOON + authorising.KEEP_ENDED + timedelta(seconds=1)) == 2


def test_an_errand_that_no_key_opens_is_bad_input(any_stage: Stage) -> None:
    sealers = [Sealer([Fernet.generate_key().decode()]) for _ in range(2)]
    with any_stage.database.unit() as unit:
        state = authorising.begin(unit.connection, sealers[0], payload={}, expires_at=SOON)
        with pytest.raises(BadInput, match="encryption keys"):
            authorising.finish(unit.connection, sealers[1], state, at=NOON)


def test_a_credential_is_one_persons_and_the_last_way_in_stays(any_stage: Stage) -> None:
    enrol(any_stage)
    with any_stage.database.unit() as unit:
        head = register.person_by_email(unit.connection, "head@oakfield.example")
        admin = register.person_by_email(unit.connection, "admin@oakfield.example")
        assert head is not None
        assert admin is not None
        key = Passkey("abc", head.id, b"key", 1, "Desk", NOON)
        passkeys.add(unit.connection, key)
        with pytest.raises(BadInput, match="registered already"):
            passkeys.add(unit.connection, Passkey("abc", admin.id, b"other", 0, "Desk", NOON))
        assert passkeys.find(unit.connection, "abc") == key  # the transaction goes on after the refusal
        assert passkeys.find(unit.connection, "abd") is None
        assert passkeys.used(unit.connection, key, count=2, at=SOON)
        assert not passkeys.used(unit.connection, key, count=3, at=SOON)
        assert not passkeys.remove(unit.connection, "abc", person_id=admin.id)
        with pytest.raises(BadInput, match="only way in"):
            passkeys.remove(unit.connection, "abc", person_id=head.id)
        passkeys.add(unit.connection, Passkey("abd", head.id, b"key", 0, "Phone", SOON))
        assert passkeys.remove(unit.connection, "abc", person_id=head.id)
        assert [each.label for each in passkeys.of_person(unit.connection, head.id)] == ["Phone"]


def test_r03_an_account_is_bound_once_and_only_to_somebody_in_the_register(any_stage: Stage) -> None:
    enrol(any_stage)
    with any_stage.database.unit() as unit:
        known = {"issuer": "https://accounts.google.com", "subject": "1"}
        assert identities.person_of(unit.connection, **known) is None
        assert identities.bind(unit.connection, email="nobody@oakfield.example", **known) is None
        person = identities.bind(unit.connection, email=" Head@Oakfield.example ", **known)
        assert person is not None
        assert identities.person_of(unit.connection, **known) == person
        assert identities.person_of(unit.connection, issuer="https://other.example", subject="1") is None
        assert identities.bind(unit.connection, email="head@oakfield.example", issuer=known["issuer"], subject="2") is None
        assert identities.issuer_of(unit.connection, person) == known["issuer"]
        identities.unbind(unit.connection, person)
        assert identities.issuer_of(unit.connection, person) == ""
        assert identities.bind(unit.connection, email="head@oakfield.example", issuer=known["issuer"], subject="2") == person
