"use strict";
// Times are sent in UTC; shown in the reader's zone, with UTC where one points at them.
const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.textContent = shown.format(at);
}

// Keys: / goes to the search, n to the next page of a list, j and k down and up its rows.
document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
  const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (named) {
    event.preventDefault();
    if (named.matches("a, button")) named.click();
    else named.focus();
  } else if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("[data-row]")];
    const step = event.key === "j" ? 1 : -1;
    const at = rows.indexOf(document.activeElement);
    rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
  }
});
