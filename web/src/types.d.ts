// Types that several modules share, for tsc alone.

/** The worker's whole text: build.js puts it there. */
declare const WORKER_TEXT: string;

/** The same of the lab's worker, with jax-js in it. */
declare const LAB_WORKER_TEXT: string;

/** The style sheet's text, for a page that a reader saves. */
declare const STYLE_TEXT: string;

/** All of own.js in one function: build.js makes this module. */
declare module "front-end" {
  export function frontEndOf(): typeof import("./own.js");
}

/** A code (z1, z2), or a place on a canvas. */
type Pair = [number, number];

/** Hears where the reader wants the point. */
type Move = (z1: number, z2: number) => void;

/** Numbers that can be read one by one. */
type Numbers = ArrayLike<number>;

/** The bytes of a trait, as one host or another hands them over. */
type Bytes = ArrayBuffer | ArrayBufferView;

/** A tensor of a safetensors file. */
type Tensor = { shape: number[]; data: Float32Array };

/** What a front end uses of anywidget's model, whose traits are T. */
interface Host<T> {
  get<Name extends keyof T & string>(name: Name): T[Name];
  set(name: string, value: unknown): void;
  on(event: string, then: () => void): void;
  off?(event: string, then: () => void): void;
  save_changes(): void;
  widget_manager: { get_model(id: string): Promise<{ get(name: string): unknown }> };
}

/** What a host hands over to draw a widget: its traits, a place, and in newer ones what says that the place is gone. */
type Face<T> = { model: Host<T>; el: HTMLElement; signal?: AbortSignal };

/** Draws a widget into an element; returns what takes it away again. */
type Render<T> = (face: Face<T>) => () => void;

/** A map over the plane: its size, its range, what it is called, and how far it reaches. */
interface Heat {
  width: number;
  height: number;
  low: number;
  high: number;
  name: string;
  title?: string;
  reach?: number;
}

/** The traits of LatentExplorer (vaecourse/explorer/latent.py). */
interface PlaneTraits {
  z1: number;
  z2: number;
  t: number;
  ends: Pair[];
  background: string;
  spec: {
    extent: number;
    names: string[];
    draw: boolean;
    path: boolean;
    caption: string;
    heat: Heat | null;
    pictures: string[];
  };
  weights: Bytes | string;
  codes: Bytes;
  labels: Bytes;
  heat: Bytes;
  path: Bytes;
  images: Bytes;
}

/** The traits of TurningObject (vaecourse/explorer/turning.py). */
interface TurningTraits {
  angle: number;
  object: number;
  spec: {
    names: string[];
    views: number;
    every: number;
    side: number;
    dim: number;
    photos: string[];
    caption: string;
  };
  weights: Bytes | string;
  codes: Bytes;
}

/** The traits of PixelCube (vaecourse/explorer/cube.py). */
interface CubeTraits {
  z1: number;
  z2: number;
  x: number[];
  ends: Pair[];
  yaw: number;
  pitch: number;
  show: string[];
  cut: number;
  cut_axis: number;
  sigma: number;
  spec: {
    dim: number;
    extent: number;
    names: string[];
    caption: string;
    learn: boolean;
    hold: boolean;
    world: { second: "ink" | "width" | null; width: number } | null;
  };
  weights: Bytes;
  pictures: Bytes;
  labels: Bytes;
}

/** The traits of OwnPath (vaecourse/explorer/own_path.py). */
interface OwnPathTraits {
  own: Pair[];
  scores: Record<string, import("./path-score.js").Scores>;
  spec: {
    extent: number;
    names: string[];
    a: Pair;
    b: Pair;
    maps: Record<"doubt" | "distance", { width: number; height: number; low: number; high: number }>;
    ways: Record<string, number>; // how many points each has
    rows: Record<string, Partial<import("./path-score.js").Scores>>;
    caption: string;
  };
  weights: Bytes | string;
  codes: Bytes;
  labels: Bytes;
  maps: Bytes;
  ways: Bytes;
}

/** The traits of SoundPlane (vaecourse/explorer/sound.py). */
interface SoundTraits {
  z1: number;
  z2: number;
  t: number;
  way: "point" | "plane" | "fade" | "truth";
  ends: string[];
  spec: {
    extent: number;
    named: Record<string, Pair>; // places of jaw and tongue
    filter: import("./vowel.js").Filter;
    caption: string;
  };
  weights: Bytes | string;
}

/** The traits of TrainingLab (vaecourse/explorer/lab.py). */
interface LabTraits {
  running: boolean;
  step: number;
  elbo: number | null;
  spec: import("./lab-data.js").Facts & {
    sigma: number | null;
    beta: number;
    seed: number;
    caption: string;
    page_images: string[];
  };
  data: Bytes;
  weights: Bytes;
}

interface Window {
  trainingLabImages?: Record<string, (file: import("./lab-data.js").Facts & { data: string }) => void>;
  latentExplorerWeights?: Record<string, (text: string) => void>;
  latentExplorerComing?: Map<string, Promise<Bytes>>;
  latentExplorer: { render(face: Face<any>, name: string): Promise<() => void> };
}

/** Kinds of questions that a script before predict.js has brought. */
declare var askKinds: Record<string, import("./predict-kinds.js").Kind> | undefined;
