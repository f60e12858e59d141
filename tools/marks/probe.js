// Is a target that was seen earlier still there, free to be clicked, and where?
//
// The body of a function of [element or Range, expected role, expected name], after places.js and names.js.
// Scrolls it into view. Returns {state, x, y, ...}: `state` is ok, stale, disabled, off_screen or covered; `x`, `y`
// a point in CSS pixels of the window that reaches it; `kind` what can be done to it.
const [target, role, name] = argument;
const range = target.commonAncestorContainer ? target : null;
const shared = range ? range.commonAncestorContainer : target;
const element = shared.nodeType === 1 ? shared : shared.parentElement;

const editable = (element) => {
  if (element.isContentEditable) return "rich";
  if (element.tagName === "TEXTAREA") return "text";
  if (element.tagName !== "INPUT") return "";
  if (["text", "search", "email", "url", "tel", "password", "number"].includes(element.type)) return "text";
  return ["date", "time", "datetime-local", "month", "week", "color", "range"].includes(element.type) ? "filled" : "";
};

if (!element || !element.isConnected || !element.ownerDocument.defaultView) return { state: "stale" };
const about = {
  tag: element.tagName, type: element.type || "", editable: range ? "" : editable(element),
  readonly: element.readOnly === true, native: element.tagName === "OPTION" ? "option"
    : element.tagName === "SELECT" ? "select" : element.tagName === "INPUT" && element.type === "file" ? "file" : "",
};
if (role && !range && element.tagName !== "SELECT") {
  const now = roleOf(element) || role;
  if (now !== role || nameOf(element, role) !== name) return { state: "stale", ...about };
}
if (disabled(element)) return { state: "disabled", ...about };
if (about.native === "option") return { state: "ok", ...about };

const box = () => {
  frames.clear(); // scrolling moves the frames
  const frame = frameOf(element.ownerDocument);
  for (const part of range ? [range] : [element, ...labelsOf(element)]) {
    const rect = part.getBoundingClientRect();
    const found = rect.width > 3 && rect.height > 3 ? placed(rect, frame) : null;
    if (found) return [part, found];
  }
  return null;
};
const whole = () => {
  const rect = target.getBoundingClientRect();
  const frame = frameOf(element.ownerDocument);
  return rect.top + frame.y >= frame.top && rect.bottom + frame.y <= frame.bottom;
};
const free = (found) => found && reach(found[0] === range ? element : found[0], found[1], range !== null);

let found = box();
let point = free(found);
if (!point || !whole()) {
  element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
  found = box();
  point = free(found);
}
if (!found) return { state: "off_screen", ...about };
if (!point) {
  const [l, t, r, b] = found[1];
  const over = hit((l + r) / 2, (t + b) / 2);
  return { state: "covered", by: over ? clean(over.innerText || over.tagName.toLowerCase(), 60) : "", ...about };
}
return { state: "ok", x: point[0], y: point[1], ...about };
