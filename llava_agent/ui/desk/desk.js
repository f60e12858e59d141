// Links the lines of the desk's table with their boxes, and hands what a person changed to the page.
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
  const pressed = (desk, mark) =>
    [...desk.querySelectorAll(`[data-${mark}][aria-pressed="true"]`)].map((one) => Number(one.dataset[mark]));

  // The changes as JSON, in the order that `inspection.revise.Edits` has.
  const gather = (desk) => {
    const values = {};
    desk.querySelectorAll("[data-edit]").forEach((one) => {
      if (one.value !== one.defaultValue) values[one.dataset.edit] = one.value;
    });
    const added = [...desk.querySelectorAll("[data-added]")]
      .map((one) => ({ what: one.dataset.added, value: one.querySelector("input").value.trim() }))
      .filter((one) => one.value);
    const edits = { values, removed: pressed(desk, "remove"), dismissed: pressed(desk, "dismiss"), added };
    const nothing = Object.values(edits).every((one) => Object.keys(one).length === 0);
    const box = document.querySelector("#desk-edits textarea");
    box.value = nothing ? "{}" : JSON.stringify(edits);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const put = (desk) => {
    const form = desk.querySelector(".desk-add");
    const [what, field] = [form.querySelector("select"), form.querySelector("input")];
    if (!field.value.trim()) return field.focus();
    const name = what.selectedOptions[0].textContent;
    const row = document.createElement("li");
    row.dataset.added = what.value;
    row.innerHTML = '<label><span><i></i><em>by hand</em></span><input autocomplete="off"></label><button type="button" class="cross" data-drop>×</button>';
    row.querySelector("i").textContent = name;
    row.querySelector("input").value = field.value.trim();
    row.querySelector("input").setAttribute("aria-label", `Value of ${name}`);
    row.querySelector("button").setAttribute("aria-label", `Remove ${name}`);
    desk.querySelector(".desk-lines").append(row);
    field.value = "";
    gather(desk);
  };

  document.addEventListener("click", (event) => {
    const desk = event.target.closest && event.target.closest(".desk");
    if (!desk) return;
    const cross = event.target.closest(".cross");
    if (cross && "drop" in cross.dataset) {
      cross.closest("li").remove();
      return gather(desk);
    }
    if (cross) {
      const on = cross.getAttribute("aria-pressed") !== "true";
      cross.setAttribute("aria-pressed", String(on));
      cross.textContent = on ? "↺" : "×";
      cross.closest("li").classList.toggle("gone", on);
      return gather(desk);
    }
    if (event.target.closest("[data-put]")) return put(desk);
    const word = event.target.closest("[data-word]");
    if (word) {
      const field = desk.querySelector(".desk-add input");
      field.value = word.dataset.word;
      desk.querySelector(".desk-add").scrollIntoView({ block: "nearest", behavior: "smooth" });
      field.focus({ preventScroll: true });
    }
    const found = linked(event);
    if (found) light(found.dataset.link, found);
  });
  document.addEventListener("focusin", (event) => {
    const found = linked(event);
    if (found && event.target.matches("input")) light(found.dataset.link, found);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches(".desk-add input")) {
      event.preventDefault();
      return put(event.target.closest(".desk"));
    }
    const found = linked(event);
    if ((event.key === "Enter" || event.key === " ") && found && event.target.matches("rect, [role=button]")) {
      event.preventDefault();
      light(found.dataset.link, found);
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches(".desk [data-edit], .desk [data-added] input")) gather(event.target.closest(".desk"));
  });
})();
