import { linkSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { printable, SecretsError } from "@coffer/core";
import { isObject, shellQuoted } from "./source-file.ts";
import { discard, removeFile, withFileErrors } from "./write-file.ts";

const PATIENCE_MS = 10_000;

/** A lock that is held. */
export interface HeldLock {
  /** @throws SecretsError `conflict` when the lock may have been taken away: what is about to be written could be based on what is gone */
  assertHeld(): void;
}

/**
 * Runs work that only one process may do at a time.
 *
 * The lock is a file that appears complete (`link` fails where the name is taken) and says who holds it: machine, boot, process and when that was started.
 * Whether it is stale is decided by asking whether that process still lives, never by a clock: a killed holder is recognised at once, a stopped one keeps its
 * lock, and a process id that was used again is told by its start. Who is on another machine or in another container cannot be asked about; such a lock is
 * waited for and named in the error. A stale lock is removed by whoever holds the lock of *that*, so that no live lock is ever removed with it.
 * (SQLite's locks would need the loading of SQLite for files of a kilobyte; locks on files of the system are not to be had in Node.)
 * @throws SecretsError `timeout` naming the holder
 */
export async function withLock<Result>(path: string, work: (lock: HeldLock) => Promise<Result>, patienceMs = PATIENCE_MS): Promise<Result> {
  const token = randomUUID();
  await acquire(path, token, process.hrtime.bigint() + BigInt(patienceMs) * 1_000_000n);
  try {
    return await work({
      assertHeld: () => {
        if (holderOf(path)?.token !== token)
          throw new SecretsError("conflict", `${printable(path)} is not ours any more, or cannot be read. Nothing was written.`, {
            hint: "Try again.",
          });
      },
    });
  } finally {
    // A lock that cannot be removed is stale as soon as this process ends.
    if (holderOf(path)?.token === token) discard(path);
  }
}

interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** When the process was started, in ticks since the boot. Not to be had outside Linux. */
  readonly start?: string | undefined;
  readonly boot?: string | undefined;
  /** The name space that the process id belongs to. */
  readonly namespace?: string | undefined;
}

async function acquire(path: string, token: string, deadline: bigint): Promise<void> {
  for (;;) {
    if (tryLock(path, token)) return;
    const holder = holderOf(path);
    if (holder !== undefined && stateOf(holder) === "gone") {
      await removeStale(path, holder.token, deadline);
      continue;
    }
    if (process.hrtime.bigint() > deadline) throw busy(path, holder);
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
  }
}

/** Removes a lock whose holder is gone, under a lock of its own: only its owner or who holds that may remove it. */
async function removeStale(path: string, staleToken: string, deadline: bigint): Promise<void> {
  const breaker = `${path}.stale`;
  const token = randomUUID();
  await acquire(breaker, token, deadline);
  try {
    if (holderOf(path)?.token === staleToken) withFileErrors(path, () => removeFile(path));
  } finally {
    discard(breaker);
  }
}

function tryLock(path: string, token: string): boolean {
  const temporary = join(dirname(path), `.${basename(path).replace(/^\./, "")}.${randomUUID()}.tmp`);
  return withFileErrors(dirname(path), () => {
    try {
      writeFileSync(temporary, JSON.stringify(self(token)), { flag: "wx", mode: 0o600 });
      linkSync(temporary, path);
      return true;
    } catch (error) {
      // Taken; or the holder has swept up our file, which it takes for one that was left behind.
      if (["EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    } finally {
      discard(temporary);
    }
  });
}

function self(token: string): Holder {
  return {
    token,
    pid: process.pid,
    host: hostname(),
    start: startOf("self"),
    boot: fromProc("/proc/sys/kernel/random/boot_id"),
    namespace: pidNamespace(),
  };
}

/** Who holds a lock; `undefined` when nobody does. What is no lock of ours has no living holder: a lock appears complete or, after a power cut, empty. */
function holderOf(path: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return { token: "", pid: 0, host: "?" };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && typeof value["token"] === "string" && typeof value["pid"] === "number" && typeof value["host"] === "string")
      return value as unknown as Holder;
  } catch {
    // Not ours.
  }
  return { token: "", pid: 0, host: hostname() };
}

function stateOf(holder: Holder): "alive" | "gone" | "unknown" {
  if (holder.host !== hostname()) return "unknown";
  const boot = fromProc("/proc/sys/kernel/random/boot_id");
  if (holder.boot !== undefined && boot !== undefined && holder.boot !== boot) return "gone";
  if (holder.namespace !== undefined && holder.namespace !== pidNamespace()) return "unknown";
  if (holder.pid <= 0) return "gone";
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "gone";
  }
  const start = startOf(String(holder.pid));
  return holder.start !== undefined && start !== undefined && holder.start !== start ? "gone" : "alive";
}

function busy(path: string, holder: Holder | undefined): SecretsError {
  const who = holder === undefined ? "another process" : `process ${holder.pid} on ${printable(holder.host)}`;
  return new SecretsError("timeout", `${printable(path)} is held by ${who}, for too long.`, {
    hint: `Try again. If that process no longer runs: rm ${shellQuoted(path)}`,
  });
}

/** Field 22 of `/proc/<pid>/stat`; the name of the program before it may hold anything. A zombie has ended. */
function startOf(pid: string): string | undefined {
  const stat = fromProc(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" ? "ended" : fields?.[19];
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return undefined;
  }
}

function fromProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
