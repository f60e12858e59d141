// The live value of a field. The body of a function of one element; null where it holds no value.
const element = argument;
if (!element || element.commonAncestorContainer) return null;
const tag = element.tagName;
const aria = element.getAttribute("aria-checked");
if (tag === "INPUT" && (element.type === "checkbox" || element.type === "radio")) {
  return element.checked ? "checked" : "unchecked";
}
if (tag === "INPUT" && element.type === "file") return [...element.files].map((file) => file.name).join(", ");
if (tag === "SELECT") return [...element.selectedOptions].map((one) => (one.label || one.text).trim()).join(", ");
if (tag === "INPUT" || tag === "TEXTAREA") return element.value;
if (aria !== null) return aria === "true" ? "checked" : "unchecked";
if (element.isContentEditable) return element.innerText;
return element.getAttribute("aria-valuetext") || element.getAttribute("aria-valuenow");
