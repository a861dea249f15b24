// Tooltips for whatever carries data-tip, and the map's own links on hover or focus.
(function () {
  const box = document.getElementById("tip");
  function show(target, x, y) {
    box.textContent = target.getAttribute("data-tip");
    box.hidden = false;
    const size = box.getBoundingClientRect();
    const left = x + 16 + size.width > innerWidth ? x - 14 - size.width : x + 16;
    box.style.left = Math.max(6, left) + "px";
    box.style.top = Math.max(6, Math.min(y + 14, innerHeight - size.height - 6)) + "px";
  }
  document.addEventListener("pointermove", function (event) {
    const target = event.target.closest && event.target.closest("[data-tip]");
    if (target) show(target, event.clientX, event.clientY);
    else box.hidden = true;
  });
  document.addEventListener("pointerleave", function () { box.hidden = true; });

  for (const map of document.querySelectorAll("svg.map")) {
    const links = Array.from(map.querySelectorAll(".link"));
    const nodes = Array.from(map.querySelectorAll(".node"));
    function pick(name) {
      const near = new Set([name]);
      for (const link of links) {
        const on = link.dataset.a === name || link.dataset.b === name;
        link.classList.toggle("on", on);
        if (on) near.add(link.dataset.a).add(link.dataset.b);
      }
      for (const node of nodes) node.classList.toggle("on", near.has(node.dataset.name));
      map.classList.add("picked");
    }
    function drop() { map.classList.remove("picked"); box.hidden = true; }
    for (const node of nodes) {
      node.addEventListener("pointerenter", function () { pick(node.dataset.name); });
      node.addEventListener("pointerleave", drop);
      node.addEventListener("focus", function () {
        const at = node.getBoundingClientRect();
        pick(node.dataset.name);
        show(node, at.right, at.top);
      });
      node.addEventListener("blur", drop);
    }
  }
})();
