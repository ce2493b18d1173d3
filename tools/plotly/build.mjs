/**
 * Bundles Plotly with the kinds of traces that the page and its pictures draw, and no
 * others: scatter, which its core has, and bar.
 *
 *     node build.mjs OUTPUT     in a folder with plotly.js and esbuild installed
 *
 * The first line has browsers compile all of it while it arrives, outside the thread that
 * draws: most of its functions are called at load, or for the first chart.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { build } from "esbuild";

const { version } = createRequire(import.meta.url)("plotly.js/package.json");
const ENTRY = `
  const Plotly = require("plotly.js/lib/core");
  Plotly.register(require("plotly.js/lib/bar"));
  module.exports = Plotly;`;

// What describes attributes for Plotly's reference; its own bundles are without it, too.
const TEXT = /'(?:[^'\\\n]|\\.)*'/.source;
const ITEM = String.raw`(?:${TEXT}|[\w.]+)`;
const TEXTS = String.raw`\[\s*${ITEM}(?:\s*,\s*${ITEM})*\s*\]\.join\(\s*' '\s*\)`;
const DESCRIPTIONS = new RegExp(String.raw`\bdescription:\s*(?:${TEXT}|${TEXTS})(?:,|(?=\s*\}))`, "g");
const withoutDescriptions = {
  name: "without descriptions",
  setup({ onLoad }) {
    onLoad({ filter: /plotly\.js\/src\/.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(DESCRIPTIONS, ""),
    }));
  },
};

await build({
  stdin: { contents: ENTRY, resolveDir: import.meta.dirname ?? "." },
  outfile: process.argv[2],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plotly",
  target: "es2022",
  alias: { stream: "stream-browserify" },
  // That of maps.
  loader: { ".css": "empty" },
  define: { global: "window", "define.amd": "false" },
  legalComments: "eof",
  banner: {
    js: `//# allFunctionsCalledOnLoad\n/* plotly.js (bar, scatter - minified) v${version} */`,
  },
  plugins: [withoutDescriptions],
});
