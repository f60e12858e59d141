"""Every English string of the photo desk."""

from __future__ import annotations

TAB = "Photo desk"
PHOTOS = "Take or choose photos of one piece of equipment"
ASSET = "Asset"
ASSET_HINT = "Read from the tag if you leave it empty"
INSPECT = "Inspect"
SAVE = "Save and confirm"
PDF, CSV = "Record as PDF", "Table as CSV"
HINT = "Photos go to this machine alone. What was read arrives here, each line with its place on the photo."
NO_PHOTOS = "there is no photo yet"
NO_PHOTOS_MEND = "take one or choose a file"
NO_RECORD = "there is no inspection to save"
NO_RECORD_MEND = "inspect photos first"
GOOD = "good enough to read"
WAITING = "waiting for its turn"
LOOKING = "looking at {name} ({at} of {of})"
READ, FAULTS, STEPS, CHANGES = "What was read", "Likely faults", "Next steps", "Since the last record"
NOTHING = "Nothing was read on these photos. Write in below what you can read yourself."
SAVED = "Saved and confirmed as {id}."
VALUE_OF = "Value of {name}"
SHOW = "Show where {name} stands"
BY_HAND = "by hand"
SURE = "{share} sure"
EDIT_HINT = "Tap a number to see where a line stands, or a box to find its line. Values can be corrected."
REMOVE, RESTORE = "Remove {name}", "Keep {name}"
DISMISS = "Not so: {name}"
ADD, ADD_WHAT, ADD_VALUE, ADD_PUT = "Write in", "What", "Value", "Add"
WORDS, WORDS_HINT = "Also on the photos", "Tap a word to write it in as a line."
MISSING = "Still needed"
ANSWER = "Add a photo"
OLD, OLD_PICK, OLD_NONE = "Earlier records", "Open a record", "There is no record yet."
OLD_LINE = "{date} · {asset} · {state}"
NO_ASSET = "without a name"

FILE_IN = "File in"
FILE = "File: {title}"
FILE_HINT = "This is sent when you press the button:"
FILE_ASK = "Somebody with the role {role} has to approve it first."
FILE_GOES = "It is sent at once."
FILE_DENIED = "The policy forbids it ({rule})."
FILE_NOT_YET = "This record cannot be filed yet:"
FILE_PHOTOS = "Photos that stay with the record: {count}"
FILING = "filing it as {title}"
FILED = "Filed as {title} {reference}"
OPEN_THERE = "Open it there"
EQUAL = "Read back: what is there equals what was sent."
WAITS = "Waits for an approval. It is sent as soon as that is given; you may leave this page."
REFRESH = "Look again"
APPROVE, REFUSE = "Approve and send", "Refuse"
HISTORY = "Filings of this record"
STATES = {
    "draft": "draft",
    "confirmed": "confirmed",
    "waiting": "waits for an approval",
    "ready": "is about to be sent",
    "sending": "is being sent",
    "filing": "is being filed",
    "filed": "filed",
    "failed": "not filed",
    "unknown": "nobody knows whether it arrived",
}
