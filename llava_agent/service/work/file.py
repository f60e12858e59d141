"""Runs of the kind `file`: send a filing that is ready, or find out what became of one that was cut off."""

from __future__ import annotations

from functools import partial

from llava_agent.service.filing.desk import FilingDesk
from llava_agent.service.work.job import Done, Handler, Job

KIND = "file"


def filer(desk: FilingDesk) -> Handler:
    """What does such a run. What an earlier attempt was sending is looked for, never sent again."""
    return partial(_file, desk)


def _file(desk: FilingDesk, job: Job) -> Done:
    filing = desk.filings.get(job.who, job.run.request["filing"])
    job.say("filing", {"filing": filing.id, "state": filing.state, "title": filing.title})
    if filing.state == "ready":
        filing = desk.send(filing)
    elif filing.state == "sending":
        filing = desk.look(desk.cut_off(filing))
    elif filing.state == "unknown":
        filing = desk.look(filing)
    return Done(
        {
            "filing": filing.id,
            "record": filing.record,
            "state": filing.state,
            "reason": filing.reason,
            "reference": filing.reference,
            "link": filing.link,
            "verified": filing.verified,
        }
    )
