"""Pushes are sealed for one browser, and signed by the site."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from chatapp.webpush import Vapid, base64url, check_keys, encrypt, unbase64
from tests.support.push_service import Browser, check_signature, open_push

# RFC 8291, appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
READER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
READERS_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SENDERS_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def key(text: str):
    return derive_private_key(int.from_bytes(unbase64(text)), SECP256R1())


def test_a_push_is_sealed_as_in_the_example_of_rfc_8291():
    sealed = encrypt(TEXT, READER, AUTH, salt=unbase64(SALT), key=key(SENDERS_KEY))
    assert base64url(sealed) == SEALED
    assert open_push(sealed, key(READERS_KEY), unbase64(AUTH)) == TEXT


def test_each_push_has_a_salt_and_a_key_of_its_own():
    browser = Browser("https://push.example", "ann").fields
    first, second = (encrypt(TEXT, browser["p256dh"], browser["auth"]) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


def test_a_site_signs_with_one_key_for_one_service_and_for_hours():
    vapid = Vapid(Vapid.new())
    header = vapid.authorization("https://push.example", "https://chat.example")
    assert check_signature(header, "https://push.example")["key"] == vapid.public
    with pytest.raises(AssertionError):
        check_signature(header, "https://other.example")


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", AUTH),
        ("AAAA", AUTH),
        (READER[:-2] + "AA", AUTH),
        (READER, "AAAA"),
        ("é", AUTH),
        (READER, "%%"),
    ],
)
def test_keys_that_make_no_sense_are_refused(p256dh, auth):
    with pytest.raises(ValueError):  # noqa: PT011  whatever it says
        check_keys(p256dh, auth)
