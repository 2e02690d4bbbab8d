// Bundles the front end for its hosts:
//
//     npm run build      writes what stands in the repository, so that Python alone builds the book
//     npm run fresh      says what of that is stale
//
// vaecourse/explorer/explorer.js    one module, for notebooks (anywidget takes one file and no imports) and for pages
//                                   of the reader's own (LatentExplorer.save_page)
// vaecourse/explorer/turning.js     the same for the turning object
// vaecourse/explorer/cube.js        for the cube of three pixels
// vaecourse/explorer/own-path.js    for the reader's own path
// vaecourse/explorer/sound.js       for the plane of vowels
// vaecourse/explorer/lab.js         and for the lab, with jax-js in the text of its worker, and all of explorer.js
// vaecourse/explorer/explorer.css   the style sheet of all
// book/static/explorer/page.js      a classic script, for the book's pages: a page opened from disk may load no module
// book/static/explorer/cube.js      the same for pages with a cube
// book/static/explorer/own-path.js  for pages with a path of the reader's own
// book/static/explorer/sound.js     for pages with a plane of vowels
// book/static/explorer/lab.js       and for pages with a lab
// book/static/predict.js            a classic script, for the pages that ask
// book/static/predict-point.js      for those that ask for a place on the plane
// book/static/predict-report.js     and for the page that tells how the reader predicted

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = path.join(here, "..");

/** A digest of all that the bundles are made of. tests/test_explorer.py takes the same, without Node. */
async function digest() {
  const names = (await readdir(path.join(here, "src"))).map((name) => `src/${name}`);
  const hash = createHash("sha256");
  for (const name of [...names, "build.js", "package.json", "package-lock.json"].sort()) {
    hash.update(`${name}\0`).update(await readFile(path.join(here, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * The text that esbuild makes of src/`entry` and all that it imports.
 * @param {string} entry
 * @param {esbuild.BuildOptions} options
 */
async function bundle(entry, options) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [path.join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    outdir: here, // nothing is written there
    target: "es2022",
    legalComments: "none",
    tsconfigRaw: { compilerOptions: { alwaysStrict: true } },
    logLevel: "warning",
    ...options,
  });
  return outputFiles[0].text;
}

/**
 * Who wrote a package that stands in a bundle, as its licence says: the MIT licence wants that to go along.
 * @param {string} name
 */
async function copyright(name) {
  const text = await readFile(path.join(here, "node_modules", name, "LICENSE"), "utf-8");
  return /Copyright \(c\) (.+)/.exec(text)?.[1];
}

/**
 * Lets a module import another bundle whole: `frontEndOf` of "front-end" is a function that makes what own.js exports.
 * Its text is the script of a page that a reader saves, for no script can read its own file in a page opened from disk.
 * @param {string} text  of that bundle, in which it is called frontEnd
 * @returns {esbuild.Plugin}
 */
const frontEnd = (text) => ({
  name: "front-end",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^front-end$/ }, ({ path }) => ({ path, namespace: "bundle" }));
    onLoad({ filter: /.*/, namespace: "bundle" }, () => ({
      contents: `export function frontEndOf() { ${text} return frontEnd; }`,
    }));
  },
});

/** The text of every file that is built, by its place in the repository. */
async function built() {
  const note = `vaecourse, MIT licence. Built from web/ (digest ${await digest()}): edit that, then make web.`;
  const banner = { js: `/*! ${note} */`, css: `/*! ${note} */` };
  const define = { WORKER_TEXT: JSON.stringify(await bundle("worker.js", { format: "iife" })) };
  const jax = `jax-js, MIT licence, Copyright (c) ${await copyright("@jax-js/jax")}`;
  const own = await bundle("own.js", { format: "iife", define, globalName: "frontEnd" });
  const lab = {
    plugins: [frontEnd(own)],
    banner: { js: `/*! ${note} With ${jax}. */` },
    define: {
      LAB_WORKER_TEXT: JSON.stringify(await bundle("lab-worker.js", { format: "iife" })),
      STYLE_TEXT: JSON.stringify(await bundle("explorer.css", {})),
    },
  };
  // A page of the reader's own has the module's text in it. It calls what the module holds, so that has a name there.
  const named = { globalName: "frontEnd", footer: { js: "export default frontEnd.default;" } };
  return {
    "vaecourse/explorer/explorer.js": await bundle("own.js", { format: "iife", define, banner, ...named }),
    "vaecourse/explorer/turning.js": await bundle("turning.js", { format: "esm", banner }),
    "vaecourse/explorer/cube.js": await bundle("cube.js", { format: "esm", banner }),
    "vaecourse/explorer/own-path.js": await bundle("own-path.js", { format: "esm", banner }),
    "vaecourse/explorer/sound.js": await bundle("sound.js", { format: "esm", banner }),
    "vaecourse/explorer/lab.js": await bundle("lab-own.js", { format: "esm", ...lab }),
    "vaecourse/explorer/explorer.css": await bundle("explorer.css", { banner }),
    "book/static/explorer/page.js": await bundle("page.js", { format: "iife", define, banner }),
    "book/static/explorer/cube.js": await bundle("cube-page.js", { format: "iife", banner }),
    "book/static/explorer/own-path.js": await bundle("own-path-page.js", { format: "iife", banner }),
    "book/static/explorer/sound.js": await bundle("sound-page.js", { format: "iife", banner }),
    "book/static/explorer/lab.js": await bundle("lab-page.js", { format: "iife", ...lab }),
    "book/static/predict.js": await bundle("predict.js", { format: "iife", banner }),
    "book/static/predict-point.js": await bundle("predict-point-page.js", { format: "iife", banner }),
    "book/static/predict-report.js": await bundle("predict-report.js", { format: "iife", banner }),
  };
}

const compare = process.argv.includes("--compare");
for (const [name, text] of Object.entries(await built())) {
  const file = path.join(root, name);
  if (!compare) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    console.log(`${name}: ${(text.length / 1000).toFixed(1)} kB`);
  } else if ((await readFile(file, "utf-8").catch(() => "")) !== text) {
    console.error(`${name} is stale: run make web.`);
    process.exitCode = 1;
  }
}
