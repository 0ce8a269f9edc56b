// What this tab sends: microphone, camera, screen. Remembers which devices were chosen.
//
// 1. Muting keeps the microphone, so that speaking goes on at once; a camera that is off is given back.
// 2. Nothing here throws: what went wrong is told by "trouble", and the rest goes on without it.

const CHOSEN = "chatapp:call:devices";
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const REASONS = {
  NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", OverconstrainedError: "missing",
  NotReadableError: "busy", AbortError: "busy",
};

/** @typedef {"mic" | "camera"} Kind */

/** Events: "changed" after every change of what is sent; "trouble" with {kind, reason}; "devices" when some came or went. */
export class Devices extends EventTarget {
  /** @type {MediaStreamTrack | null} */
  mic = null;
  /** @type {MediaStreamTrack | null} */
  camera = null;
  /** @type {MediaStream | null} */
  screen = null;
  muted = false;

  /** @param {Storage} storage */
  constructor(storage) {
    super();
    this.storage = storage;
    this.chosen = read(storage);
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.dispatchEvent(new Event("devices")));
  }

  get micOn() {
    return this.mic !== null && !this.muted;
  }

  /** Asks for both at once, since browsers ask the reader once for each time. */
  async open() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#trouble("mic", "insecure");
      return;
    }
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ audio: this.#sound(), video: this.#picture() }));
    } catch {
      await this.start("mic");
      await this.start("camera");
    }
  }

  /** @param {Kind} kind @returns {Promise<boolean>} whether it runs */
  async start(kind) {
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "insecure");
      this.#take(await navigator.mediaDevices.getUserMedia(kind === "mic" ? { audio: this.#sound() } : { video: this.#picture() }));
      return true;
    } catch (error) {
      this.#trouble(kind, REASONS[error.name] ?? (error.name === "insecure" ? "insecure" : "failed"));
      return false;
    }
  }

  async toggleMic() {
    if (this.mic === null) {
      this.muted = false;
      await this.start("mic");
    } else {
      this.muted = !this.muted;
      this.mic.enabled = !this.muted;
      this.#changed();
    }
  }

  async toggleCamera() {
    if (this.camera === null) await this.start("camera");
    else this.#drop("camera");
  }

  /** @returns {Promise<"started" | "stopped" | "refused" | "failed">} */
  async toggleScreen() {
    if (this.screen) {
      this.stopScreen();
      return "stopped";
    }
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
      const [picture] = stream.getVideoTracks();
      picture.contentHint = "detail";
      picture.addEventListener("ended", () => this.screen === stream && this.stopScreen()); // the browser's own bar
      this.screen = stream;
      this.#changed();
      return "started";
    } catch (error) {
      return error.name === "NotAllowedError" ? "refused" : "failed";
    }
  }

  stopScreen() {
    for (const track of this.screen?.getTracks() ?? []) track.stop();
    this.screen = null;
    this.#changed();
  }

  /** @param {Kind | "speaker"} kind @param {string} id */
  async choose(kind, id) {
    this.chosen[kind] = id;
    this.storage.setItem(CHOSEN, JSON.stringify(this.chosen));
    if (kind === "speaker") this.#changed();
    else if (this[kind] !== null) await this.start(kind);
  }

  /** @returns {Promise<Record<Kind | "speaker", MediaDeviceInfo[]>>} */
  async list() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId !== "");
    return { mic: of("audioinput"), camera: of("videoinput"), speaker: of("audiooutput") };
  }

  close() {
    this.stopScreen();
    this.#drop("mic");
    this.#drop("camera");
  }

  #sound() {
    return { ...SOUND, ...(this.chosen.mic ? { deviceId: { ideal: this.chosen.mic } } : {}) };
  }

  #picture() {
    // a phone's front camera, unless another was chosen
    return { ...PICTURE, ...(this.chosen.camera ? { deviceId: { ideal: this.chosen.camera } } : { facingMode: "user" }) };
  }

  #take(stream) {
    for (const track of stream.getTracks()) {
      const kind = track.kind === "audio" ? "mic" : "camera";
      this[kind]?.stop();
      this[kind] = track;
      if (kind === "mic") track.enabled = !this.muted;
      track.addEventListener("ended", () => this[kind] === track && this.#lost(kind)); // unplugged, or taken away
    }
    this.#changed();
    this.dispatchEvent(new Event("devices")); // their names are told only now
  }

  #lost(kind) {
    this[kind] = null;
    this.#trouble(kind, "missing");
    this.#changed();
  }

  #drop(kind) {
    this[kind]?.stop();
    this[kind] = null;
    this.#changed();
  }

  #trouble(kind, reason) {
    this.dispatchEvent(new CustomEvent("trouble", { detail: { kind, reason } }));
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}

function read(storage) {
  const none = { mic: "", camera: "", speaker: "" };
  try {
    return { ...none, ...JSON.parse(storage.getItem(CHOSEN) ?? "{}") };
  } catch {
    return none;
  }
}
