// Passkeys (WebAuthn): asks the server for a question, the device for its answer, and sends that with the form it stands in.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (each) => ({ ...each, id: bytes(each.id) });

  const ask = {
    get: (asked) =>
      navigator.credentials.get({
        publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: (asked.allowCredentials || []).map(listed) },
      }),
    create: (asked) =>
      navigator.credentials.create({
        publicKey: {
          ...asked,
          challenge: bytes(asked.challenge),
          user: { ...asked.user, id: bytes(asked.user.id) },
          excludeCredentials: (asked.excludeCredentials || []).map(listed),
        },
      }),
  };

  const answer = (made) => {
    const response = { clientDataJSON: text(made.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
  };

  const said = {
    NotAllowedError: "It was stopped, or took too long. Nothing has changed.",
    InvalidStateError: "This device has a passkey for this service already.",
    NotSupportedError: "This device cannot make such a passkey.",
  };

  const send = async (form) => {
    const question = await fetch(form.dataset.question, { method: "POST", credentials: "same-origin" });
    if (question.redirected) return void location.assign(question.url); // show who you are again first
    if (!question.ok) throw new Error("no question");
    const { state, options } = await question.json();
    const made = await ask[form.dataset.passkey](options);
    form.elements.state.value = state;
    form.elements.answer.value = answer(made);
    form.submit();
  };

  if (!window.PublicKeyCredential) return; // the form then says by itself what to do
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = form.querySelector("[data-said]");
      words.textContent = "Your device is asking you now.";
      send(form).catch((error) => {
        words.textContent = said[error.name] || "That did not work. Try again, or use another way.";
      });
    });
  }
})();
