"""A run of the agent and the people around it: orders, questions and approvals.

What the owner orders (`pause`, `resume`, `reply`) lies among the run's events, and what waits for an approval
in the database of approvals. So it does not matter which process does the run, nor which one people talk to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from llava_agent.agent.attendant import Proposal, Question, Verdict
from llava_agent.agent.control import Control
from llava_agent.gateway.approvals import Approval, Approvals, requester
from llava_agent.service.work.job import Job

#: Seconds between two looks for orders and verdicts.
LOOK_S = 0.4


class Steering:
    """Carries orders to the run's control, and the run's questions to people (`Attendant`).

    Args:
        job: whose events are read and written.
    """

    def __init__(self, job: Job, approvals: Approvals) -> None:
        self.control = Control()
        self._job, self._approvals = job, approvals
        self._read = 0
        self._questions: dict[int, asyncio.Future[str]] = {}
        self._asks = requester(job.who)

    async def look(self) -> None:
        """Act on what was ordered since the last look; sets the job's `stop` where the run is to end."""
        run = await asyncio.to_thread(self._job.runs.get, self._job.who, self._job.run.id)
        if run.cancel:
            self._job.stop.set()
        for event in await asyncio.to_thread(self._job.runs.events, self._job.who, run.id, self._read):
            self._read = event.number
            if event.kind == "pause":
                self.control.pause()
            elif event.kind == "resume":
                self.control.resume()
            elif event.kind == "reply":
                question = self._questions.get(int(event.body["question"]))
                if question is not None and not question.done():
                    question.set_result(str(event.body["text"]))

    async def answer(self, question: Question) -> str | None:
        """Wait until the owner replies to exactly this question."""
        number = await self._say("question", {"text": question.text, "about": question.about})
        self._questions[number] = asyncio.get_running_loop().create_future()
        reply = await self._questions[number]
        await self._say("answered", {"question": number})
        return reply

    async def approve(self, proposal: Proposal) -> Verdict | None:
        """Ask whoever may approve; None where nobody did in time."""
        action = {
            "run": proposal.run,
            "step": proposal.step,
            "address": proposal.address,
            "action": dict(proposal.action),
        }
        summary = f"{proposal.line} on {proposal.address}"
        asked = await asyncio.to_thread(
            self._approvals.request, action, self._asks, summary=summary, run=self._job.run.id
        )
        said = {"id": asked.id, "line": proposal.line, "address": proposal.address}
        await self._say("approval", {**said, "effect": proposal.effect, "why": proposal.why})
        found = await self._decision(asked)
        verdict = None
        if found.state == "approved":
            await asyncio.to_thread(self._approvals.consume, found.id, action, self._asks)
            verdict = Verdict(True, proposal.hash, found.decider, found.reason)
        elif found.state == "refused":
            verdict = Verdict(False, proposal.hash, found.decider, found.reason)
        state = found.state if verdict else "expired"
        await self._say("decided", {"id": asked.id, "state": state, "by": found.decider})
        return verdict

    async def _decision(self, asked: Approval) -> Approval:
        """The approval once it is decided or out of time."""
        found: Approval | None = asked
        while found is not None and found.state == "waiting" and found.live(self._approvals.clock()):
            await asyncio.sleep(LOOK_S)
            found = await asyncio.to_thread(self._approvals.get, asked.id)
        return found or asked

    async def _say(self, kind: str, body: Mapping[str, Any]) -> int:
        return await asyncio.to_thread(self._job.runs.say, self._job.run, kind, body)
