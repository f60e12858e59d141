// Scrolls the box around an element or Range, or the page. The body of a function of [node or null, across, down], both in
// parts of the box's own size. Returns how many CSS pixels it moved, and null where nothing around it scrolls.
const [node, across, down] = argument;
const shared = node && (node.commonAncestorContainer || node);
const element = shared && (shared.nodeType === 1 ? shared : shared.parentElement);
const room = (at) => across ? at.scrollWidth - at.clientWidth : at.scrollHeight - at.clientHeight;
const main = document.scrollingElement || document.documentElement;
let box = element || main;
for (; box && box !== main; box = box.parentElement || (box.getRootNode().host ?? null)) {
  const style = getComputedStyle(box);
  if (room(box) > 1 && /auto|scroll/.test(across ? style.overflowX : style.overflowY)) break;
}
box = box || main;
if (room(box) <= 1) return null;
const before = [box.scrollLeft, box.scrollTop];
const size = box === main ? [innerWidth, innerHeight] : [box.clientWidth, box.clientHeight];
box.scrollBy({ left: across * size[0], top: down * size[1], behavior: "instant" });
return Math.abs(box.scrollLeft - before[0]) + Math.abs(box.scrollTop - before[1]);
