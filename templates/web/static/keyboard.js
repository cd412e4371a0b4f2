/* Single keys on Today: j and k move, x ticks, u goes to the reason, ? tells them. They can be turned off (WCAG 2.1.4). */
"use strict";
(() => {
  const OFF = "moderator-keys-off";
  const kept = (read) => {
    try {
      return read();
    } catch {
      return null; /* a browser that keeps nothing: the keys stay on */
    }
  };
  let off = kept(() => localStorage.getItem(OFF)) === "1";
  const button = document.getElementById("keys-switch");
  const tell = () => {
    button.textContent = off ? "Turn these keys on" : "Turn these keys off";
  };
  button.hidden = false;
  tell();
  button.addEventListener("click", () => {
    off = !off;
    kept(() => localStorage.setItem(OFF, off ? "1" : "0"));
    tell();
  });

  const links = () => [...document.querySelectorAll(".queue .whole")];
  const here = () => links().indexOf(document.activeElement?.closest(".card")?.querySelector(".whole"));
  const move = (step) => {
    const all = links();
    if (!all.length) return;
    const at = here();
    const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1);
    all[next].focus();
    all[next].closest(".card").scrollIntoView({ block: "nearest" });
  };
  const tick = () => {
    const at = here();
    const box = at < 0 ? null : links()[at].closest(".card").querySelector('input[type="checkbox"]');
    if (box) box.checked = !box.checked;
    return Boolean(box);
  };
  const reason = () => {
    if (!document.querySelector('.queue input[type="checkbox"]:checked')) tick();
    document.querySelector("#together textarea")?.focus();
  };
  const help = () => {
    const keys = document.getElementById("keys");
    keys.open = true;
    keys.querySelector("summary").focus();
    keys.scrollIntoView({ block: "nearest" });
  };
  const does = { j: () => move(1), k: () => move(-1), x: tick, u: reason, "?": help };
  document.addEventListener("keydown", (event) => {
    if (off || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target instanceof HTMLElement && event.target.closest("textarea, select, input:not([type=checkbox])")) return;
    const act = does[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
