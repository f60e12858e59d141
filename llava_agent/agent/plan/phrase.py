"""What a phrase of a goal names: `the 2nd text field`, `the button labeled "OK"`, `all posts by @ann`."""

from __future__ import annotations

import re

from llava_agent.agent.plan.part import Phrase

#: Noun of the goal -> family of roles (`match.FAMILIES`). Longer ones first.
_NOUNS = {
    "button": r"buttons?|keys?",
    "link": r"(?:hyper)?links?",
    "tab": r"tabs?",
    "radio": r"radio buttons?|radios?",
    "box": r"check ?boxes|check ?box|switch(?:es)?",
    "field": r"(?:input )?text ?box(?:es)?|text ?areas?|(?:text |input )?fields?|(?:text |search )?inputs?",
    "list": r"(?:scroll |drop-?down |selection )?lists?|drop-?downs?|combo ?box(?:es)?",
    "slider": r"sliders?|spinners?",
    "icon": r"icons?|symbols?",
    "section": r"sections?|panels?|accordions?",
    "text": r"paragraphs?|text|sentences?",
    "item": r"(?:menu |search )?items?|entr(?:y|ies)|options?|(?:search )?results?|cards?|folders?|files?|"
    r"elements?|rows?|posts?|e?mails?|messages?|contacts?|names?|labels?",
    "number": r"numbers?|digits?",
}
_FAMILIES = "|".join(f"(?P<{family}>{words})" for family, words in _NOUNS.items())
_NOUN = re.compile(rf"\b(?:{_FAMILIES})\b(?![-/])", re.IGNORECASE)
#: A noun that says only that it is a thing; its kind is then the word in quotation marks.
_THING = re.compile(r"\b(?:widget|control|component)s?\b", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|(?<!\w)\'([^\']+)\'(?!\w)')
_ARTICLE = re.compile(
    r"""^(?:(?:on|into|in|onto|at|to|up|for|out|off|down)\s+)*
    (?:(?:the|an?|any|your|its|their|this|that|all|both|each|every)\s+)+
    | ^(?:on|into|onto|up|down)\s+
    | ^(?:center|centre|middle)\ of\s+""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBERS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(rf"\b(?:(\d+)(?:st|nd|rd|th)|({'|'.join(_NUMBERS)})|(last|final))\b", re.IGNORECASE)
_EVERY = re.compile(r"\b(?:all|both|each|every)\b", re.IGNORECASE)
_MOST = re.compile(r"\b(\d{1,2}) (?=posts?|items?|rows?|messages?|mails?|entries)", re.IGNORECASE)
_GREATEST = re.compile(r"\b(?:greate(?:st|r)|large(?:st|r)|bigg(?:est|er)|highest|longest)\b", re.IGNORECASE)
_SMALLEST = re.compile(r"\b(?:smalle(?:st|r)|lowest|least|shortest)\b", re.IGNORECASE)
_NEAR = re.compile(
    r"""\b(?:on|of|for|from|by|next\ to|beside)\s+(?:all\ |the\ |each\ |every\ |\d+\ )*
    (?:users?|posts?|tweets?|rows?|messages?|mails?|items?|contacts?|comments?)\s+
    (?:(?:by|from|of|named|called)\s+(?=\S)|(?=@))(?P<who>[^\s,;]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_NAMED = re.compile(
    r"\b(?:labell?ed|named|called|titled|that says|saying|with the (?:text|label|name))\s+", re.IGNORECASE
)
#: Where it is, which the order of the marks says better.
_PLACE = re.compile(
    r"""\s+(?:in|on|from|at|within|inside|of|with|using|through)\s+(?:the|this|a|an)\s+(?!.*").*$
    | \s+(?:below|above|shown|on\ the\ page|of\ the\ page)\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
#: A name has a letter, a digit, or is a sign that buttons bear.
_SAYS = re.compile(r"[^\W_]|[<>×+−-]")
_ENDS = " \t\n,;:"


def read_phrase(text: str, near: str = "") -> Phrase:
    """What the words name.

    Args:
        text: such as `the 1st input textbox`, without the verb.
        near: whose it is, where an earlier clause said it (`For the user @ann, ...`).
    """
    words = text.strip(_ENDS).rstrip(".") if not _QUOTED.search(text) else text.strip(_ENDS)
    who = _NEAR.search(words)
    if who:
        near = who["who"].strip("\"'.")
    quoted = [next(part for part in found if part) for found in _QUOTED.findall(words)]
    plain = _QUOTED.sub(" ", words)
    head = plain[: who.start()] if who and not quoted else plain
    family = _family(head)
    kind = _family(quoted[0]) if quoted and _THING.search(plain) else ""
    if kind:
        family, quoted, words = "field" if kind == "text" else kind, [], ""
    ordinal, most = _ordinal(plain), _MOST.search(plain)
    extreme = "greatest" if _GREATEST.search(plain) else "smallest" if _SMALLEST.search(plain) else ""
    names = tuple(quoted[:1]) if quoted else _names(words[: who.start()] if who else words)
    return Phrase(
        names=names if quoted or not (ordinal is not None or extreme) else (),
        role=family,
        ordinal=ordinal,
        every=bool(_EVERY.search(plain)) or most is not None,
        most=int(most[1]) if most else None,
        extreme=extreme,  # type: ignore[arg-type]
        near=near,
    )


def _family(text: str) -> str:
    """The family of the first noun that is one; `the button in the dialog` is a button."""
    found = [match.lastgroup or "" for match in _NOUN.finditer(text)]
    certain = [family for family in found if family not in ("text", "item", "number")]
    return next(iter([*certain, *found]), "")


def _ordinal(text: str) -> int | None:
    found = _ORDINAL.search(text)
    if found is None:
        return None
    if found[1]:
        return int(found[1]) - 1
    return -1 if found[3] else _NUMBERS.index(found[2].lower())


def _names(words: str) -> tuple[str, ...]:
    """What it may be called: the words as they stand, without their place, without the noun."""
    bare = _strip(_NAMED.split(words)[-1])
    without = _strip(_PLACE.sub("", bare))
    noun = _strip(_without_noun(without))
    return tuple(dict.fromkeys(name for name in (bare, without, noun) if _SAYS.search(name)))


def _without_noun(text: str) -> str:
    """`previous button` is called *previous*, `button ONE` is called *ONE*; *Tab #2* may be either."""
    for match in _NOUN.finditer(text):
        if match.end() == len(text):
            return text[: match.start()]
        if match.start() == 0:
            return text[match.end() :]
    return text


def _strip(text: str) -> str:
    text = text.strip(_ENDS)
    while (match := _ARTICLE.match(text)) and match.end() < len(text):
        text = text[match.end() :]
    return text.strip(_ENDS)
