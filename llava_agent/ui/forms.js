// Sends the forms of a server-rendered desk to its handler. `element`, `trigger` and `watch` are gradio's.
const send = (act, values) => trigger("submit", { act, values });
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = {};
  new FormData(event.target).forEach((value, name) => (values[name] = values[name] || []).push(String(value)));
  const by = event.submitter || event.target.querySelector("button");
  element.setAttribute("aria-busy", "true");
  send(by ? by.value : "", values);
});
watch("value", () => {
  element.removeAttribute("aria-busy");
  const area = element.querySelector("textarea[data-line]");
  if (area) {
    const lines = area.value.split("\n"), line = Number(area.dataset.line);
    const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(from, from + (lines[line - 1] || "").length);
    area.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(area).lineHeight));
  }
  const said = element.querySelector("[role=alert], [role=status]");
  if (said) said.scrollIntoView({ block: "nearest" });
});
// What others do arrives by itself, but never under the hands of somebody who writes.
setInterval(() => {
  const poll = element.querySelector("[data-poll]");
  const writing = [...element.querySelectorAll("input[type=text]")].some((one) => one.value);
  if (poll && element.offsetParent && !document.hidden && !writing && !element.contains(document.activeElement)) send("poll", {});
}, 4000);
send("open", {});
