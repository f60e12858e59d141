// The element that a click at a point of the window is meant for: the control around what is hit there.
//
// The body of a function of [x, y], after places.js. Returns the element, or null outside the page.
const [x, y] = argument;
const found = hit(x, y);
if (!found) return null;
const control = found.closest("a[href],button,input,select,textarea,option,summary,[role],[contenteditable]");
const label = found.closest("label");
return (control && control.isContentEditable) || !label || !label.control ? control || found : label.control;
