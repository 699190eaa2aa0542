// Small comforts. Every page works without them.
(() => {
  "use strict";

  // A menu closes on Escape and on a click elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.drop[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.drop[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A filter that changes sends its form; the button beside it serves those without scripts.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-send-on-change]");
    if (form) form.requestSubmit();
  });

  // A deed that cannot be undone asks first; the page behind the button asks where there are no scripts.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // Copies the text of the element named by data-copy.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    button.querySelector("[data-copied]")?.removeAttribute("hidden");
  });
})();
