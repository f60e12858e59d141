// Scrolls what a person would scroll: the page, or the largest scrolling box in the window where the page is fixed.
//
// The body of a function of the number of window heights to move, negative upwards and 0 to look only. Returns
// {top, room}: how far it is scrolled and how far it can be, in CSS pixels.
const main = document.scrollingElement || document.documentElement;
let box = main;
if (main.scrollHeight - innerHeight < 2) {
  let largest = 0;
  for (const [u, v] of [[0.5, 0.5], [0.3, 0.3], [0.7, 0.3], [0.3, 0.7], [0.7, 0.7]]) {
    for (let at = document.elementFromPoint(innerWidth * u, innerHeight * v); at; at = at.parentElement) {
      const area = at.clientWidth * at.clientHeight;
      if (at.scrollHeight - at.clientHeight > 2 && area > largest && /auto|scroll/.test(getComputedStyle(at).overflowY)) {
        largest = area;
        box = at;
      }
    }
  }
}
const height = box === main ? innerHeight : box.clientHeight;
if (argument) box.scrollBy({ top: argument * height, behavior: "instant" });
return { top: box.scrollTop, room: Math.max(0, box.scrollHeight - height) };
