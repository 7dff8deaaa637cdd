// Two minutes before a session ends for want of activity the page says so; once it has ended nothing stays in sight,
// unless something typed is not kept yet. The windows of one browser tell each other when somebody is active.
const minutes = Number(document.body.dataset.idle);
if (minutes) watchSession(minutes * 60000, 120000);

function watchSession(whole, warning) {
  const banner = document.getElementById("idle");
  const windows = new BroadcastChannel("trialwright session");
  let ends = Date.now() + whole;

  windows.addEventListener("message", goesOn);
  document.addEventListener("htmx:afterRequest", (event) => event.detail.successful && active());
  banner.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch("/stay").catch(() => null);
    if (answer?.ok) active();
  });
  setInterval(look, 5000);
  active();

  function active() {
    windows.postMessage("active");
    goesOn();
  }

  function goesOn() {
    ends = Date.now() + whole;
    banner.hidden = true;
  }

  function look() {
    const left = ends - Date.now();
    if (left <= 0) over();
    else if (left <= warning) {
      const at = new Date(ends).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
      if (banner.hidden) banner.querySelector("p").textContent = banner.dataset.says.replace("HH:MM", at);
      banner.hidden = false;
    }
  }

  function over() {
    if (!document.querySelector("form[data-unkept]")) location.replace(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
  }
}
