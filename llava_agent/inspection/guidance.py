"""What to look at next: a rule for each kind of fault, and what the manuals say where they are at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llava_agent.inspection.finding import Citation, Fault, Line, Missing, Step

#: Looks a question up in the manuals; gives passages, the best first.
Search = Callable[[str], Sequence[Citation]]

#: Passages shown for a step.
_QUOTES = 2

_RULES: dict[str, tuple[str, ...]] = {
    "over_limit": (
        "Make sure that the reading is true: compare it with a second gauge or tap the glass",
        "Reduce the load or open the relief path as the site's procedure says, and tell the shift lead",
    ),
    "near_limit": ("Read it again in an hour and note both values",),
    "off_scale": (
        "Isolate the gauge and check that its needle goes back to zero; replace it if it does not",
    ),
    "warning_lamp": ("Look up the lamp in the manual before you reset anything, and note what was running",),
    "error_code": ("Look up the code in the manual, and note it before you reset anything",),
}


def next_steps(
    faults: Sequence[Fault], missing: Sequence[Missing], lines: Sequence[Line], search: Search | None = None
) -> tuple[Step, ...]:
    """Steps for the faults in their order, then the photos that are still needed.

    Args:
        search: the manuals; without it the steps carry no citations.
    """
    steps: list[Step] = []
    seen: set[str] = set()
    model = next((line.value for line in lines if line.key == "model"), "")
    for fault in faults:
        for at, do in enumerate(_RULES.get(fault.kind, ())):
            if do in seen:
                continue
            seen.add(do)
            found = tuple(search(f"{model} {fault.what}".strip())[:_QUOTES]) if search and at == 0 else ()
            steps.append(Step(do, fault.because, found))
    steps += [Step(one.ask, one.what) for one in missing]
    return tuple(steps)
