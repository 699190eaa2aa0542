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

  // Where a new tenant's clock is asked for, the browser's own is the best guess.
  for (const select of document.querySelectorAll("form[data-guess-zone] select[name=time_zone]")) {
    const guess = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const option = [...select.options].find((candidate) => candidate.value === guess);
    if (option && select.value === "UTC") option.selected = true;
  }

  // A passkey that is refused, or a prompt that is closed, says so beside the button instead of in the console.
  document.addEventListener("allauth.error", (event) => {
    const words = document.getElementById("passkey-error");
    if (!words) return;
    event.preventDefault();
    words.hidden = false;
  });

  // A part that refreshes itself after the session has ended would be handed the sign-in page: go there instead.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { finalRequestPath, responsePath } = event.detail.pathInfo ?? {};
    const place = (path) => new URL(path, window.location.href).pathname;
    if (!responsePath || place(responsePath) === place(finalRequestPath)) return;
    event.detail.shouldSwap = false;
    window.location.reload();
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
