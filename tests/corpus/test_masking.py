"""Masking: contacts, numbers of identity and names go; what a coach needs stays."""

import stat
from pathlib import Path

import pytest

from corpus.masking import installation_salt, mask, pseudonym


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail amy.lee+gym@club.org.hk today", "mail [email] today"),
        ("寫信到amy@club.tw。", "寫信到[email]。"),
        ("電話13812345678，找教練", "電話[phone]，找教練"),
        ("+86 138 1234 5678", "[phone]"),
        ("0912-345-678 or 0912345678", "[phone] or [phone]"),
        ("+886 912 345 678", "[phone]"),
        ("(02) 2345-6789", "[phone]"),
        ("香港91234567或9123 4567", "香港[phone]或[phone]"),
        ("+852 9123 4567", "[phone]"),
        ("+1 (415) 555-2671, 415-555-2671", "[phone], [phone]"),
        ("+44 20 7946 0958.", "[phone]."),
        ("身分證A123456789", "身分證[id]"),
        ("身份证110101199003071234", "身份证[id]"),
        ("身份证11010119900307123X", "身份证[id]"),
        ("HKID A123456(3)", "HKID [id]"),
        ("see https://www.instagram.com/amy_lifts/ now", "see [link] now"),
        ("t.me/amylifts", "[link]"),
        ("https://example.org/@amy", "[link]"),
        ("微信：amy_123", "[handle]"),
        ("follow @amylifts", "follow [handle]"),
    ],
)
def test_contacts_and_identity_numbers_are_masked(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-01, 2025/3/1, 20250301, 2025年3月1日, 2024-2025, 01.03.2025",
        "snatch 100 kg, 102.5 kg, 100, 105, 110, 115; 120kg/125kg",
        "抓舉100公斤，120-130公斤，5組2次",
        "3x2, 5×5, 3-3-3, 5 5 3 3 2 2 1 1, 60-70-80-85 x 2, +100 105 110",
        "70–80 %, 85%, RPE 8.5, 4 x 3 @ 85%",
        "1200 N, 2500 W, 1.85 m/s, 812 J, 16 cm (14–18 cm)",
        "tonnage 9500 8700 kg; 3000 4000 kg",
        "https://doi.org/10.1519/JSC.0000000000001234 and https://example.org/texts/snatch",
        "2025-03-01, athlete-123456: snatch, 60 kg, 3 × 2 reps, made.",
    ],
)
def test_dates_loads_shares_and_schemes_stay(text: str) -> None:
    assert mask(text).text == text
    assert mask(text).counts == {}


def test_names_of_the_athletes_are_masked_in_what_is_said_of_them() -> None:
    names = ["Mary-Jane Watson", "陳大文", "Lee"]

    assert mask("陳大文沒來，大文右膝痛", names).text == "[name]沒來，[name]右膝痛"
    assert mask("mary-jane watson and WATSON; Lee left", names).text == "[name] and [name]; [name] left"
    assert mask("sleep and fleece stay whole", names).text == "sleep and fleece stay whole"


def test_an_athlete_who_is_a_number_or_a_letter_hides_no_loads() -> None:
    assert mask("A heavy 100 for 7", ["7", "100", "A"]).text == "A heavy 100 for 7"


def test_what_was_masked_is_counted_by_kind() -> None:
    masked = mask("Amy: amy@club.tw, 0912-345-678 or 0912-345-679", ["Amy Lee"])

    assert masked.counts == {"email": 1, "phone": 2, "name": 1}


def test_a_pseudonym_is_the_same_however_a_name_is_written_and_another_with_another_salt() -> None:
    assert pseudonym("陳 大文", b"a") == pseudonym("陈大文", b"a")
    assert pseudonym("Amy  LEE", b"a") == pseudonym("amy lee", b"a")
    assert pseudonym("Amy Lee", b"a") != pseudonym("Amy Lee", b"b")
    assert pseudonym("Amy Lee", b"a") != pseudonym("Amy Li", b"a")


def test_an_installation_makes_its_salt_once_and_keeps_it_to_its_owner(tmp_path: Path) -> None:
    salt = installation_salt(tmp_path / "new")
    (key,) = (tmp_path / "new").iterdir()

    assert len(salt) == 32
    assert installation_salt(tmp_path / "new") == salt
    assert installation_salt(tmp_path / "other") != salt
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
