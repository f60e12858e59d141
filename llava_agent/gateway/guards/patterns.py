"""Personal data by pattern, each confirmed by its checksum or its numbering plan."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llava_agent.gateway.guards.finding import Finding, Place
from llava_agent.gateway.guards.plain import plain

#: Longest match of any pattern here, in characters: an e-mail address (RFC 5321).
LONGEST = 254

_CARD = re.compile(r"(?<![\d.])\d(?:[ \-.]?\d){12,18}(?![\d])")
#: Leading digits of the card networks and the lengths of their numbers.
_ISSUER = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:2[2-7]|5[0-8]|6\d|35)\d{14}(?:\d{1,3})?|3[47]\d{13}|3[0689]\d{12}"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]{1,4}){3,8}(?![A-Za-z0-9])")
_EMAIL = re.compile(
    r"(?<![\w.+\-])[\w.'+\-]{1,64}@(?:[A-Za-z0-9](?:[\w\-]{0,61}\w)?\.){1,8}[A-Za-z][\w\-]{1,24}"
)
_NUMBER = re.compile(r"(?<![\w.\-])[+(]?\d[\d ()./\-]{5,22}\d(?![\w])")
_CUE = re.compile(
    r"(?:phone|tel|telephone|telefon|mobile|mobil|cell|fax|call|whatsapp|dial|☎)\W{0,4}\Z", re.IGNORECASE
)
#: Characters before a number that a cue may stand in.
_BEFORE = 16
#: Lengths of IBANs by country: ISO 13616, registry of SWIFT (the countries of SEPA and some others).
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29,
    "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


class Patterns:
    """Credit cards (Luhn), IBANs (checksum), phone numbers (`phonenumbers`), e-mail addresses.

    Args:
        regions: countries whose national phone numbers are known.
    """

    name = "patterns"

    def __init__(self, regions: tuple[str, ...] = ()) -> None:
        self.regions = regions

    def look(self, text: str, place: Place) -> list[Finding]:
        seen = plain(text)
        found = list(_emails(seen.text)) if "@" in seen.text else []
        if any(character.isdigit() for character in seen.text):
            found += [*_ibans(seen.text), *_cards(seen.text)]
            taken = [range(one.start, one.end) for one in found]
            found += [
                one for one in self._phones(seen.text) if not any(one.start in place for place in taken)
            ]
        return [Finding(one.kind, *seen.original(one.start, one.end)) for one in found]

    def _phones(self, text: str) -> Iterator[Finding]:
        for match in _NUMBER.finditer(text):
            digits = sum(character.isdigit() for character in match[0])
            if 7 <= digits <= 15 and self._is_phone(
                match[0], text[max(0, match.start() - _BEFORE) : match.start()]
            ):
                yield Finding("phone", match.start(), match.end())

    def _is_phone(self, number: str, before: str) -> bool:
        """An international number, a national one after a cue, or one written as its country writes them."""
        import phonenumbers as pn

        if number.startswith("+"):
            return _valid(number, None)
        if _CUE.search(before):
            return any(_valid(number, region) for region in self.regions) or _valid("+" + number, None)
        if not re.search(r"[ ()/\-.]", number):
            return False
        strict = pn.Leniency.STRICT_GROUPING
        return any(
            match.start == 0 and match.end == len(number)
            for region in self.regions
            for match in pn.PhoneNumberMatcher(number, region, leniency=strict)
        )


def _valid(number: str, region: str | None) -> bool:
    import phonenumbers as pn

    try:
        return pn.is_valid_number(pn.parse(number, region))
    except pn.NumberParseException:
        return False


def _emails(text: str) -> Iterator[Finding]:
    for match in _EMAIL.finditer(text):
        yield Finding("email", match.start(), match.end())


def _cards(text: str) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        digits = [int(character) for character in match[0] if character.isdigit()]
        if len(set(digits)) > 1 and _ISSUER.fullmatch("".join(map(str, digits))) and _luhn(digits):
            yield Finding("credit_card", match.start(), match.end())


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ibans(text: str) -> Iterator[Finding]:
    position = 0
    while match := _IBAN.search(text, position):
        length = _IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        end = _end_of(match[0], length)
        if end and _iban(re.sub(r"[ \-]", "", match[0][:end])):
            yield Finding("iban", match.start(), match.start() + end)
            position = match.start() + end
        else:
            position = match.start() + 2


def _end_of(text: str, length: int) -> int:
    """Index behind the `length`-th letter or digit, which must end a word; 0 where there is none."""
    count = 0
    for index, character in enumerate(text):
        count += character.isalnum()
        if count == length:
            return 0 if text[index + 1 : index + 2].isalnum() else index + 1
    return 0


def _iban(text: str) -> bool:
    """ISO 7064 mod 97-10 over the rearranged number."""
    moved = (text[4:] + text[:4]).upper()
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
