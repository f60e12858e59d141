// Links the lines of the desk's table with their boxes, and hands edited values to the page.
(() => {
  const light = (link, from) => {
    const desk = from.closest(".desk");
    desk.querySelectorAll(".lit").forEach((one) => one.classList.remove("lit"));
    desk.querySelectorAll(`[data-link="${link}"]`).forEach((one) => {
      one.classList.add("lit");
      if (one !== from && !from.contains(one)) one.scrollIntoView({ block: "nearest", behavior: "smooth" });
    });
  };
  const linked = (event) => event.target.closest && event.target.closest(".desk [data-link]");
  document.addEventListener("click", (event) => {
    const found = linked(event);
    if (found) light(found.dataset.link, found);
  });
  document.addEventListener("focusin", (event) => {
    const found = linked(event);
    if (found && event.target.matches("input")) light(found.dataset.link, found);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches(".desk [data-link]")) {
      event.preventDefault();
      light(event.target.dataset.link, event.target);
    }
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches(".desk [data-edit]")) return;
    const values = {};
    event.target.closest(".desk").querySelectorAll("[data-edit]").forEach((one) => {
      if (one.value !== one.defaultValue) values[one.dataset.edit] = one.value;
    });
    const box = document.querySelector("#desk-edits textarea");
    box.value = JSON.stringify(values);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
