"""Every English string of the admin desk, of the approvals and of one's own keys."""

from __future__ import annotations

TAB, APPROVALS_TAB, KEYS_TAB = "Admin", "Approvals", "API keys"
ROOMS = "Parts of the admin desk"
ACCOUNTS, POLICY, USAGE, BUDGETS, AUDIT = "Accounts", "Policy", "Usage", "Budgets", "Audit log"

NAME, ROLES, DEPARTMENT, STATE, KEYS = "Name", "Roles", "Department", "State", "API keys"
NEW_ACCOUNT, ADD, SAVE, CHANGE = "New account", "Add account", "Save", "Change"
RESET, DISABLE, OPEN_AGAIN = "Set a one-time password", "Disable", "Open again"
DISABLED, MUST_CHANGE, ACTIVE = "disabled", "has to change the password", "active"
ADDED, CHANGED = "{name} is added.", "{name} is changed; their sessions have ended."
ONE_TIME = "One-time password of {name}"
ONCE = "It is shown this once, and has to be changed at the first login."
REVOKE, REVOKED, NO_KEYS = "Revoke", "The key {id} is revoked.", "no API keys"
KEY_LINE = "{label} ({id}), {state}"

MY_KEYS, NEW_KEY, MAKE_KEY = "My API keys", "New API key", "Make the key"
LABEL, DAYS, NARROWED = (
    "What it is for",
    "Days until it ends (empty: until revoked)",
    "Narrow it to these roles",
)
KEY, KEY_ONCE = "The new key", "It is shown this once; the server keeps only a hash of it."
DAYS_WRONG, DAYS_MEND = "the days are no number", "give for example 90, or leave it empty"
WORKS, UNTIL, OVER, ENDED = "works until revoked", "works until {day}", "over since {day}", "revoked"
NO_OWN_KEYS = "You have no API keys yet."

YAML, CHECK, PUT_IN_FORCE = "The policy in force (YAML)", "Check", "Put in force"
YAML_READ = "The policy in force (YAML, you may read and try it)"
SHIPPED = "This is the policy that ships. A change is written to policy.yaml in the configuration folder."
VERSION = "Version {version}."
LINE, RIGHT = "Line {line}: {problem}", "This policy is right. Nothing is changed yet."
SAME = "The text is the one in force."
SAVED = "In force: version {version}."
DIFF, EFFECT, WARNINGS = "What changes", "What becomes of the newest calls", "Permitted, but hardly meant"
UNCHANGED = "{calls} of {of} calls go where they went."
NO_CALLS = "The ledger holds no calls yet."
CALLS, STEP, CLASS, WHO, BEFORE, AFTER, WHY = "Calls", "Step", "Data", "Who", "Before", "After", "Why"
NOBODY = "refused"
EXPLAIN, REQUEST, ASK = "Try a request", "A chat request in OpenAI's form (JSON)", "Explain"
EXAMPLE = '{"messages": [{"role": "user", "content": "Write the plan for the pump."}]}'
USER, DATA_CLASS, STEP_KIND, BY_ITSELF = "User", "Data class", "Kind of step", "as the request says"
WITH_TEXT = "It is tried on the text above, saved or not. Nothing is sent to a model."
MODEL, VERDICT, REASON = "Model", "Verdict", "Reason"
NOT_THIS = "no model may and can"

BY, AND_BY, SPAN, SHOW, CSV = "By", "and by", "Time", "Show", "As CSV"
SPANS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
NO_SECOND = "nothing else"
SUCCESS, TOKENS_IN, TOKENS_OUT, COST, LATENCY = "Success", "Tokens in", "Out", "Cost", "ms p50 / p95 / p99"
NO_USAGE = "No calls in this time."
PER_DAY = "Calls and cost of each day"
DAY = "{day}: {calls} calls, {cost} {currency}"
UNPRICED = "no price"

NO_BUDGETS = "The policy has no budgets, so nothing is limited."
SCOPE, PERIOD, SPENT, HELD, LEFT, LIMIT = "Scope", "Period", "Spent", "Held back", "Left", "Limit"
SHARE = "{spent} of {limit} {currency}"

VERIFY, EXPORT, FILTER, OLDER = "Verify the chain", "Export (JSON lines)", "Show", "Older records"
WHOLE = "{records} records, {heads} signed heads: the chain is whole."
BROKEN = "{records} records, {heads} signed heads: the chain is NOT whole, {count} problems."
OPEN_CALLS = "{count} intents have no outcome: those processes were killed in between, or are at it."
KIND, RUN, NUMBER, TIME, ABOUT = "What happened", "Run", "No", "Time (UTC)", "About"
NO_RECORDS = "No record fits."

NONE_WAIT = "Nothing waits for you. What an agent or a person asks for appears here by itself."
ASKS = "{who} asks"
ENDS = "good until {time} UTC ({minutes} min)"
IN_RUN, NEEDS_ROLE = "run {run}", "for the role {role}"
DETAILS = "Details"
EXACT = "Exactly this action, once. Its hash: {hash}"
APPROVE, REFUSE, WHY_SO = "Approve", "Refuse", "Reason (goes on the record)"
APPROVED, REFUSED = "Approved: {summary}", "Refused: {summary}"
