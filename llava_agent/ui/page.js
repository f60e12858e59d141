// gradio's upload buttons are named otherwise than what stands on them; their words are the better name.
(() => {
  const mend = () =>
    document.querySelectorAll("button.upload-container[aria-label]").forEach((one) => one.removeAttribute("aria-label"));
  new MutationObserver(mend).observe(document, { childList: true, subtree: true });
})();
