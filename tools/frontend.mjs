// Builds app/static/vendor from node_modules and app/static/{css,js}; run after `npm ci`.
// Everything it writes can be thrown away: one style sheet, one script with its chunks, the icon sprite, the fonts.
import { build } from "esbuild";
import { PurgeCSS } from "purgecss";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const source = join(root, "app/static");
const shipped = join(source, "vendor");
const out = join(modules, ".vendor"); // made here and moved at the end: a running server always finds its files

/** All files below `folder` whose name ends with one of `endings`. */
function files(folder, endings) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === shipped ? [] : files(path, endings);
    return endings.some((end) => entry.name.endsWith(end)) ? [path] : [];
  });
}

const templates = files(join(root, "templates"), [".html"]);
const python = files(join(root, "app"), [".py"]);
const scripts = files(join(source, "js"), [".js"]);

/** The part of Tabler whose classes occur in a template, a script or a Python file. */
async function tabler() {
  const css = readFileSync(join(modules, "@tabler/core/dist/css/tabler.min.css"), "utf8");
  const [result] = await new PurgeCSS().purge({
    content: [...templates, ...python, ...scripts],
    css: [{ raw: css }],
    variables: true,
    keyframes: true,
    // Class names are found as whole words, so that "btn" does not keep every class that contains it.
    defaultExtractor: (text) => text.match(/[A-Za-z][\w-]*/g) ?? [],
    // Plain words of our texts, or names that mean something else in our templates.
    blocklist: [
      "grid",
      "mark",
      "steps",
      "legend",
      "vr",
      "card",
      "list",
      "page",
      "col",
      "row",
      "tag",
      "tags",
      "toolbar",
      "popover",
      "empty",
      "timeline",
      "figure",
      "map",
      "progress",
      "status",
      "toast",
      "tooltip",
      "loader",
      "signal",
      "container",
      "show",
      "showing",
      "breadcrumb",
      "chart",
      "ratio",
      "alert",
      "placeholder",
      "footer",
      "nav",
      "table",
      "tracking",
      "active",
      "btn-check",
      "lead",
      "collapse",
      "visible",
    ],
  });
  return result.css.replace(/@charset "[^"]*";/g, "");
}

/** tools/icons.txt plus every icon a template or a declaration names. */
function iconNames() {
  const listed = readFileSync(join(root, "tools/icons.txt"), "utf8")
    .split("\n")
    .map((line) => line.split("#")[0].trim())
    .filter(Boolean);
  const missing = listed.filter((name) => !existsSync(iconFile(name)));
  if (missing.length) throw new Error(`tools/icons.txt names unknown icons: ${missing.join(", ")}`);
  const named = [...templates, ...python].flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/icon(?:\(|=|"?:\s*)["']([a-z0-9-]+)["']/g)].map((match) => match[1]),
  );
  return [...new Set([...listed, ...named.filter((name) => existsSync(iconFile(name)))])].sort();
}

const iconFile = (name) => join(modules, "@tabler/icons/icons/outline", `${name}.svg`);

/** One SVG file with a <symbol> for each icon; the macro `icon` refers to it with <use>. */
function sprite() {
  const symbols = iconNames().map((name) => {
    const svg = readFileSync(iconFile(name), "utf8");
    const paths = svg
      .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
      .replace(/\s*\n\s*/g, "")
      .replace(/<path stroke="none"[^>]*>/, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${paths}</symbol>`;
  });
  writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

/** Latin for nearly every page; latin-ext and the mono face load only where a page has such letters. */
function fonts() {
  mkdirSync(join(out, "fonts"), { recursive: true });
  for (const [name, subset] of [
    ["inter", "latin"],
    ["inter", "latin-ext"],
    ["jetbrains-mono", "latin"],
  ]) {
    copyFileSync(
      join(modules, `@fontsource-variable/${name}/files/${name}-${subset}-wght-normal.woff2`),
      join(out, `fonts/${name}-${subset}.woff2`),
    );
  }
}

async function styles() {
  const generated = {
    name: "tabler",
    setup(api) {
      api.onResolve({ filter: /^tabler$/ }, () => ({ path: "tabler", namespace: "generated" }));
      api.onLoad({ filter: /.*/, namespace: "generated" }, async () => ({ contents: await tabler(), loader: "css" }));
    },
  };
  const entries = ["steward", "select"].map((name) => join(source, `css/${name}.css`));
  await build({
    entryPoints: entries,
    outdir: out,
    bundle: true,
    minify: true,
    plugins: [generated],
    nodePaths: [modules],
    external: ["*.woff2", "*.svg"],
    target: ["chrome120", "firefox121", "safari17"],
    logLevel: "warning",
    absWorkingDir: root,
  });
}

async function javascript() {
  await build({
    entryPoints: [join(source, "js/steward.js")],
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    splitting: true,
    chunkNames: "chunk-[hash]",
    nodePaths: [modules],
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    absWorkingDir: root,
  });
}

/** A gzip twin beside each text file, for servers that can send it, and a manifest of content hashes. */
function finish() {
  const manifest = {};
  for (const path of walk(out)) {
    const data = readFileSync(path);
    manifest[relative(out, path)] = createHash("sha256").update(data).digest("hex").slice(0, 12);
    if (!path.endsWith(".woff2")) writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }));
  }
  writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
  for (const name of Object.keys(manifest))
    console.log(`${String(statSync(join(out, name)).size).padStart(8)}  ${name}`);
}

const walk = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
  );

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
fonts();
sprite();
await Promise.all([styles(), javascript()]);
finish();
rmSync(shipped, { recursive: true, force: true });
renameSync(out, shipped);
