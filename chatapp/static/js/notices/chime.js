// A short, soft sound, made here: two notes that fade.

const NOTES = [[659.25, 0], [880, 0.11]]; // hertz, seconds from now
const LENGTH = 0.35;
const LOUD = 0.08;

/** @type {AudioContext | undefined} */
let audio;

/** Silent where the browser wants a click first. */
export function chime() {
  audio ??= new AudioContext();
  audio.resume().then(() => {
    for (const [pitch, start] of NOTES) note(audio.currentTime + start, pitch);
  }, () => {});
}

function note(at, pitch) {
  const tone = new OscillatorNode(audio, { frequency: pitch, type: "sine" });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUD, at + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + LENGTH);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + LENGTH);
}
