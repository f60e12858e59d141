// Resolves once the page has not changed for `calm` milliseconds, or after `most`. The body of a function of
// [calm, most].
const [calm, most] = argument;
return new Promise((resolve) => {
  const end = () => { observer.disconnect(); clearTimeout(timer); clearTimeout(limit); resolve(null); };
  let timer = setTimeout(end, calm);
  const limit = setTimeout(end, most);
  const observer = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(end, calm); });
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
});
