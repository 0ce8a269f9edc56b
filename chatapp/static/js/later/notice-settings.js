// The part of the settings that is about this device: permission, pop-ups, pushes, sound. Its words stand in the page;
// here is only which of them show.

import { chime } from "../notices/chime.js";
import { POPUPS, SOUND } from "../notices.js";

/** @param {HTMLElement} section @param {Storage} storage */
export function wireNoticeSettings(section, storage) {
  const part = (name) => section.querySelector(`[data-${name}]`);
  const [popups, push, sound, ask, test] = ["popups", "push", "sound", "ask", "test"].map(part);
  let { pushEndpoint: endpoint, pushKey: key } = section.dataset;

  sound.checked = storage.getItem(SOUND) === "on";
  sound.addEventListener("change", () => {
    storage.setItem(SOUND, sound.checked ? "on" : "off");
    if (sound.checked) chime();
  });
  popups.addEventListener("change", () => storage.setItem(POPUPS, popups.checked ? "on" : "off"));
  ask.addEventListener("click", async () => {
    await Notification.requestPermission();
    show();
  });
  push.addEventListener("change", async () => {
    push.disabled = true;
    try {
      if (push.checked) await turnOn();
      else await turnOff();
    } catch {
      say("failed");
    }
    show();
  });
  test.addEventListener("click", async () => {
    test.disabled = true;
    say("sending");
    try {
      const answer = await post("/push/test", {});
      const { taken } = await answer.json();
      say(taken ? "taken" : "not-taken");
    } catch {
      say("failed");
    }
    show();
  });
  show();
  check().catch(() => {});

  /** The browser may have forgotten what the server still knows. */
  async function check() {
    const known = await (await registration())?.pushManager?.getSubscription();
    if (endpoint && known?.endpoint !== endpoint) endpoint = "";
    show();
  }

  async function turnOn() {
    if ((await Notification.requestPermission()) !== "granted") return;
    const manager = (await navigator.serviceWorker.ready).pushManager;
    const subscription = await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint: address, keys } = subscription.toJSON();
    await post("/push/subscribe", { endpoint: address, ...keys });
    endpoint = address;
    say("on");
  }

  async function turnOff() {
    await post("/push/unsubscribe", {});
    endpoint = "";
    await (await (await registration())?.pushManager?.getSubscription())?.unsubscribe();
    say("off");
  }

  function show() {
    const state = permission();
    const can = state === "granted";
    for (const words of section.querySelectorAll("[data-when]")) words.hidden = words.dataset.when !== state;
    ask.hidden = state !== "default";
    popups.hidden = !can;
    popups.checked = storage.getItem(POPUPS) !== "off";
    const pushes = "PushManager" in window && "serviceWorker" in navigator;
    part("no-push").hidden = pushes;
    push.disabled = !pushes || state === "denied" || state === "unsupported" || state === "insecure";
    push.checked = Boolean(endpoint) && can;
    test.disabled = !push.checked;
  }

  function say(what) {
    for (const words of section.querySelectorAll("[data-said]")) words.hidden = words.dataset.said !== what;
  }
}

function permission() {
  if (!window.isSecureContext) return "insecure";
  if (!("Notification" in window)) return "unsupported";
  return Notification.permission;
}

function registration() {
  return navigator.serviceWorker?.getRegistration();
}

async function post(path, fields) {
  const answer = await fetch(path, {
    method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" },
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}
