// Passkeys: asks the browser for one, puts its answer into the form, and sends the form.
document.querySelectorAll("button[data-passkey]").forEach((button) => {
  if (!window.PublicKeyCredential) return;
  button.hidden = false;
  said(button).textContent = "";
  button.addEventListener("click", () => ask(button));
});

function said(button) {
  return button.parentElement.querySelector("[data-cancelled]");
}

async function ask(button) {
  const form = button.form;
  const says = said(button);
  if (button.dataset.passkey === "register" && !form.reportValidity()) return;
  button.disabled = true;
  says.textContent = "";
  try {
    const options = await challenge(form, button.dataset.passkey);
    const credential = options.rp ? await create(options) : await get(options);
    form.elements[button.dataset.field].value = JSON.stringify(credential);
    form.requestSubmit();
  } catch (error) {
    says.textContent = error instanceof DOMException ? says.dataset.cancelled : says.dataset.lost;
  }
  button.disabled = false;
}

async function challenge(form, purpose) {
  const body = new URLSearchParams({ purpose, form: form.elements.form?.value ?? "" });
  const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch("/passkeys/challenge", { method: "POST", headers, body });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

async function create(options) {
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  (options.excludeCredentials ?? []).forEach((one) => (one.id = bytes(one.id)));
  const made = await navigator.credentials.create({ publicKey: options });
  const { clientDataJSON, attestationObject } = made.response;
  return told(made, { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) });
}

async function get(options) {
  options.challenge = bytes(options.challenge);
  (options.allowCredentials ?? []).forEach((one) => (one.id = bytes(one.id)));
  const used = await navigator.credentials.get({ publicKey: options });
  const { clientDataJSON, authenticatorData, signature } = used.response;
  return told(used, { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature) });
}

function told(credential, response) {
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {}, response };
}

function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
}

function text(buffer) {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
