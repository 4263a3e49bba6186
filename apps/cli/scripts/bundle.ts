// Bundles the CLI into CommonJS files: `node --conditions=@coffer/source scripts/bundle.ts OUTPUT_FOLDER`.
// CommonJS, because it starts a sixth faster than ESM; one file per command, because nothing is loaded that a command does not use.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Plugin, rolldown } from "rolldown";

// What a command does not use costs nothing, and each file that is opened costs about as much as ten kilobytes in one that is open: so there is one
// file with what every command needs, one that finds the stack, one for the lists of what is installed, one for what reads secrets, one for what writes them.
const GROUPS: readonly (readonly [name: string, modules: RegExp])[] = [
  [
    "main",
    /lazy:node|[\\/]core[\\/]src[\\/]spec\.ts$|[\\/]cli[\\/]src[\\/](?:run|integrations|output[\\/](?:write|value-text|table|list))\.ts$/,
  ],
  ["definitions", /[\\/]stack[\\/]src[\\/]read\.ts$|[\\/]cli[\\/]src[\\/]stack\.ts$/],
  [
    "installed",
    /[\\/]cli[\\/]src[\\/]commands[\\/](?:problems|schema[\\/]list|secrets-manager[\\/]flavor-list)\.ts$|[\\/]core[\\/]src[\\/]discovery\.ts$/,
  ],
  ["secrets", /[\\/]cli[\\/]src[\\/](?:session|commands[\\/]secret[\\/](?:get|list))\.ts$|[\\/]local[\\/]src[\\/](?:index|driver)\.ts$/],
  ["write", /[\\/]cli[\\/]src[\\/]commands[\\/]secret[\\/](?:register|update|delete)\.ts$|[\\/]local[\\/]src[\\/]creation\.ts$/],
];

// Built-in modules of which a command may need a function, but most do not: they are loaded when it is called.
const SELDOM = /^node:(?:fs\/promises|os|timers\/promises|url)$/;

const root = resolve(import.meta.dirname, "..");

/** Bundles into `folder`, which is emptied first. */
export async function bundle(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const build = await rolldown({
    cwd: root,
    input: { bin: "src/bin.ts" },
    platform: "node",
    external: [/^node:(?!(?:fs\/promises|os|timers\/promises|url)$)/, "@napi-rs/keyring"],
    resolve: { conditionNames: ["@coffer/source", "node", "import", "module", "default"] },
    checks: { unresolvedImport: true },
    plugins: [lazyBuiltins, asciiOnly],
  });
  const { output } = await build.write({
    dir: folder,
    format: "cjs",
    minify: true,
    codeSplitting: { groups: GROUPS.map(([name, test], index) => ({ name, test, priority: GROUPS.length - index })) },
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    comments: { legal: false, annotation: false, jsdoc: false },
  });
  await build.close();
  const modules = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  writeFileSync(join(folder, "third-party-licenses.txt"), licences(modules));
}

/** Stands in for a built-in module with functions and tables that load it on their first use. */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  resolveId: {
    filter: { id: SELDOM },
    handler: (id) => ({ id: `\0lazy:${id}`, moduleSideEffects: false }),
  },
  load: {
    // eslint-disable-next-line no-control-regex -- the mark of a module that is no file
    filter: { id: /^\0lazy:/ },
    handler: (id) => {
      const name = id.slice("\0lazy:".length);
      const asked = `process.getBuiltinModule(${JSON.stringify(name)})`;
      const members = Object.entries(process.getBuiltinModule(name) as Record<string, unknown>).flatMap(([key, value]) => {
        // Classes are called with `new`, which a stand-in cannot pass on.
        if (typeof value === "function" && /^[a-z]/.test(key)) return [`const ${key} = (...parameters) => ${asked}.${key}(...parameters);`];
        if (typeof value !== "object" || value === null || !/^[a-z]\w*$/.test(key)) return [];
        const parts = Object.keys(value).map(
          (part) => `get ${JSON.stringify(part)}() { return ${asked}.${key}[${JSON.stringify(part)}]; }`,
        );
        return [`const ${key} = { ${parts.join(", ")} };`];
      });
      return members
        .filter((member) => !member.startsWith("const default "))
        .map((member) => `export ${member}`)
        .join("\n");
    },
  },
};

/** V8 keeps a source that is all ASCII in half the memory, and reads it faster. */
const asciiOnly: Plugin = {
  name: "ascii-only",
  renderChunk: (code) => code.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
};

/** The licence of every package of somebody else of which code is in the bundle. */
function licences(modules: readonly string[]): string {
  const folders = new Set<string>();
  for (const module of modules) {
    const match = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(module);
    if (match?.[1] !== undefined) folders.add(match[1]);
  }
  const texts = [...folders].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} is bundled and has no licence file in ${dirname(folder)}.`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  return `The files of this folder contain code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    process.stderr.write("Name the output folder: node --conditions=@coffer/source scripts/bundle.ts dist\n");
    process.exitCode = 2;
  } else await bundle(resolve(folder));
}
