// Collects the visible controls and texts of a page, through open shadow roots and same-origin frames.
//
// The body of a function of `options`, after places.js and names.js:
//   limit       most marks returned (controls first, then options, then texts)
//   nodes       most elements walked, so that a huge page costs a bounded time
//   options     most options of a list that are listed one by one
//   everywhere  true: also what is scrolled out of view (for reading values, without boxes to trust)
// Returns {marks, elements, truncated}: `elements[mark.at]` is the live element (a Range for a run of text); the
// caller keeps it by handle, so that nothing is left in the page for its scripts to find.

const CONTROLS = new Set(["button", "link", "checkbox", "radio", "switch", "textbox", "searchbox", "spinbutton",
  "slider", "combobox", "listbox", "option", "menuitem", "menuitemcheckbox", "menuitemradio", "tab", "treeitem",
  "gridcell", "file"]);
const SHAPES = new Set(["rect", "circle", "ellipse", "polygon", "polyline", "path", "line", "text"]);
const GROUPS = "form,fieldset,dialog,nav,table,tr,li,section,article,[role=dialog],[role=group],[role=row]," +
  "[role=listitem],[role=tabpanel],[role=radiogroup]";

const elements = [];
const marks = [];
let walked = 0;
let styled = 0; // computed styles read
let depth = 0;
let truncated = false;

// ---- roles, states, values -----------------------------------------------------------------------------------

// A generic element that reacts to clicks. Listeners cannot be seen from the page; the pointer cursor, `onclick`
// and a tab stop can.
const split = new WeakSet(); // parts of a clickable element that are taken in its place
const clickable = (element) => {
  if (split.has(element)) return /\S/.test(element.textContent) || pictured(element);
  if (element.tagName === "BODY" || element.tagName === "HTML") return false;
  if (element.tagName === "LABEL" && element.control) return false;
  if (content(element, 161).length > 160) return false; // a region with text of its own, not a button
  if ([...element.querySelectorAll("li,[role=option],[role=menuitem]")].some(seen)) return false; // its entries are
  if (element.tagName === "A" && (element.title || content(element, 24))) return true; // a link without an address
  if (element.onclick || element.hasAttribute("onclick")) return true;
  const stop = element.getAttribute("tabindex");
  if (stop !== null && +stop >= 0) return !element.querySelector("input,button,a,select,textarea");
  if (++styled > 4000) return false;
  if (getComputedStyle(element).cursor !== "pointer") return false;
  const parent = element.parentElement;
  return !parent || getComputedStyle(parent).cursor !== "pointer" || pictured(element);
};

// A clickable element whose parts stand side by side or below each other as equals (the entries of a menu, the actions of
// a bar) is not one thing to click: its parts are. They are equals where they are of one kind and hold all the text.
const equals = (element) => {
  const parts = [...element.children];
  if (parts.length < 2 || element.onclick || element.hasAttribute("onclick") || element.hasAttribute("tabindex")) return null;
  if (parts.some((part) => part.tagName !== parts[0].tagName || SKIP.has(part.tagName))) return null;
  return [...element.childNodes].some((node) => node.nodeType === 3 && /\S/.test(node.data)) ? null : parts;
};

const statesOf = (element, role) => {
  const on = (name) => element.getAttribute(name) === "true";
  const states = [];
  if (element.indeterminate || element.getAttribute("aria-checked") === "mixed") states.push("mixed");
  else if (element.checked === true || on("aria-checked")) states.push("checked");
  if (on("aria-pressed")) states.push("pressed");
  if (disabled(element)) states.push("disabled");
  if (element.readOnly === true || on("aria-readonly")) states.push("readonly");
  if ((role === "option" && element.selected) || on("aria-selected")) states.push("selected");
  if (on("aria-expanded") || (element.tagName === "SUMMARY" && element.parentElement.open)) states.push("expanded");
  if (focused(element)) states.push("focused");
  if (element.required === true || on("aria-required")) states.push("required");
  if (on("aria-invalid")) states.push("invalid");
  return states;
};

const focused = (element) => element.getRootNode().activeElement === element && element !== document.body;

const valueOf = (element, role) => {
  const tag = element.tagName;
  if (tag === "SELECT") return clean([...element.selectedOptions].map((one) => one.label || one.text).join(", "));
  if (tag === "INPUT" || tag === "TEXTAREA") {
    if (role === "button" || role === "checkbox" || role === "radio" || role === "switch") return null;
    if (element.type === "password") return "•".repeat(element.value.length);
    if (element.type === "file") return [...element.files].map((file) => file.name).join(", ");
    return clean(element.value);
  }
  if (tag === "PROGRESS" || tag === "METER") return String(element.value);
  if (element.isContentEditable || role === "textbox" || role === "searchbox") return content(element);
  const now = element.getAttribute("aria-valuetext") || element.getAttribute("aria-valuenow");
  return now === null ? null : clean(now);
};

// ---- stable names --------------------------------------------------------------------------------------------

const groups = new Map();
const groupName = (element) => {
  if (!groups.has(element)) {
    const kind = element.getAttribute("role") || element.tagName.toLowerCase();
    const head = element.querySelector(":scope > legend, :scope > h1, :scope > h2, :scope > h3, :scope > caption");
    const first = kind === "tr" || kind === "li" || kind === "row" ? content(element, 24) : "";
    groups.set(element, `${kind}:${clean(element.getAttribute("aria-label") || (head && head.textContent) || first, 32)}`);
  }
  return groups.get(element);
};
const counts = new Map();
const refOf = (element, role, name, path) => {
  const around = [];
  const at = element.parentElement;
  for (let near = at && at.closest(GROUPS); near && around.length < 3; near = near.parentElement && near.parentElement.closest(GROUPS)) {
    around.unshift(groupName(near));
  }
  const key = [...path, ...around, `${role}:${clean(name, 48)}`].join("/");
  const count = (counts.get(key) || 0) + 1;
  counts.set(key, count);
  return count === 1 ? key : `${key}#${count}`;
};

const submits = (element) => {
  const button = element.closest("button,input");
  return !!button && !!button.form && (button.type === "submit" || button.type === "image");
};

const sources = new Map(); // text mark -> the nodes that it came from
const put = (target, role, name, box, kind, path, extra = {}) => {
  const element = target.commonAncestorContainer || target;
  const ref = refOf(element, role, name, path);
  if (!box && !options.everywhere && kind !== "option") return null;
  const mark = {
    at: elements.push(target) - 1, ref, role, name, box, kind,
    value: extra.value === undefined ? valueOf(element, role) : extra.value,
    states: kind === "text" ? [] : statesOf(element, role), submits: kind === "control" && submits(element),
    options: extra.options || null,
  };
  marks.push(mark);
  return mark;
};

// ---- the walk ------------------------------------------------------------------------------------------------

const listed = (select, box, path, frame) => {
  const all = [...select.options];
  const mark = put(select, roleOf(select), nameOf(select, "combobox"), box, "control", path,
    { options: all.slice(0, 200).map((one) => clean(one.label || one.text, 80)) });
  if (!mark || all.length > options.options || disabled(select)) return;
  for (const one of all) {
    // The options of a closed list have no pixels.
    const open = box && (select.size > 1 || select.multiple);
    put(one, "option", clean(one.label || one.text), open ? placed(one.getBoundingClientRect(), frame) : null,
      "option", [...path, mark.ref], { value: null });
  }
};
// Runs of text among sibling nodes, by their first node: text and inline children, cut at blocks and controls.
const runsOf = (nodes) => {
  const runs = new Map();
  let run = [];
  const close = () => {
    const filled = run.filter((node) => node.nodeType === 1 || /\S/.test(node.data));
    // A run of children alone is left to the children: the links of a menu are not one text.
    if (filled.some((node) => node.nodeType === 3)) runs.set(filled[0], filled);
    run = [];
  };
  for (const node of nodes) {
    const inline = node.nodeType === 1 && INLINE.has(node.tagName) && node.tagName !== "BR";
    if (node.nodeType === 3 || (inline && !node.querySelector("input,select,textarea,button"))) run.push(node);
    else if (node.nodeType === 1) close();
  }
  close();
  return runs;
};
const spanning = (nodes) => {
  const range = nodes[0].ownerDocument.createRange();
  range.setStartBefore(nodes[0]);
  range.setEndAfter(nodes[nodes.length - 1]);
  return range;
};
const textOf = (nodes) => clean(nodes.map((node) => node.nodeType === 3 ? node.data : content(node)).join(" "));
const say = (target, element, role, text, frame, path, from = null) => {
  let rect = target.getBoundingClientRect();
  if (target !== element && rect.width && getComputedStyle(element).overflowX !== "visible") {
    const own = element.getBoundingClientRect(); // a text that is cut off ends with its element
    rect = new DOMRect(rect.left, rect.top, Math.min(rect.right, own.right) - rect.left, rect.height);
  }
  const box = rect.width && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    ? placed(rect, frame) : null;
  if (!box || !uncovered(element, box, true)) {
    refOf(element, role, text, path); // counted all the same, so that the others keep their names while it scrolls
    return;
  }
  const value = role === "progressbar" || role === "meter" ? undefined : null;
  const mark = put(target, role, text, box, "text", path, { value });
  if (mark) sources.set(mark, from || [element]);
};

const alertRole = (element) => {
  const near = element.closest("[role=alert],[role=status]");
  return near ? near.getAttribute("role") : "text";
};

const visit = (element, path, inside, spoken) => {
  if (++walked > options.nodes || depth > 400) { truncated = true; return; }
  const tag = element.tagName;
  if (SKIP.has(tag)) return;
  const frame = frameOf(element.ownerDocument);
  if (tag === "IFRAME" || tag === "FRAME") {
    enter(element, path);
    return;
  }
  if (tag === "svg" || tag === "SVG") { drawing(element, path, frame, inside); return; }
  let role = roleOf(element);
  let control = CONTROLS.has(role);
  if (!role && !inside && element.childElementCount < 30) {
    const rect = element.getBoundingClientRect();
    if (rect.width && placed(rect, frame) && clickable(element)) {
      const parts = equals(element);
      if (parts) parts.forEach((part) => split.add(part));
      else { role = pictured(element) ? "img" : "button"; control = true; }
    }
  }
  if (role === "gridcell" && element.querySelector("a,button,input")) control = false;
  if (control) {
    const box = face(element, frame);
    if (tag === "SELECT") { listed(element, box, path, frame); return; }
    put(element, role, nameOf(element, role), box, "control", path);
    if (tag === "INPUT" || tag === "TEXTAREA") return;
    inside = true;
  } else if (!inside) {
    if (tag === "IMG" && element.getAttribute("alt") === "") return; // decoration, says its author
    if (!role && !element.childElementCount && drawn(element)) role = "img";
    const leaf = role === "img" || role === "progressbar" || role === "meter" || role === "video" || role === "audio";
    if (leaf) {
      say(element, element, role, nameOf(element, role), frame, path);
      return;
    }
    if (role === "heading" && !spoken) {
      const text = content(element);
      if (text) say(spanning(element.childNodes), element, role, text, frame, path);
      spoken = true;
    }
  }
  depth++;
  children(element, path, inside, spoken);
  depth--;
};

// An empty element that is seen all the same: an icon, or a patch of colour of the size of a thing.
const drawn = (element) => {
  if (/\S/.test(element.textContent) || ++styled > 4000) return false;
  const rect = element.getBoundingClientRect();
  if (rect.width < 8 || rect.height < 8 || rect.width > 160 || rect.height > 160) return false;
  return pictured(element) || (Math.max(rect.width, rect.height) < 4 * Math.min(rect.width, rect.height) && !!patchName(element));
};

const children = (element, path, inside, spoken) => {
  const slotted = element.tagName === "SLOT" ? element.assignedNodes() : [];
  const nodes = element.shadowRoot ? element.shadowRoot.childNodes : slotted.length ? slotted : element.childNodes;
  const runs = inside || spoken ? new Map() : runsOf(nodes);
  const taken = new Set();
  for (const node of nodes) {
    const run = runs.get(node);
    if (run) {
      say(spanning(run), element, alertRole(element), textOf(run), frameOf(element.ownerDocument), path, run);
      run.forEach((one) => taken.add(one));
    }
    if (node.nodeType === 1) visit(node, path, inside, spoken || taken.has(node));
  }
};

const enter = (element, path) => {
  let doc = null;
  try { doc = element.contentDocument; } catch { doc = null; }
  if (!doc || !doc.body || !element.checkVisibility()) return;
  visit(doc.body, [...path, `frame:${clean(element.title || element.name || element.id, 32)}`], false, false);
};

// A small drawing is an icon; in a large one each shape can be a target of its own (charts, maps, diagrams).
const drawing = (element, path, frame, inside) => {
  if (inside) return;
  const rect = element.getBoundingClientRect();
  const shapes = rect.width >= 64 && rect.height >= 64
    ? [...element.querySelectorAll("*")].filter((one) => SHAPES.has(one.tagName) && !one.closest("defs,symbol,clipPath,marker")).slice(0, 60) : [];
  walked += shapes.length;
  for (const one of shapes.length ? shapes : [element]) {
    const box = one.checkVisibility({ visibilityProperty: true }) ? placed(one.getBoundingClientRect(), frame) : null;
    if (!box || !uncovered(one, box, one === element)) continue;
    const name = nameOf(one, "img");
    put(one, one.tagName === "text" ? "text" : one.getAttribute("role") || "img", name, box, "text", path, { value: null });
  }
};

if (document.body) visit(document.body, [], false, false);

// The label of a marked control is said by the control.
const named = (node) => [node, node.parentNode, node.parentNode && node.parentNode.parentNode].some((at) => naming.has(at));
const kept = marks.filter((mark) => !sources.has(mark) || !sources.get(mark).every(named));
const rank = { control: 0, option: 1, text: 2 };
const chosen = new Set([...kept].sort((a, b) => rank[a.kind] - rank[b.kind]).slice(0, options.limit));
return {
  marks: kept.filter((mark) => chosen.has(mark)),
  elements, truncated: truncated || kept.length > options.limit,
};
