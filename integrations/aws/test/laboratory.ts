import {
  type CallOptions,
  createSecretsManager,
  type SecretsManager,
  SecretsError,
  type SecretsManagerDriver,
  type SecretsManagerOptions,
} from "@coffer/core";
import { AwsEmulator, type AwsEmulatorOptions } from "@coffer/emulators/aws/server";
import { openAwsDriver } from "../src/driver.ts";
import { aws } from "../src/flavor.ts";
import type { AwsSettings } from "../src/settings-types.ts";
import { settingsFor } from "./subject.ts";

/** An emulator with managers and drivers on it, for one test. */
export interface Laboratory {
  readonly emulator: AwsEmulator;
  readonly settings: AwsSettings;
  manager(options?: SecretsManagerOptions, settings?: AwsSettings): SecretsManager;
  driver(settings?: AwsSettings): Promise<SecretsManagerDriver>;
  /** How often each operation was asked for since the last time this was asked. */
  counts(): Record<string, number>;
}

/** Runs a test on an emulator of its own, and closes everything afterwards. */
export async function onEmulator(run: (laboratory: Laboratory) => Promise<void>, options: AwsEmulatorOptions = {}): Promise<void> {
  const emulator = await AwsEmulator.start(options);
  const settings = settingsFor(emulator);
  const opened: { close?(): Promise<void> }[] = [];
  const keep = <Opened extends { close?(): Promise<void> }>(one: Opened): Opened => {
    opened.push(one);
    return one;
  };
  try {
    await run({
      emulator,
      settings,
      manager: (managerOptions = {}, more = {}) => keep(createSecretsManager(aws, { ...settings, ...more }, managerOptions)),
      driver: async (more = {}) => keep(await openAwsDriver({ ...settings, ...more })),
      counts() {
        const counts = Object.fromEntries(emulator.server.requests);
        emulator.server.resetCounts();
        return counts;
      },
    });
  } finally {
    for (const one of opened) await one.close?.();
    await emulator.stop();
  }
}

/** The options of one call of a driver. */
export function call(more: Partial<CallOptions> = {}): CallOptions {
  return {
    signal: new AbortController().signal,
    deadline: performance.now() + 10_000,
    operationId: crypto.randomUUID(),
    scope: "global",
    ...more,
  };
}

/** The error of a promise that must fail with one of ours. */
export async function failure(promise: Promise<unknown>): Promise<SecretsError> {
  const error: unknown = await promise.then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason,
  );
  if (!SecretsError.isInstance(error)) throw new Error("no SecretsError", { cause: error });
  return error;
}

/** Everything that an iteration yields. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
