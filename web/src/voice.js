// The voice: a tone for each harmonic, as loud as a picture says. Nothing sounds, nor is anything made ready to, before
// the reader asks for it; and however a picture looks, the sound never gets louder than LOUDEST.

export const LOUDEST = 0.5; // of full scale, at the largest volume
const GLIDE = 0.02; // seconds in which a tone comes near its new loudness: no click, and no delay to notice
const ENDING = 0.25; // seconds until a fading sound is silent
const STARTED = "vaecourse-sound"; // an event on the window: one voice at a time

/**
 * How loud the tones are for a picture, 1 all together, so that they never swing beyond 1.
 * @param {Numbers} x  levels as shares of a scale
 * @param {number} range  of that scale, in dB
 */
export function amplitudes(x, range) {
  const all = Float64Array.from(x, (share) => 10 ** ((range * share) / 20));
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((a) => a / sum);
}

/**
 * Tones of which each has its loudness.
 * @param {BaseAudioContext} context
 * @param {number} pitch  Hz, of the lowest
 * @param {Numbers} first  their loudness
 */
export function choir(context, pitch, first) {
  const out = new GainNode(context, { gain: 0 });
  const tones = Array.from(first, (gain, i) => {
    const loudness = new GainNode(context, { gain });
    const tone = new OscillatorNode(context, { frequency: pitch * (i + 1) });
    tone.connect(loudness).connect(out);
    tone.start();
    return loudness.gain;
  });
  /** @param {Numbers} next */
  const set = (next) => {
    tones.forEach((gain, i) => {
      gain.setTargetAtTime(next[i], context.currentTime, GLIDE);
    });
  };
  return { out, set };
}

export class Voice {
  /**
   * @param {number} pitch
   * @param {(on: boolean) => void} changed
   */
  constructor(pitch, changed) {
    this.pitch = pitch;
    this.changed = changed;
    this.on = false;
    this.volume = 0;
    /** @type {Numbers} */
    this.tones = [];
    /** @type {AudioContext | undefined} */
    this.context = undefined;
    /** @type {ReturnType<typeof choir> | undefined} */
    this.choir = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.hush = () => this.stop();
    this.leave = () => document.hidden && this.stop();
    this.other = (/** @type {Event} */ event) => /** @type {CustomEvent} */ (event).detail !== this && this.stop();
    window.addEventListener("blur", this.hush);
    window.addEventListener(STARTED, this.other);
    document.addEventListener("visibilitychange", this.leave);
  }

  /** Begins to sound: by a press of the reader's alone, or the browser forbids it. */
  async start() {
    window.dispatchEvent(new CustomEvent(STARTED, { detail: this }));
    this.on = true;
    this.changed(true);
    clearTimeout(this.timer);
    this.context ??= new AudioContext();
    if (!this.choir) {
      this.choir = choir(this.context, this.pitch, this.tones);
      this.choir.out.connect(this.context.destination);
    }
    await this.context.resume();
    if (!this.on) return;
    this.choir.set(this.tones);
    this.setVolume(this.volume);
  }

  /** Fades, and rests. */
  stop() {
    if (!this.on) return;
    this.on = false;
    this.changed(false);
    this.fade(0);
    this.timer = setTimeout(() => this.context?.suspend(), 1000 * ENDING);
  }

  /** @param {Numbers} tones  how loud each is */
  sound(tones) {
    this.tones = Array.from(tones);
    if (this.on) this.choir?.set(tones);
  }

  /** @param {number} volume  from 0 to 1 */
  setVolume(volume) {
    this.volume = Math.min(1, Math.max(0, volume));
    if (this.on) this.fade(LOUDEST * this.volume ** 2); // squared: loudness is heard by ratios
  }

  /** @param {number} gain */
  fade(gain) {
    if (this.context) this.choir?.out.gain.setTargetAtTime(gain, this.context.currentTime, GLIDE);
  }

  close() {
    this.on = false;
    clearTimeout(this.timer);
    window.removeEventListener("blur", this.hush);
    window.removeEventListener(STARTED, this.other);
    document.removeEventListener("visibilitychange", this.leave);
    this.context?.close();
  }
}
