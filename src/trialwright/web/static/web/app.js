// The little that a browser must do by itself: send a form once, follow a scanner, close a menu.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || "again" in form.dataset) return; // a download leaves the page where it is
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// a scanner ends its code with Enter: it leads to the next field, and sends only from the last one
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.classList.contains("scan")) return;
  const fields = [...event.target.form.querySelectorAll("input.scan")];
  const next = fields[fields.indexOf(event.target) + 1];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

// a click beside an open menu closes it
document.addEventListener("click", (event) => {
  const menu = document.querySelector("details.me[open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});
