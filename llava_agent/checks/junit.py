"""JUnit XML, as GitHub, GitLab and Jenkins read it: a suite for each spec, a case for each expectation."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from llava_agent.checks.verdict import CheckResult, SpecResult, Verdict

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def write_junit(result: CheckResult, out: Path, images: dict[int, Path]) -> None:
    """Write `out`, whole or not at all.

    Args:
        images: evidence of a verdict by its `id()`, linked and not embedded.
    """
    from llava_agent.agent.trace import write_whole

    root = ElementTree.Element("testsuites")
    for spec in result.specs:
        root.append(_suite(spec, images))
    ElementTree.indent(root)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(spec: SpecResult, images: dict[int, Path]) -> ElementTree.Element:
    statuses = [verdict.status for verdict in spec.verdicts]
    suite = ElementTree.Element(
        "testsuite",
        name=spec.name,
        file=str(spec.file),
        tests=str(max(1, len(statuses))),
        failures=str(statuses.count("fail") + statuses.count("uncertain")),
        errors=str(statuses.count("error") + bool(spec.problem)),
        time=f"{spec.seconds:.3f}",
    )
    if spec.problem:
        case = ElementTree.SubElement(suite, "testcase", name="the spec runs", classname=spec.name)
        ElementTree.SubElement(case, "error", message=_clean(spec.problem))
    for verdict in spec.verdicts:
        suite.append(_case(spec, verdict, images.get(id(verdict))))
    return suite


def _case(spec: SpecResult, verdict: Verdict, image: Path | None) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=_clean(verdict.words), classname=spec.name)
    message = _clean(verdict.detail or verdict.status)
    if verdict.status == "fail":
        ElementTree.SubElement(case, "failure", message=message, type="fail")
    elif verdict.status == "uncertain":
        # JUnit knows no doubt; a check that was not decided must not look like one that passed.
        ElementTree.SubElement(case, "failure", message=f"uncertain: {message}", type="uncertain")
    elif verdict.status == "error":
        ElementTree.SubElement(case, "error", message=message)
    if image is not None:
        # The form that GitLab and Jenkins show as an attachment.
        ElementTree.SubElement(case, "system-out").text = f"[[ATTACHMENT|{image}]]"
    return case


def _clean(text: str) -> str:
    """Without the control characters that XML forbids: page text may hold anything."""
    return _FORBIDDEN.sub("", text)
