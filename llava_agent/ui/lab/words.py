"""Every English string of the model lab."""

from __future__ import annotations

TAB = "Model lab"
WHY, SIDES, RUNS = "Why", "Side by side", "Training runs"
PHOTO, PHOTOS = "Photo or screenshot", "Photos or screenshots (at most {most})"
QUESTION, EXAMPLE = "Question", "What is the serial number?"
VIEW = "View"
VIEWS = {
    "occlusion": "Cover each region",
    "pointer": "Where it points",
    "attention": "Attention to patches",
    "similarity": "Tower: words in the image",
}
VIEW_HINTS = {
    "occlusion": "How much of the answer is lost without each region. Some 10 to 40 calls.",
    "pointer": "The probability of each mark, from the one call that gave the answer.",
    "attention": "For models that generate: the cells that its words attend to.",
    "similarity": "Where the tower sees what you name, such as: emergency stop button. Not about the answer.",
}
MODEL, FIRST, SECOND = "Model", "First model", "Second model"
SHOW, ASK_BOTH = "Show why", "Ask both"
HINT = "The answer appears here, with the regions that drove it and a test of that view."
SIDES_HINT = "Both answers appear here for each photo, with the region that each model rests on."
RUNS_HINT = "Choose one or several runs. Their curves, settings and weights appear here."
NO_RUNS = "There is no training run here yet. Begin one: llava-agent train CONFIG (docs/training.md)."
NO_FOLDER = "This server shows no training runs. Whoever starts it names their folder: serve --lab FOLDER."
CHOOSE = "Runs"
NO_PHOTO, NO_PHOTO_MEND = "there is no image yet", "upload one or take a photo"
NO_QUESTION, NO_QUESTION_MEND = "the question is empty", "ask something, such as: what is the serial number?"
TOO_MANY, TOO_MANY_MEND = "{count} photos are too many at once", "choose at most {most}"
WAITING = "waiting for its turn"
COVERING = "looking at region {at} of {of}"
ASKING = "asked about {at} of {of} photos"
ENDED = "the work ended as {state} ({reason})"
TRY_AGAIN = "try it again"
HEAT_ALT = "The image with the regions that drove the answer in light; the list beside it names them"
MARKS, MARKS_ALT = "All {count} marks that the model was shown", "The image with every mark numbered"
NOTHING = "No region stands out: the answer does not depend on any single one."
LOST, SHARE = "lost without it", "of the foremost"
POINTED = "probability"
PIXELS = "{share} by its pixels alone"
INSTEAD = "then: {answer}"
CELL = "this part"
SPENT = "{calls} calls in {seconds} s"
TEST = "The test"
COVERED = "First region covered on the photo: {answer} ({share} sure)"
CONTROL = "Another region covered: {answer} ({share} sure)"
HOLDS = "The view holds: without its foremost region the answer changes, without another it stays."
HOLDS_NOT = "The view is not confirmed: {why}."
STAYS = "the answer stays although its foremost region is covered"
FALLS = "the answer also changes when another region is covered"
SAME = "{same} of {all} answers are the same"
DIFFERENT = "different"
SURE = "{share} sure"
LOSS, RATE, SPEED = "Loss", "Learning rate", "Tokens a second"
STEP = "step"
NO_METRICS = "Nothing was logged yet."
READY, NOT_READY = "ready to be asked as {model}", "in training, or cut off"
STATE = "{step} of {steps} steps"
LAST_LOSS = "loss {loss:.4f}"
FILES, SETTINGS = "Files and weights", "Settings, machine and data"
