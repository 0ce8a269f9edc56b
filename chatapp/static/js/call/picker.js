// The choice of devices, wherever the page has a place for it.

import { shape } from "../page.js";

const KINDS = /** @type {const} */ (["mic", "camera", "speaker"]);

/**
 * @param {NodeListOf<HTMLElement>} places
 * @param {import("./devices.js").Devices} devices
 * @param {DOMStringMap} words
 */
export function wirePicker(places, devices, words) {
  const names = { mic: words.deviceMic, camera: words.deviceCamera, speaker: words.deviceSpeaker };
  const draw = async () => {
    const list = await devices.list();
    // not every browser lets one choose where the sound goes
    const kinds = KINDS.filter((kind) => list[kind].length > 0 && (kind !== "speaker" || "setSinkId" in HTMLMediaElement.prototype));
    places.forEach((place, number) => {
      place.replaceChildren(...kinds.map((kind) => field(`device-${kind}-${number}`, kind, names[kind], list[kind])));
    });
  };
  const field = (id, kind, name, list) => {
    const part = shape("tpl-device");
    const [label, select] = [part.querySelector("label"), part.querySelector("select")];
    label.htmlFor = select.id = id;
    label.textContent = name;
    select.append(new Option(words.deviceDefault, ""));
    list.forEach((device, place) => {
      const called = device.label || words.deviceN.replace("%1", name).replace("%n", String(place + 1));
      select.append(new Option(called, device.deviceId));
    });
    select.value = list.some((device) => device.deviceId === devices.chosen[kind]) ? devices.chosen[kind] : "";
    select.addEventListener("change", async () => {
      await devices.choose(kind, select.value);
      draw();
    });
    return part;
  };
  devices.addEventListener("devices", draw);
  draw();
}
