// Role and accessible name of an element. Definitions only (see `dom.program`).

const TYPES = {
  button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox",
  radio: "radio", range: "slider", number: "spinbutton", search: "searchbox", file: "file",
};
const TAGS = {
  BUTTON: "button", TEXTAREA: "textbox", SUMMARY: "button", OPTION: "option", PROGRESS: "progressbar",
  METER: "meter", IMG: "img", CANVAS: "img", VIDEO: "video", AUDIO: "audio",
};
// Roles given by the author that add nothing to the text they hold.
const PLAIN = new Set(["presentation", "none", "generic", "text", "group", "region", "main", "article", "form",
  "navigation", "list", "listitem", "table", "row", "rowgroup", "cell", "grid", "application", "document",
  "banner", "contentinfo", "complementary", "search", "tablist", "tabpanel", "menu", "menubar", "toolbar",
  "radiogroup", "tree", "dialog", "alertdialog", "figure", "paragraph", "log", "feed", "separator"]);
const INLINE = new Set(["A", "ABBR", "B", "BDI", "BDO", "BR", "CITE", "CODE", "DATA", "DEL", "DFN", "EM", "FONT",
  "I", "INS", "KBD", "LABEL", "MARK", "Q", "S", "SAMP", "SMALL", "SPAN", "STRONG", "SUB", "SUP", "TIME", "TT", "U",
  "VAR", "WBR"]);
const SKIP = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "META", "LINK", "TITLE", "BASE"]);

// Characters of a name or text at most; the scripts that probe one element pass no such option.
const LONG = (typeof options !== "undefined" && options.text) || 160;
const clean = (text, most = LONG) => {
  const line = (text || "").replace(/\s+/g, " ").trim();
  return line.length > most ? line.slice(0, most - 1) + "…" : line;
};
const naming = new Set(); // elements and text nodes that became the name of a control
let searched = 0; // controls whose surroundings were searched for a name

const seen = (element) => element.checkVisibility({ visibilityProperty: true });

// Text of a subtree as a reader would hear it: without hidden parts, with the alternative text of images. What
// is hidden as a whole may still be named by another element (`aria-labelledby`), and is then read in full.
const content = (element, most = LONG, skip = null) => {
  let text = "";
  const shown = seen(element);
  const add = (node) => {
    if (text.length > most) return;
    if (node.nodeType === 3) { text += node.data; return; }
    if (node.nodeType !== 1 || node === skip || SKIP.has(node.tagName)) return;
    if (node.tagName === "IMG") { text += ` ${node.alt} `; return; }
    if (node.tagName === "SELECT" || node.tagName === "TEXTAREA") return;
    if (node !== element) {
      if (node.getAttribute("aria-hidden") === "true" || node.hidden) return;
      if (shown && node.checkVisibility && !seen(node)) return;
    }
    const label = node !== element && node.getAttribute("aria-label");
    if (label) { text += ` ${label} `; return; }
    const inline = INLINE.has(node.tagName);
    if (!inline) text += " ";
    for (const child of (node.shadowRoot || node).childNodes) add(child);
    if (!inline) text += " ";
  };
  add(element);
  return clean(text, most);
};

const labels = (element) => {
  const found = labelsOf(element);
  found.forEach((label) => naming.add(label));
  return clean(found.map((label) => content(label, LONG, element)).join(" "));
};

// Many pages put plain text beside a field and never bind it; a sighted reader takes it for the label.
const beside = (element, forward) => {
  if (++searched > 500) return "";
  let node = element;
  for (let level = 0; level < 3 && node && node !== document.body; level++) {
    let sibling = forward ? node.nextSibling : node.previousSibling;
    for (; sibling; sibling = forward ? sibling.nextSibling : sibling.previousSibling) {
      if (sibling.nodeType === 1) {
        if (sibling.matches("input:not([type=hidden]),select,textarea,button") ||
            sibling.querySelector("input:not([type=hidden]),select,textarea,button")) return "";
        if (SKIP.has(sibling.tagName)) continue;
      }
      const text = sibling.nodeType === 3 ? clean(sibling.data)
        : sibling.nodeType === 1 && seen(sibling) ? content(sibling) : "";
      if (text) {
        if (text.length > 80 || naming.has(sibling)) return ""; // a paragraph, or another control's label
        naming.add(sibling);
        return text.replace(/\s*[:：*]+$/, "");
      }
    }
    node = node.parentNode;
    if (!node || node.nodeType !== 1) return "";
    if (node.querySelectorAll("input:not([type=hidden]),select,textarea").length > 1) return "";
  }
  return "";
};

// What has no words at all is named by what its author calls it in the style (`fa fa-trash`), or by its looks.
const NOISE = new Set("icon icons fas far fab glyphicon material mdi btn button img image svg small large medium hide hidden show " .concat(
  "active left right item box row col container wrapper inner outer main area link default primary secondary text clickable")
  .split(" "));
const pictured = (element) => {
  if (element.childElementCount || /\S/.test(element.textContent)) return false;
  const own = getComputedStyle(element);
  if (own.content.startsWith("url(") || own.backgroundImage.startsWith("url(")) return true;
  return /^"[\ue000-\uf8ff]"$/.test(getComputedStyle(element, "::before").content); // a letter of an icon font
};
const styleWords = (element) => {
  const words = (text) => [...new Set((text || "").split(/[\s_-]+/))].filter((word) => /^[a-z]{3,14}$/.test(word) && !NOISE.has(word));
  const named = words(element.getAttribute("class"));
  return (named.length ? named : words(element.id)).slice(0, 3).join(" ");
};
const iconName = (element) => {
  let leaf = element;
  while (leaf.childElementCount === 1 && !/\S/.test(leaf.textContent)) leaf = leaf.firstElementChild;
  if (leaf.childElementCount || /\S/.test(leaf.textContent) || leaf.tagName === "CANVAS") return "";
  if (leaf.tagName !== "I" && !pictured(leaf)) return "";
  return styleWords(leaf) || (leaf === element ? "" : styleWords(element));
};
const HUES = [[15, "red"], [42, "orange"], [68, "yellow"], [165, "green"], [195, "cyan"], [255, "blue"], [290, "purple"],
  [345, "magenta"], [361, "red"]];
const colourWord = (css) => {
  const parts = (css || "").match(/[\d.]+/g);
  if (!parts || !/^rgb/.test(css) || (parts.length > 3 && +parts[3] === 0)) return "";
  const [r, g, b] = parts.slice(0, 3).map((part) => +part / 255);
  const top = Math.max(r, g, b), low = Math.min(r, g, b), light = (top + low) / 2, spread = top - low;
  if (light < 0.1) return "black";
  if (light > 0.95) return "white";
  if (spread < 0.12) return "gray";
  const hue = 60 * (top === r ? ((g - b) / spread + 6) % 6 : top === g ? (b - r) / spread + 2 : (r - g) / spread + 4);
  const word = HUES.find(([end]) => hue < end)[1];
  if (word === "orange" && light < 0.35) return "brown";
  return (word === "red" || word === "magenta") && light > 0.72 ? "pink" : word;
};
// A patch of colour: an empty element that is seen by its background alone.
const patchName = (element) => {
  if (element.childElementCount || /\S/.test(element.textContent) || element.tagName === "BUTTON" || roleOf(element) ||
      element.hasAttribute("tabindex")) return "";
  const own = getComputedStyle(element).backgroundColor;
  const around = element.parentElement ? getComputedStyle(element.parentElement).backgroundColor : "";
  return own === around ? "" : colourWord(own);
};
const CORNERS = { 3: "triangle", 4: "rectangle", 5: "pentagon", 6: "hexagon" };
const shapeName = (element) => {
  const tag = element.tagName;
  const corners = tag === "polygon" && element.points ? element.points.length : 0;
  const shape = corners ? CORNERS[corners] || "polygon" : tag === "rect" ? "rectangle" : tag === "svg" || tag === "path" ? "" : tag;
  const colour = shape ? colourWord(getComputedStyle(element).fill) : "";
  return `${colour} ${shape}`.trim();
};

const nameOf = (element, role) => {
  const ids = element.getAttribute("aria-labelledby");
  if (ids) {
    const root = element.getRootNode();
    const parts = ids.split(/\s+/).map((id) => root.getElementById && root.getElementById(id)).filter(Boolean);
    const name = clean(parts.map((part) => content(part)).join(" "));
    if (name) { parts.forEach((part) => naming.add(part)); return name; }
  }
  const label = clean(element.getAttribute("aria-label"));
  if (label) return label;
  const tag = element.tagName;
  const title = clean(element.getAttribute("title"));
  if (tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT") {
    const kind = element.type;
    if (kind === "submit" || kind === "reset" || kind === "button") {
      return clean(element.value) || labels(element) || title || (kind === "button" ? "" : kind);
    }
    if (kind === "image") return clean(element.alt) || clean(element.value) || title || "submit";
    return labels(element) || title || clean(element.placeholder) ||
      beside(element, kind === "checkbox" || kind === "radio");
  }
  if (tag === "IMG") return clean(element.alt) || title;
  if (tag === "OPTION") return clean(element.label || element.text);
  if (element instanceof element.ownerDocument.defaultView.SVGElement) {
    const own = element.querySelector && element.querySelector("title");
    return own ? clean(own.textContent) : tag === "text" ? clean(element.textContent) : shapeName(element);
  }
  if (element.isContentEditable || role === "textbox" || role === "progressbar" || role === "meter") {
    return labels(element) || title || clean(element.getAttribute("aria-placeholder")) || beside(element, false);
  }
  return content(element) || title || labels(element) || iconName(element) || patchName(element);
};

const roleOf = (element) => {
  const given = (element.getAttribute("role") || "").trim().split(/\s+/)[0].toLowerCase();
  if (given && !PLAIN.has(given)) return given === "image" ? "img" : given;
  const tag = element.tagName;
  if (tag === "A" || tag === "AREA") return element.hasAttribute("href") ? "link" : "";
  if (tag === "INPUT") return element.type === "hidden" ? "" : TYPES[element.type] || (element.list ? "combobox" : "textbox");
  if (tag === "SELECT") return element.multiple || element.size > 1 ? "listbox" : "combobox";
  if (TAGS[tag]) return TAGS[tag];
  if (/^H[1-6]$/.test(tag)) return "heading";
  if (element.isContentEditable && !(element.parentElement && element.parentElement.isContentEditable)) return "textbox";
  return "";
};

