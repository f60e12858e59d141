// Where texts are shown on the screen, so that they can be painted over. The body of a function of the texts, after
// places.js. Returns boxes [left, top, right, bottom] in CSS pixels; too much rather than too little.
const found = [];
const has = (text) => argument.some((one) => text.includes(one));
const add = (rect, doc) => {
  const box = rect.width && rect.height ? placed(rect, frameOf(doc)) : null;
  if (box) found.push(box);
};
const look = (root) => {
  const walker = (root.ownerDocument || root).createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === 3) {
      if (!has(node.data)) continue;
      const range = node.ownerDocument.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) add(rect, node.ownerDocument);
      continue;
    }
    if (node.nodeType !== 1) continue;
    const doc = node.ownerDocument;
    if (typeof node.value === "string" && has(node.value)) add(node.getBoundingClientRect(), doc);
    // A text that is spread over several nodes, such as one word a letter.
    if (node.childElementCount && node.childElementCount < 200 && has(node.textContent) &&
        ![...node.childNodes].some((child) => has(child.textContent || ""))) add(node.getBoundingClientRect(), doc);
    for (const name of ["placeholder", "alt", "title"]) {
      if (has(node.getAttribute(name) || "")) add(node.getBoundingClientRect(), doc);
    }
    if (node.shadowRoot) look(node.shadowRoot);
    if (node.tagName === "IFRAME") {
      let inner = null;
      try { inner = node.contentDocument; } catch { inner = null; }
      if (inner && inner.documentElement) look(inner.documentElement);
    }
  }
};
if (document.documentElement) look(document.documentElement);
return found;
