"""Every English string of the agent desk."""

from __future__ import annotations

TAB = "Agent desk"
GOAL = "Goal"
GOAL_EXAMPLE = "File a ticket for the pump with the serial number from the photo"
PAGE = "Start page"
PAGE_EXAMPLE = "http://localhost:8000"
SHOWS = "The page must show at the end"
SHOWS_HINT = "Success is checked, never claimed. Without this, the best end is “unverified”."
SHOWS_EXAMPLE = "The ticket was saved"
MORE = "Photos and limits"
PHOTOS = "Photos the agent may look at"
SIGHT, BOTH, PIXELS = "What the agent sees", "pixels and accessibility tree", "pixels alone"
MOST_STEPS = "At most this many steps"
START, PAUSE, RESUME, STOP, REPLAY = "Start", "Pause", "Go on", "Stop", "Replay"
REPLAYED = "replay"
HINT = "The steps arrive here, each verified before the next. A run goes on when you leave the page."
PICTURE = "What the agent sees, and where it acts"
NO_PAGE = "there is no page to work on"
NO_PAGE_MEND = "give its address, such as http://localhost:8000"
NO_GOAL = "there is no goal"
NO_GOAL_MEND = "say what to do"
WAITING = "waiting for its turn"
PAUSED = "held before its next step"
STOPPING = "stopping"
QUESTION = "The agent asks"
ANSWER, SEND = "Your answer", "Send the answer"
ANSWER_NEEDED = "an answer is needed"
ANSWER_NEEDED_MEND = "type it, or stop the run"
APPROVAL = "The agent asks for an approval"
ON, BECAUSE = "on", "because of the rule"
REASON = "Reason (optional)"
APPROVE, REFUSE = "Approve", "Refuse"
OTHERS = "Another person with the role approver decides this: nobody approves what they asked for."
NOT_BEGUN = "stopped before the run began"
RUNS = "Runs"
RUNS_HINT = "Choose one to watch it, or to see how it ended."
STATES = {
    "queued": "waiting",
    "running": "going on",
    "done": "done",
    "failed": "failed",
    "cancelled": "stopped",
    "cut_off": "cut off",
}
