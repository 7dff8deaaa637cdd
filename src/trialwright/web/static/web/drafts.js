// A form whose draft the server keeps. What the server has not kept yet stays in the fields of this window and nowhere
// else, and is sent again until it is kept; Save goes on from there. Nothing is written to the disk of a shared tablet.
const form = document.querySelector("form[data-draft]");
if (form) watch(form);

function watch(form) {
  const pause = 5000; // before it is tried again
  let typed = 0; // changes in this window
  let sent = 0; // how many of them went with the last request
  let kept = 0; // how many the server has kept
  let since = ""; // when the server stopped answering
  let saves = false; // Save was pressed and waits
  let again = 0;

  for (const kind of ["input", "change"]) form.addEventListener(kind, changed);
  form.addEventListener("htmx:configRequest", (event) => {
    sent = typed;
    event.detail.parameters.csrfmiddlewaretoken = token();
  });
  form.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401) return;
    event.preventDefault(); // the page would leave for the door, with what is typed here
    lost(form.dataset.out);
  });
  form.addEventListener("htmx:responseError", () => lost(form.dataset.lost));
  form.addEventListener("htmx:sendError", () => lost(form.dataset.lost));
  form.addEventListener("htmx:timeout", () => lost(form.dataset.lost));
  form.addEventListener("htmx:afterRequest", (event) => event.detail.successful && arrived());
  form.addEventListener("submit", (event) => {
    if (kept === typed && !since) return;
    event.preventDefault();
    saves = true;
    send();
  });
  window.addEventListener("online", () => since && send());
  const windows = new BroadcastChannel("trialwright session"); // another window is signed in
  windows.addEventListener("message", () => since && send());
  window.addEventListener("beforeunload", (event) => since && kept < typed && event.preventDefault());
  window.addEventListener("pagehide", () => {
    if (!since && kept < typed) navigator.sendBeacon(form.getAttribute("hx-post"), new FormData(form));
  });

  function changed() {
    typed += 1;
    form.dataset.unkept = "yes";
  }

  function send() {
    clearTimeout(again);
    htmx.trigger(form, "draft");
  }

  function arrived() {
    clearTimeout(again);
    since = "";
    kept = sent;
    if (kept < typed) return;
    delete form.dataset.unkept;
    if (!saves) return;
    saves = false;
    form.requestSubmit();
  }

  function lost(says) {
    since ||= new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    const line = document.getElementById("kept");
    line.textContent = says.replace("HH:MM", since);
    line.classList.add("lost");
    clearTimeout(again);
    again = setTimeout(send, pause);
  }

  // whoever signed in again in another window has a new one
  function token() {
    const field = form.elements.csrfmiddlewaretoken;
    field.value = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? field.value;
    return field.value;
  }
}
