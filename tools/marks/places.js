// Where things are on the screen, through open shadow roots and same-origin frames. Definitions only: a program is
// put together from several such files (see `dom.program`).

// `element.labels` searches the whole tree each time; one pass over the labels of a root serves all its controls.
const bound = new Map();
const labelsOf = (element) => {
  const root = element.getRootNode();
  if (!bound.has(root)) {
    const map = new Map();
    for (const label of root.querySelectorAll("label")) {
      if (label.control) map.set(label.control, [...(map.get(label.control) || []), label]);
    }
    bound.set(root, map);
  }
  return bound.get(root).get(element) || [];
};

// The part of the screen that a document shows in, and the offset of its own coordinates.
const frames = new Map();
const frameOf = (doc) => {
  if (frames.has(doc)) return frames.get(doc);
  const element = doc === document ? null : doc.defaultView && doc.defaultView.frameElement;
  let frame = { x: 0, y: 0, left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  if (element) {
    const outer = frameOf(element.ownerDocument);
    const rect = element.getBoundingClientRect();
    const x = outer.x + rect.left + element.clientLeft, y = outer.y + rect.top + element.clientTop;
    frame = {
      x, y, left: Math.max(outer.left, x), top: Math.max(outer.top, y),
      right: Math.min(outer.right, x + element.clientWidth), bottom: Math.min(outer.bottom, y + element.clientHeight),
    };
  }
  frames.set(doc, frame);
  return frame;
};

// The visible part of a rectangle as [left, top, right, bottom] on the screen; null where nothing is visible.
const placed = (rect, frame) => {
  const left = Math.max(rect.left + frame.x, frame.left), top = Math.max(rect.top + frame.y, frame.top);
  const right = Math.min(rect.right + frame.x, frame.right), bottom = Math.min(rect.bottom + frame.y, frame.bottom);
  return right - left >= 2 && bottom - top >= 2 ? [left, top, right, bottom] : null;
};

// The element that a click at that point of the screen would reach.
const hit = (x, y) => {
  let found = document.elementFromPoint(x, y);
  while (found) {
    const inner = found.shadowRoot && found.shadowRoot.elementFromPoint(x, y);
    if (inner && inner !== found && inner.getRootNode() === found.shadowRoot) { found = inner; continue; }
    let doc = null;
    try { doc = found.tagName === "IFRAME" ? found.contentDocument : null; } catch { doc = null; }
    if (!doc) return found;
    const rect = found.getBoundingClientRect();
    x -= rect.left + found.clientLeft; y -= rect.top + found.clientTop;
    const next = doc.elementFromPoint(x, y);
    if (!next) return found;
    found = next;
  }
  return null;
};
const up = (node) => node.assignedSlot || node.parentNode || node.host || null;
const within = (node, outer) => { for (let at = node; at; at = up(at)) if (at === outer) return true; return false; };

// A point of the box where a click reaches the element; null where something lies over all of five points.
// `loose`: an element around it counts too, as for text, which hears no clicks of its own.
const reach = (element, box, loose) => {
  const [l, t, r, b] = box;
  for (const [u, v] of [[0.5, 0.5], [0.15, 0.5], [0.85, 0.5], [0.5, 0.15], [0.5, 0.85]]) {
    const x = l + (r - l) * u, y = t + (b - t) * v;
    const found = hit(x, y);
    if (!found) continue;
    const label = found.closest && found.closest("label");
    if (within(found, element) || (loose && within(element, found)) || (label && label.control === element)) return [x, y];
  }
  return null;
};
const uncovered = (element, box, loose) => reach(element, box, loose) !== null;

// Where a person sees a control: a styled checkbox hides the real input and shows its label, or lies transparent
// over a drawing.
const face = (element, frame) => {
  const own = element.getBoundingClientRect();
  if (own.width > 3 && own.height > 3 && !placed(own, frame)) return null;
  for (const part of [element, ...labelsOf(element)]) {
    const rect = part === element ? own : part.getBoundingClientRect();
    if (rect.width <= 3 || rect.height <= 3 || !part.checkVisibility({ visibilityProperty: true })) continue;
    const box = placed(rect, frame);
    if (box && uncovered(part, box, false)) return box;
  }
  return null;
};

const disabled = (element) => (element.matches(":disabled") || !!element.closest("[aria-disabled=true],[inert]"));
