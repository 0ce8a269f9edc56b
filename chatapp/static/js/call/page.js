// The page of a call: who tells whom.

import { CallLine } from "./line.js";
import { Devices } from "./devices.js";
import { Meter, levelsOf } from "./levels.js";
import { People } from "./people.js";
import { Quality, limit } from "./quality.js";
import { Stage } from "./stage.js";
import { Way } from "./way.js";
import { namesOf } from "../calls.js";
import { shape, words as wordsOf } from "../page.js";
import { showControl, wireControls } from "./controls.js";
import { wirePicker } from "./picker.js";

const ME = "me";
const SHORT = 2_000; // a line that is back so soon is not worth a word
const METER = 100;

/**
 * @param {object} by
 * @param {HTMLElement} by.element main.call
 * @param {string} by.me account id
 * @param {import("../socket.js").Socket} by.socket
 * @param {Storage} by.storage
 */
export function openCall({ element, me, socket, storage }) {
  const find = (selector) => element.querySelector(selector);
  const words = wordsOf("tpl-call-words");
  const room = Number(element.dataset.room);
  const devices = new Devices(storage);
  const line = new CallLine({ element, socket });
  const mesh = new Way({ room, socket, devices });
  const stage = new Stage(find("[data-stage]"));
  const meter = new Meter();
  const people = new People({ pane: document.getElementById("details"), room, me, socket });
  const settings = document.getElementById("call-settings");
  const quality = new Quality({
    element: settings.querySelector("[data-quality]"), empty: settings.querySelector("[data-no-quality]"), words,
    peers: () => [...mesh.peers].map(([id, peer]) => [personOf(id)?.name ?? "", peer]),
  });
  const { avatar, hue, initials, name: myName } = document.body.dataset;
  const myself = { name: myName, hue: Number(hue), initials, avatar };
  /** @type {import("./mesh.js").Person[]} */
  let inCall = [];
  let started = 0;
  let lineBanner = 0;

  const personOf = (id) => inCall.find((person) => person.id === id);
  const part = (name) => {
    element.dataset.part = name;
  };
  const say = (form, name) => {
    find("[data-said]").textContent = form.replace("%1", name);
  };

  // -- what this tab sends ------------------------------------------------------

  function drawMine() {
    const { micOn, camera, screen } = devices;
    showControl(element, "mic", micOn, true);
    showControl(element, "camera", camera !== null, true);
    showControl(element, "screen", screen !== null);
    showControl(element, "hand", mesh.hand);
    const preview = find("[data-preview]");
    preview.hidden = camera === null;
    const shown = preview.srcObject?.getVideoTracks()[0] ?? null;
    if (shown !== camera) preview.srcObject = camera ? new MediaStream([camera]) : null;
    meter.listen(devices.mic);
    if (element.dataset.part !== "on") return;
    stage.person(ME, myself, words.you);
    stage.picture(ME, preview.srcObject, { shows: camera !== null, silent: true, mirrored: true });
    stage.state(ME, { mic: micOn, hand: mesh.hand });
    stage.screen(ME, null, screen);
    drawPeople();
  }

  function trouble(text) {
    const place = find("[data-trouble]");
    place.hidden = text === "";
    place.textContent = text;
    if (element.dataset.part === "on" && text) find("[data-said]").textContent = text;
  }

  devices.addEventListener("changed", () => {
    if (devices.micOn || devices.camera) trouble("");
    drawMine();
  });
  devices.addEventListener("trouble", ({ detail: { kind, reason } }) => {
    trouble(words[reason].replace("%1", kind === "mic" ? words.theMic : words.theCamera));
  });

  // -- the others ---------------------------------------------------------------

  function drawPeer(peer) {
    const person = personOf(peer.id);
    if (!person) return; // a signal was quicker than the list
    const state = mesh.states.get(peer.id) ?? { mic: true, camera: false, hand: false, screen: "" };
    stage.person(peer.id, person);
    stage.picture(peer.id, peer.camera, { shows: state.camera && peer.state === "connected" });
    stage.state(peer.id, state);
    stage.connecting(peer.id, peer.state !== "connected");
    stage.screen(peer.id, person, state.screen && peer.state === "connected" ? peer.screen : null);
    speakers();
  }

  function speakers() {
    const id = devices.chosen.speaker;
    for (const video of element.querySelectorAll("video")) {
      if (video.setSinkId && (video.sinkId ?? "") !== id) video.setSinkId(id).catch(() => {});
    }
  }

  function drawPeople() {
    const mine = { mic: devices.micOn, hand: mesh.hand, screen: devices.screen?.id ?? "" };
    people.draw(inCall, (id) => (id === mesh.id ? mine : mesh.states.get(id)), element.dataset.part === "on");
  }

  function call({ started: at, people: now, large = false }) {
    if (element.dataset.part === "on") {
      const other = (list, person) => !list.some((each) => each.user === person.user) && String(person.user) !== me;
      for (const person of now) if (other(inCall, person)) say(words.joined, person.name);
      for (const person of inCall) if (other(now, person)) say(words.left, person.name);
    }
    inCall = now;
    started = at ?? 0;
    mesh.people(now, large);
    for (const peer of mesh.peers.values()) drawPeer(peer);
    find("[data-names]").textContent = namesOf(now);
    find("[data-nobody]").hidden = now.length > 0;
    find("[data-somebody]").hidden = now.length === 0;
    drawPeople();
  }

  mesh.addEventListener("peer", ({ detail }) => drawPeer(detail));
  mesh.addEventListener("fed", ({ detail }) => limit(detail, mesh.peers.size));
  mesh.addEventListener("gone", ({ detail: id }) => {
    stage.remove(id);
    stage.screen(id, null, null);
    for (const peer of mesh.peers.values()) limit(peer, mesh.peers.size);
  });
  mesh.addEventListener("state", ({ detail: { id, state, was } }) => {
    const person = personOf(id);
    if (person && state.screen && !was?.screen) say(words.shares, person.name);
    if (person && state.hand && !was?.hand) say(words.hand, person.name);
    const peer = mesh.peers.get(id);
    if (peer) drawPeer(peer);
    drawPeople();
  });
  stage.hear(() => levelsOf(mesh.peers).set(ME, meter.level()));
  stage.addEventListener("arranged", ({ detail: main }) => {
    showControl(element, "grid", stage.grid);
    mesh.look(main);
  });
  stage.addEventListener("silenced", () => {
    const place = find("[data-banners]");
    if (place.querySelector("[data-hear]")) return;
    const banner = shape("tpl-hear");
    banner.querySelector("button").addEventListener("click", () => {
      for (const video of element.querySelectorAll("video")) video.play().catch(() => {});
      banner.remove();
    });
    place.append(banner);
  });

  // -- in and out ---------------------------------------------------------------

  line.addEventListener("call", ({ detail }) => call(detail));
  line.addEventListener("joined", ({ detail: { id, ice, session } }) => {
    clearTimeout(lineBanner);
    find("[data-line]")?.remove();
    const isNew = element.dataset.part !== "on";
    const begins = isNew && inCall.every(({ user }) => String(user) === me);
    part("on");
    mesh.joined(id, ice, session);
    drawMine();
    if (begins && "direct" in element.dataset) people.ringAll();
    if (isNew) find('.call-bar [data-control="mic"]').focus();
  });
  line.addEventListener("away", () => {
    mesh.away();
    clearTimeout(lineBanner);
    lineBanner = setTimeout(() => find("[data-line]") ?? find("[data-banners]").append(shape("tpl-line")), SHORT);
  });
  line.addEventListener("over", ({ detail }) => left(words[`over${detail[0].toUpperCase()}${detail.slice(1)}`]));
  line.addEventListener("refused", ({ detail }) => {
    if (element.dataset.part === "on") left(detail.message);
    else {
      find("[data-join]").disabled = false;
      trouble(detail.message);
    }
  });

  function left(text) {
    clearTimeout(lineBanner);
    find("[data-line]")?.remove();
    mesh.leave();
    mesh.hand = false;
    stage.clear();
    devices.close();
    part("left");
    find("[data-left-words]").textContent = text;
    find("[data-said]").textContent = text;
    find("[data-join]").disabled = false;
    find("[data-join]").focus();
    drawPeople();
  }

  find("[data-join]").addEventListener("click", async () => {
    find("[data-join]").disabled = true;
    trouble("");
    if (element.dataset.part === "left") await devices.open();
    line.join();
  });

  wireControls(element, {
    mic: () => devices.toggleMic(),
    camera: () => devices.toggleCamera(),
    screen: async () => (await devices.toggleScreen()) === "failed" && trouble(words.screenFailed),
    hand: () => {
      mesh.hand = !mesh.hand;
      mesh.tell();
      drawMine();
    },
    grid: () => stage.toggleGrid(),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : element.requestFullscreen()).catch(() => {}),
    float: () => {
      const video = document.pictureInPictureElement ? null : stage.mainPicture();
      (video ? video.requestPictureInPicture() : document.exitPictureInPicture()).catch(() => {});
    },
    settings: () => {
      settings.showModal();
      quality.start();
    },
    leave: () => {
      line.leave();
      left(words.overLeft);
    },
  });
  settings.addEventListener("close", () => quality.stop());
  settings.querySelector("[data-close]").addEventListener("click", () => settings.close());
  document.addEventListener("fullscreenchange", () => showControl(element, "full", document.fullscreenElement !== null));
  for (const button of element.querySelectorAll('[data-control="float"]')) button.hidden = !document.pictureInPictureEnabled;
  wirePicker(document.querySelectorAll("[data-devices]"), devices, words);

  // whatever way there is now, there may be another in a moment
  const moved = () => mesh.restart();
  window.addEventListener("online", moved);
  navigator.connection?.addEventListener?.("change", moved);
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());

  setInterval(() => {
    if (element.dataset.part === "on") find("[data-length]").textContent = clockOf(started ? Date.now() - started : 0);
    else find("[data-level]").value = Math.min(1, meter.level() * 6);
  }, METER);

  drawMine();
  drawPeople();
  devices.open();
  line.start();
  find("[data-join]").disabled = false;
}

/** @param {number} length milliseconds @returns {string} as 5:07 or 1:05:07 */
export function clockOf(length) {
  const seconds = Math.max(0, Math.floor(length / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
