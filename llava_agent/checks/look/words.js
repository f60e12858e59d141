// Every word of the page with its place and with what the page's structure says against its being seen.
//
// The body of a function of `options`, after places.js and names.js, with `found`, what collect.js gave. Returns
// {marks, words, images, opaque, top, truncated}; places are in CSS pixels of the window. A word is
//   {text, run, glued, box, why, over, kind, colour, odd, pinned, owned,
//    shown}
// `run` numbers the stretches of text that no block boundary cuts; `glued`: no blank before it; `why`: "" or the
// reason why nobody sees it (cut, scroll, off, fold, hidden, faded, tiny); `over`: what a click there would reach
// instead; `odd`: a filter or turn that pixels alone cannot judge; `pinned`: it stays where it is when the page scrolls;
// `owned`: it belongs to a control; `shown`: what its boxes leave of its place.

const OWNERS = "button,a,label,input,select,textarea,summary,option,[onclick],[tabindex]," +
  ["button", "link", "tab", "menuitem", "option", "checkbox", "switch", "radio", "treeitem", "gridcell"]
    .map((role) => `[role=${role}]`).join(",");
const MOST_WORDS = 8000, MOST_HITS = 2500;
const words = [], images = [], opaque = [];
let runs = 0, fresh = true, looked = 0, cutShort = false;

const styles = new Map();
const styleOf = (element) => {
  if (!styles.has(element)) styles.set(element, getComputedStyle(element));
  return styles.get(element);
};
const parentOf = (element) => element.assignedSlot || element.parentElement ||
  (element.getRootNode() instanceof ShadowRoot ? element.getRootNode().host : null);

// ---- what cuts ------------------------------------------------------------------------------------------------

const narrowed = (clip, left, top, right, bottom, kindX, kindY) => ({
  left: Math.max(clip.left, left), top: Math.max(clip.top, top),
  right: Math.min(clip.right, right), bottom: Math.min(clip.bottom, bottom),
  x: left > clip.left || right < clip.right ? kindX : clip.x,
  y: top > clip.top || bottom < clip.bottom ? kindY : clip.y,
});
const whole = new Map(); // document -> the part of the screen that it shows in
const windowOf = (doc) => {
  if (whole.has(doc)) return whole.get(doc);
  const element = doc === document ? null : doc.defaultView && doc.defaultView.frameElement;
  let clip = { left: 0, top: 0, right: innerWidth, bottom: innerHeight, x: "off", y: "fold" };
  if (element) {
    const frame = frameOf(doc);
    clip = narrowed(inside(element), frame.left, frame.top, frame.right, frame.bottom, "scroll", "scroll");
  }
  whole.set(doc, clip);
  return clip;
};
const clips = new Map();
// What is seen of the content of an element: its own overflow within what is seen of the element.
const inside = (element) => {
  if (clips.has(element)) return clips.get(element);
  const doc = element.ownerDocument, style = styleOf(element), frame = frameOf(doc);
  let clip = around(element, style);
  const root = element === doc.documentElement || element === doc.body;
  const hides = (value) => value !== "visible";
  if (!root && (hides(style.overflowX) || hides(style.overflowY)) && style.display !== "inline" && style.display !== "contents") {
    const rect = element.getBoundingClientRect();
    const left = rect.left + element.clientLeft + frame.x, top = rect.top + element.clientTop + frame.y;
    const shortened = style.textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth + 1;
    const tail = shortened ? parseFloat(style.fontSize) * 0.9 : 0; // where the three dots stand
    const kind = (value) => /auto|scroll/.test(value) ? "scroll" : "cut";
    const tiny = element.clientWidth <= 2 || element.clientHeight <= 2; // text for screen readers alone
    clip = narrowed(clip, hides(style.overflowX) ? left : -1e9, hides(style.overflowY) ? top : -1e9,
      hides(style.overflowX) ? left + element.clientWidth - tail : 1e9,
      hides(style.overflowY) ? top + element.clientHeight : 1e9,
      tiny ? "hidden" : kind(style.overflowX), tiny ? "hidden" : kind(style.overflowY));
  }
  clips.set(element, clip);
  return clip;
};
// What is seen of the place where an element stands: a box that is positioned escapes the boxes that do not hold it.
const around = (element, style) => {
  const doc = element.ownerDocument;
  let holder = parentOf(element);
  if (style.position === "fixed") {
    while (holder && styleOf(holder).transform === "none" && styleOf(holder).filter === "none") holder = parentOf(holder);
  } else if (style.position === "absolute") {
    while (holder && styleOf(holder).position === "static" && styleOf(holder).transform === "none") holder = parentOf(holder);
  }
  return holder ? inside(holder) : windowOf(doc);
};

// ---- what fades, turns, stays ---------------------------------------------------------------------------------

const traits = new Map();
const traitsOf = (element) => {
  if (!element) return { opacity: 1, odd: false, pinned: false };
  if (traits.has(element)) return traits.get(element);
  const style = styleOf(element);
  const outer = traitsOf(parentOf(element) || (element.ownerDocument !== document && element.ownerDocument.defaultView
    ? element.ownerDocument.defaultView.frameElement : null));
  const turned = style.transform !== "none" && !/^matrix\((\d*\.?\d+), 0, 0, (\d*\.?\d+), /.test(style.transform);
  const found = {
    opacity: outer.opacity * +style.opacity,
    odd: outer.odd || turned || /blur/.test(style.filter) || /text/.test(style.webkitBackgroundClip || ""),
    pinned: outer.pinned || style.position === "fixed" || style.position === "sticky",
  };
  traits.set(element, found);
  return found;
};

// ---- words ----------------------------------------------------------------------------------------------------

const main = document.scrollingElement || document.documentElement;
const why = (rect, element, clip) => {
  const width = rect.right - rect.left, height = rect.bottom - rect.top;
  const { opacity, pinned } = traitsOf(element);
  if (styleOf(element).visibility !== "visible") return "hidden";
  if (opacity < 0.1) return "faded";
  const beyond = rect.right + main.scrollLeft <= 0 || (!pinned && rect.bottom + main.scrollTop <= 0);
  if (beyond) return "off";
  const y = Math.max(clip.top - rect.top, rect.bottom - clip.bottom), x = Math.max(clip.left - rect.left, rect.right - clip.right);
  if (y > 0.3 * height) return clip.y === "fold" && pinned ? "off" : clip.y;
  if (x > Math.max(1.5, 0.04 * width)) return clip.x;
  return height < 5 ? "tiny" : "";
};
const lies = (rect, element) => {
  if (++looked > MOST_HITS) return "";
  const at = hit((rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2);
  if (!at || within(at, element) || within(element, at)) return "";
  const label = at.closest && at.closest("label");
  if (label && label.control === element) return "";
  return clean(at.innerText || at.getAttribute("aria-label") || at.tagName.toLowerCase(), 40);
};
const shown = (text, style) => style.textTransform === "uppercase" ? text.toUpperCase()
  : style.textTransform === "lowercase" ? text.toLowerCase() : text;

const shared = (rect, clip) => [Math.max(rect.left, clip.left), Math.max(rect.top, clip.top),
  Math.min(rect.right, clip.right), Math.min(rect.bottom, clip.bottom)];
const put = (text, rect, element, kind, glued, given = null) => {
  if (words.length >= MOST_WORDS) { cutShort = true; return; }
  const style = styleOf(element), frame = frameOf(element.ownerDocument), trait = traitsOf(element);
  const place = { left: rect.left + frame.x, top: rect.top + frame.y, right: rect.right + frame.x, bottom: rect.bottom + frame.y };
  if (place.right - place.left < 0.5 || place.bottom - place.top < 0.5) return;
  if (fresh) { runs++; fresh = false; glued = false; }
  const reason = given || why(place, element, inside(element));
  // What a scroll of the page brings into the window belongs to another part of it.
  if (reason === "fold" && (place.bottom < -60 || place.top > innerHeight + 60)) return;
  words.push({
    text: shown(text, style), run: runs, glued, box: [place.left, place.top, place.right, place.bottom], why: reason,
    over: reason ? "" : lies(place, element), kind, colour: style.color, odd: trait.odd, pinned: trait.pinned,
    owned: !!element.closest(OWNERS), shown: shared(place, inside(element)),
  });
};

let ended = true; // the last text ended with a blank
const read = (node, element) => {
  const range = element.ownerDocument.createRange();
  for (const match of node.data.matchAll(/\S+/g)) {
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    const rects = [...range.getClientRects()].filter((rect) => rect.width > 0.5);
    if (!rects.length) continue;
    const glued = match.index === 0 && !ended && !fresh;
    const [first] = rects;
    const box = rects.reduce((sum, rect) => ({
      left: Math.min(sum.left, rect.left), top: Math.min(sum.top, rect.top),
      right: Math.max(sum.right, rect.right), bottom: Math.max(sum.bottom, rect.bottom),
    }), first);
    put(match[0], box, element, "text", glued);
  }
  ended = /\s$/.test(node.data) || !node.data;
};

const inner = (element, style) => {
  const rect = element.getBoundingClientRect();
  const side = (name) => parseFloat(style[name]) || 0;
  return {
    left: rect.left + side("borderLeftWidth") + side("paddingLeft"), top: rect.top + side("borderTopWidth") + side("paddingTop"),
    right: rect.right - side("borderRightWidth") - side("paddingRight"), bottom: rect.bottom - side("borderBottomWidth") - side("paddingBottom"),
  };
};
// What stands in a field: it has no text nodes that a page can reach.
const field = (element) => {
  const style = styleOf(element), type = element.type || "";
  let text = "", kind = "value";
  if (element.tagName === "SELECT") {
    const open = element.size > 1 || element.multiple;
    text = open ? "" : [...element.selectedOptions].map((one) => one.label || one.text).join(", ");
    if (open) for (const one of element.options) { fresh = true; put(clean(one.text), one.getBoundingClientRect(), one, "value", false); }
  } else if (/^(checkbox|radio|range|color|file|image|hidden|password)$/.test(type)) text = "";
  else if (/^(submit|reset|button)$/.test(type)) { text = element.value || (type === "button" ? "" : type[0].toUpperCase() + type.slice(1)); kind = "text"; }
  else if (element.value) text = element.value;
  else { text = element.placeholder || ""; kind = "placeholder"; }
  if (!/\S/.test(text)) return;
  fresh = true;
  const wide = element.tagName !== "SELECT" && (element.scrollWidth > element.clientWidth + 1 ||
    (element.tagName === "TEXTAREA" && element.scrollHeight > element.clientHeight + 4));
  put(text.replace(/\s+/g, " ").trim().slice(0, 2000), inner(element, style), element, kind, false, wide ? "cut" : null);
  fresh = true;
};

const fileOf = (source) => { try { return decodeURIComponent(source.split(/[?#]/)[0].split("/").pop()); } catch { return source; } };
const picture = (element) => {
  const rect = element.getBoundingClientRect(), frame = frameOf(element.ownerDocument), clip = inside(element);
  const place = { left: rect.left + frame.x, top: rect.top + frame.y, right: rect.right + frame.x, bottom: rect.bottom + frame.y };
  const tag = element.tagName;
  if (place.bottom < 0 || place.top > innerHeight) return;
  const box = [place.left, place.top, place.right, place.bottom];
  if (tag === "IMG" || (tag === "INPUT" && element.type === "image")) {
    const source = element.currentSrc || element.src || "";
    images.push({
      name: clean(element.alt || element.title || element.getAttribute("aria-label") || ""), file: fileOf(source).slice(0, 120), box,
      loaded: element.complete !== false && (element.naturalWidth > 0 || tag === "INPUT"), why: rect.width < 2 || rect.height < 2
        ? "tiny" : why(place, element, clip), over: lies(place, element),
    });
  }
  if (rect.width >= 24 && rect.height >= 10) opaque.push(box);
};

const go = (element) => {
  if (SKIP.has(element.tagName) || words.length >= MOST_WORDS) return;
  const style = styleOf(element), tag = element.tagName;
  if (style.display === "none" || style.contentVisibility === "hidden") return;
  if (tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT") { field(element); if (element.type === "image") picture(element); return; }
  if (tag === "IMG" || tag === "CANVAS" || tag === "VIDEO") { picture(element); if (tag !== "CANVAS") return; }
  if (tag === "IFRAME" || tag === "FRAME") {
    let doc = null;
    try { doc = element.contentDocument; } catch { doc = null; }
    fresh = true;
    if (doc && doc.body) go(doc.body); else picture(element);
    fresh = true;
    return;
  }
  if (tag === "DETAILS" && !element.open) {
    const summary = element.querySelector(":scope > summary");
    fresh = true;
    if (summary) go(summary);
    fresh = true;
    return;
  }
  if (/url\(/.test(style.backgroundImage)) picture(element);
  const block = !/^(inline|contents|ruby)$/.test(style.display) || tag === "BR" || tag === "text";
  if (block) fresh = true;
  const slotted = tag === "SLOT" ? element.assignedNodes() : [];
  for (const node of element.shadowRoot ? element.shadowRoot.childNodes : slotted.length ? slotted : element.childNodes) {
    if (node.nodeType === 3) read(node, element);
    else if (node.nodeType === 1) go(node);
  }
  if (block) fresh = true;
};
if (document.body) go(document.body);

return { marks: found.marks, truncated: found.truncated || cutShort, words, images, opaque: opaque.slice(0, 60), top: main.scrollTop };
