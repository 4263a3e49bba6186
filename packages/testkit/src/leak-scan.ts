import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type LeakForm, leakForms } from "./leak-forms.ts";

const SHORTEST_CANARY = 12;

/** Where to look, and for what. */
export interface LeakScanOptions {
  /** The values that must not be found: long and random, made for one test. At least 12 characters each, or chance finds them. */
  readonly canary: string | readonly string[];
  /** Texts by the name that a finding is reported under: stdout, a log, the JSON of an error. */
  readonly texts?: Readonly<Record<string, string | Uint8Array>>;
  /** Folders, searched with everything below them. Symbolic links are not followed; their targets count as text. */
  readonly directories?: readonly string[];
  /** Also search the command line and the environment of every process of this machine that may be looked at. Linux only. */
  readonly processes?: boolean;
  /** Paths that may hold the value: the store itself, the file that it was read from. Told the full path; `true` leaves it out. */
  ignore?(path: string): boolean;
}

/** One finding. It names the form, never the text. */
export interface Leak {
  /** The name of the text, or the path of the file. A file whose name is the leak is told by that name. */
  readonly where: string;
  readonly form: LeakForm["form"];
  /** Where in it, in bytes. */
  readonly offset: number;
}

/**
 * Searches texts, files and processes for canary values: as they are, JSON-escaped, URL-encoded, hexadecimal, base64 at each of its three offsets,
 * and their first 8 characters. An empty answer means that nothing was found.
 * @throws TypeError when a canary is too short to be told from chance
 * @throws Error when a file or folder cannot be read: what was not searched is not reported as clean
 */
export async function leakScan(options: LeakScanOptions): Promise<Leak[]> {
  const canaries = typeof options.canary === "string" ? [options.canary] : options.canary;
  if (canaries.length === 0 || canaries.some((canary) => canary.length < SHORTEST_CANARY)) {
    throw new TypeError(`A canary has at least ${SHORTEST_CANARY} characters; a shorter one is found by chance.`);
  }
  const forms = canaries.flatMap((canary) => leakForms(canary)).map(({ form, text }) => ({ form, bytes: Buffer.from(text, "utf8") }));
  const leaks: Leak[] = [];
  const search = (where: string, content: string | Uint8Array): void => {
    const bytes =
      typeof content === "string" ? Buffer.from(content, "utf8") : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const found = new Set<LeakForm["form"]>();
    for (const form of forms) {
      const offset = found.has(form.form) ? -1 : bytes.indexOf(form.bytes);
      if (offset < 0) continue;
      found.add(form.form);
      leaks.push({ where, form: form.form, offset });
    }
  };
  for (const [name, text] of Object.entries(options.texts ?? {})) search(name, text);
  for (const directory of options.directories ?? []) {
    for await (const { path, content } of filesBelow(directory, (candidate) => options.ignore?.(candidate) === true)) search(path, content);
  }
  if (options.processes === true) for await (const { path, content } of processTexts()) search(path, content);
  return leaks;
}

/** Every file below a folder, and its name: a value in the name of a file is a leak too. */
async function* filesBelow(
  directory: string,
  ignored: (path: string) => boolean,
): AsyncIterable<{ readonly path: string; readonly content: string | Uint8Array }> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (ignored(path)) continue;
    yield { path: `the name of ${path}`, content: entry.name };
    if (entry.isDirectory()) yield* filesBelow(path, ignored);
    else if (entry.isSymbolicLink()) yield { path, content: await readlink(path) };
    else if (entry.isFile()) yield { path, content: await readFile(path) };
  }
}

async function* processTexts(): AsyncIterable<{ readonly path: string; readonly content: Uint8Array }> {
  for (const id of await readdir("/proc")) {
    if (!/^\d+$/.test(id)) continue;
    for (const file of ["cmdline", "environ"]) {
      const path = `/proc/${id}/${file}`;
      // A process may end while it is looked at, and those of other users are closed to us; both are no place where we can have leaked to.
      const content = await readFile(path).catch(() => undefined);
      if (content !== undefined) yield { path, content };
    }
  }
}
