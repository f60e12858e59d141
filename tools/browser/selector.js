// A selector that finds an element again, for scripts that run without this product.
//
// The body of a function of an element or Range. Returns {frames, css, tag}: `frames` the selectors of the frames around it
// from the outside in, `css` its own; parts joined with ` >> ` go through shadow roots, as Playwright reads them.
const NAMES = ["data-testid", "data-test", "name", "aria-label", "placeholder", "href", "title", "alt", "value", "for"];
const shared = argument.commonAncestorContainer || argument;
const start = shared.nodeType === 1 ? shared : shared.parentElement;

const inRoot = (element) => {
  const root = element.getRootNode();
  const only = (css) => {
    try { return root.querySelectorAll(css).length === 1; } catch { return false; }
  };
  if (element.id && !/\d{4,}/.test(element.id) && only(`#${CSS.escape(element.id)}`)) return `#${CSS.escape(element.id)}`;
  const tag = element.tagName.toLowerCase();
  for (const name of NAMES) {
    const value = element.getAttribute(name);
    if (!value || value.length > 80) continue;
    const css = `${tag}[${name}=${JSON.stringify(value)}]`;
    if (only(css)) return css;
  }
  if (only(tag)) return tag;
  const parent = element.parentElement;
  if (!parent) return tag;
  const alike = [...parent.children].filter((one) => one.tagName === element.tagName);
  const own = alike.length > 1 ? `${tag}:nth-of-type(${alike.indexOf(element) + 1})` : tag;
  return `${inRoot(parent)} > ${own}`;
};
const whole = (element) => {
  const host = element.getRootNode().host;
  return host ? `${whole(host)} >> ${inRoot(element)}` : inRoot(element);
};
const frames = [];
for (let at = start.ownerDocument.defaultView; at && at.frameElement; at = at.parent) frames.unshift(whole(at.frameElement));
return { frames, css: whole(start), tag: start.tagName.toLowerCase() };
