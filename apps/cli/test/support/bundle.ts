import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle } from "../../scripts/bundle.ts";

const workspace = resolve(import.meta.dirname, "../../../..");
const cache = join(workspace, "node_modules/.cache/coffer-cli");
const SOURCES = ["apps/cli/src", "apps/cli/scripts", "packages/core/src", "packages/local/src"];
const HOUR_MS = 3_600_000;

let made: Promise<string> | undefined;

/** The bundled `bin.cjs` of the present sources. Made when they have changed, shared by all test files and runs. */
export function cofferBin(): Promise<string> {
  return (made ??= make());
}

async function make(): Promise<string> {
  const folder = join(cache, fingerprint());
  const bin = join(folder, "dist/bin.cjs");
  if (existsSync(bin)) return bin;
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(cache))
    if (Date.now() - statSync(join(cache, old)).mtimeMs > HOUR_MS) rmSync(join(cache, old), { recursive: true, force: true });
  // Another worker may be doing the same; whoever renames first wins, both results are equal.
  const draft = `${folder}.${process.pid}`;
  await bundle(join(draft, "dist"));
  try {
    renameSync(draft, folder);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
  return bin;
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    for (const entry of readdirSync(join(workspace, source), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      hash.update(path).update("\0").update(readFileSync(path));
    }
  }
  return hash.digest("hex").slice(0, 24);
}
