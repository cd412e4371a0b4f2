"""Which contact details are a public body's, and may stay. Invented; numbers from Ofcom's ranges for drama where there are any."""

import pytest

from moderator.domain.contact import official


def _official(kind: str, detail: str, before: str = "") -> bool:
    return official(kind, before + detail, len(before), len(before) + len(detail))


@pytest.mark.parametrize(
    "address",
    [
        "j.okoro@oakfield.bolton.sch.uk",
        "OFFICE@Oakfield.SCH.UK",
        "complaints@bolton.gov.uk",
        "camhs@trust.nhs.uk",
        "someone@nhs.net",
        "help@nspcc.org.uk",
        "office@oakfieldprimary.example",
        "school-office@oakfield.example",
        "pta@oakfield.example",
    ],
)
def test_addresses_of_schools_public_bodies_and_offices_are_official(address: str) -> None:
    assert _official("email", address)


@pytest.mark.parametrize("address", ["tilly.marwood@mail.example", "sch.uk@mail.example", "x@notnhs.net", "x@fakesch.uk"])
def test_r20_a_private_persons_address_is_not(address: str) -> None:
    assert not _official("email", address)


@pytest.mark.parametrize(
    "number",
    ["0800 1111", "0808 800 5000", "116 123", "999", "101", "111", "0300 123 1231", "+44 (0) 800 1111", "0044 808 800 5000", "0845 46 47"],
)
def test_freephone_and_public_numbers_are_official(number: str) -> None:
    assert _official("phone", number)


def test_a_landline_is_official_when_an_office_is_named_before_it() -> None:
    assert _official("phone", "01632 960123", "Call the school office on ")
    assert not _official("phone", "01632 960123", "His nan's number is ")
    assert not _official("phone", "01632 960123", "The office is shut, and this goes on for some time before: ")


def test_r20_a_mobile_is_never_official() -> None:
    assert not _official("phone", "07700 900123", "the school office mobile is ")


def test_other_details_are_never_official() -> None:
    assert not _official("date_of_birth", "03/02/2014")
