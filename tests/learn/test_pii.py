"""Personal data in comments: found where it is, left alone where it only looks like it. Numbers are examples or made up."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.learn.pii import personal_data

FOUND = [
    ("phone", "ring me on 07700 900123", "07700 900123"),
    ("phone", "07700-900-123!", "07700-900-123"),
    ("phone", "(020) 7946 0958 after six", "(020) 7946 0958"),
    ("phone", "my number is 0113 496 0000 ok", "0113 496 0000"),
    ("phone", "+44 7700 900 123", "+44 7700 900 123"),
    ("phone", "0044 7700 900123", "0044 7700 900123"),
    ("phone", "whatsapp me +33 6 12 34 56 78", "+33 6 12 34 56 78"),
    ("phone", "07 seven double 0 nine 0 0 one 2 three", "07 seven double 0 nine 0 0 one 2 three"),
    ("phone", "oh seven seven double oh nine double oh one two three", "oh seven seven double oh nine double oh one two three"),
    ("phone", "0 7 7 0 0 9 0 0 1 2 3", "0 7 7 0 0 9 0 0 1 2 3"),
    ("phone", "O77OO 9OO123", "O77OO 9OO123"),
    ("email", "jo.bloggs@gmail.com", "jo.bloggs@gmail.com"),
    ("email", "write to jobloggs at gmail dot com", "jobloggs at gmail dot com"),
    ("email", "jo.bloggs(at)mail(dot)com", "jo.bloggs(at)mail(dot)com"),
    ("email", "jo_bloggs at someplace dot co dot uk", "jo_bloggs at someplace dot co dot uk"),
    ("address", "the one at 12 Station Road", "12 Station Road"),
    ("address", "12 mill lane, number plate gone", "12 mill lane"),
    ("address", "she lives at 7 Mill Court", "7 Mill Court"),
    ("address", "Flat 3, 14b St Mary's Avenue", "Flat 3, 14b St Mary's Avenue"),
    ("postcode", "somewhere near LS1 4AP", "LS1 4AP"),
    ("postcode", "sw1a 1aa init", "sw1a 1aa"),
    ("postcode", "GIR 0AA", "GIR 0AA"),
    ("date_of_birth", "dob 3/4/2012", "3/4/2012"),
    ("date_of_birth", "she was born 3/4/12", "3/4/12"),
    ("date_of_birth", "Date of birth: 3rd April 2012", "3rd April 2012"),
    ("date_of_birth", "born on the 12th of May 2011", "12th of May 2011"),
    ("date_of_birth", "born 2012-04-03", "2012-04-03"),
    ("date_of_birth", "his birthday is April 3, 2012", "April 3, 2012"),
    ("bank_account", "sort code 20-00-00 account 55779911", "20-00-00 account 55779911"),
    ("bank_account", "sort code: 200000", "200000"),
    ("bank_account", "account number 55779911", "55779911"),
    ("bank_account", "pay into 20-00-00 55779911", "20-00-00 55779911"),
    ("iban", "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
    ("ni_number", "her NI is AB 12 34 56 C", "AB 12 34 56 C"),
    ("ni_number", "ab123456c", "ab123456c"),
    ("nhs_number", "nhs number 943 476 5919", "943 476 5919"),
    ("upn", "H801200001001", "H801200001001"),
    ("car_plate", "AB12 CDE", "AB12 CDE"),
    ("car_plate", "blue car reg ab12cde", "ab12cde"),
    ("car_plate", "his van M123 ABC", "M123 ABC"),
    ("car_plate", "ABC 123D is parked there", "ABC 123D"),
    ("card_number", "4111 1111 1111 1111", "4111 1111 1111 1111"),
    ("ip_address", "he posts from 81.2.69.160", "81.2.69.160"),
    ("ip_address", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
    ("passport", "passport number 123456789", "123456789"),
    ("handle", "add me on snap ellie_x07", "ellie_x07"),
    ("handle", "my insta is katy.w09", "katy.w09"),
    ("handle", "dm her on insta @jadeyxo", "jadeyxo"),
    ("handle", "her snapchat is jadeyxo.", "jadeyxo"),
]


@pytest.mark.parametrize(("kind", "text", "found"), FOUND)
def test_personal_data_is_found(kind: str, text: str, found: str) -> None:
    (span,) = personal_data(text)
    assert (span.kind, text[span.start : span.end]) == (kind, found)


@pytest.mark.parametrize(
    "text",
    [
        "we won 3-1 on 12/05/2024 at 10:30",
        "tickets £12.50 and 1000 sold in 2024",
        "AQA 8700/1 paper 2, J560/04, 9-1 GCSE",
        "meeting 3.30pm 4th May 2024 room B12",
        "ext 204 or extension 204, ext 01134960000",
        "ISBN 978-0-19-852663-6 and ISBN 0198526636",
        "https://school.example/page?id=07700900123",
        "ring Childline on 0800 1111, it is free",
        "call 101 or 999, NHS 111, or NSPCC 0808 800 5000",
        "the school's line is 0300 123 4567",
        "Year 6 Green Lane trip",
        "5 minutes down the road",
        "about 12 station road signs",
        "3 park run and 2 close friends",
        "200 Memorial Park trees",
        "1990 Station Road was rebuilt",
        "Y7 came 3rd, E10 5th",
        "version 1.2.3.4 and 127.0.0.1 and 999.1.1.1",
        "1 2 3 4 5 6 7 8 9 10",
        "0 1 2 3 4 5 6 7 8 9 10",
        "00000000000 and 01234567891011",
        "+1 2 3 and 0011 22 33 44 55 66",
        "oh one two three four five",
        "follow us on insta oakfieldschool",
        "my insta is private",
        "add it on snap please",
        "look at this dot com",
        "born in 2012, birthday party 3/4/2024",
        "established 1 September 1950",
        "bus 12 Station Road",
        "2024-05-12 10:00:00, 01.02.2024 10:30",
        "term dates 01/09/2024 - 20/12/2024",
        "score 10 - 12, 21-19, 21-15",
        "£1,000,000 raised by 300 pupils",
        "KS2 SATs 2024 results 78% 112 average",
        "order number 12345678",
        "4111 1111 1111 1112 is no card, nor 3333333333333333333, nor 4000 2000",
        "GB82 WEST 1234 5698 7654 33 is no account abroad",
        "H801200001002 is nobody",
        "nhs number 943 476 5918",
        "an f1 car and an e30 bmw, m25 for the car",
        "BG 12 34 56 C",
        "+999 123 456 7890",
        "ab12 cde and M123 ABC, nothing else",
        "none here",
        "",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert personal_data(text) == ()


def test_several_are_found_in_order_and_do_not_overlap() -> None:
    text = "He lives at 14b Oak Close LS1 4AP, call 07700900123 07700900456 or jo@bloggs.example, see www.x.example/LS14AP"
    assert [(span.kind, text[span.start : span.end]) for span in personal_data(text)] == [
        ("address", "14b Oak Close"),
        ("postcode", "LS1 4AP"),
        ("phone", "07700900123"),
        ("phone", "07700900456"),
        ("email", "jo@bloggs.example"),
    ]


@settings(deadline=None)
@given(st.text(alphabet=st.characters()) | st.text(alphabet="0123456789 +-./()@aAbBoO:one two#"))
def test_any_text_is_read(text: str) -> None:
    end = 0
    for span in personal_data(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end


HOSTILE = (
    *(
        "0 ",
        "07",
        "a@",
        "a.",
        "one ",
        "double ",
        "1-2-",
        "12 aa ",
        "AB12 ",
        "+1",
        "add me on ",
        "4 ",
        "sort code ",
        "passport ",
        "born on ",
    ),
    *(
        "a at b dot ",
        "1.1.1.1.",
        "1:",
        "http://",
        "www.",
        "flat 1 ",
        "a-",
        "my snap is ",
        "0\ufe0f\u20e3",
        "oh seven ",
        "AAAA12 ",
        "AB12 CDE ",
        "7 Mill Lane LS1 4AP ",
        "1 aaaaaaaaa road",
    ),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    for text in (piece * (100_000 // len(piece)), "x@ 1" + piece * (100_000 // len(piece)) + " @ dot 1"):
        begun = time.process_time()
        personal_data(text)
        assert time.process_time() - begun < 5


def test_heavy_libraries_are_loaded_only_when_needed() -> None:
    program = (
        "import sys; from moderator.learn.pii import personal_data as p; p('Y7 won 9-1, room B12 at 10:30, 1000 tickets, LS1 4AP');"
        "assert not {'phonenumbers', 'stdnum'} & set(sys.modules); p('0113 496 0000'); assert 'phonenumbers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
