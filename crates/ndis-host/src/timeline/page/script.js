// Hides the rows that the filter does not want, and closes the gaps. The page is complete without it.
"use strict";
(() => {
  const svg = document.getElementById("sequence");
  const height = Number(svg.dataset.row), margin = Number(svg.dataset.margin);
  const rows = [...svg.querySelectorAll(".row")];
  const spans = [...svg.querySelectorAll(".span")];
  const lanes = [...svg.querySelectorAll(".lane")];
  const by = (id) => document.getElementById(id);

  function apply() {
    const words = by("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const data = by("data").checked, builtIn = by("built-in").checked, failed = by("failed").checked;
    // For each row, how many are shown above it.
    const above = [];
    let shown = 0;
    for (const row of rows) {
      const has = (name) => row.classList.contains(name);
      const wanted = (data || !has("data")) && (builtIn || !has("built-in")) && (!failed || has("bad"))
        && words.every((word) => row.dataset.text.includes(word));
      row.style.display = wanted ? "" : "none";
      above.push(shown);
      if (wanted) {
        row.setAttribute("transform", `translate(0,${margin + shown * height})`);
        shown += 1;
      }
    }
    above.push(shown);
    for (const span of spans) {
      const from = above[Number(span.dataset.from)], to = above[Number(span.dataset.to) + 1];
      span.style.display = to > from ? "" : "none";
      span.setAttribute("y", margin + from * height + height / 2 - 4);
      span.setAttribute("height", Math.max(0, to - from - 1) * height + 8);
    }
    const total = shown * height + 2 * margin;
    svg.setAttribute("height", total);
    lanes.forEach((lane) => lane.setAttribute("y2", total));
    by("shown").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
  }

  by("filter").addEventListener("input", apply);
  apply();
})();
