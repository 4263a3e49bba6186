import { type CallOptions, createSecretsManager, type SecretsManager, SecretsError, type SecretsManagerOptions } from "@coffer/core";
import { type LoopbackAnswer, type LoopbackRequest, LoopbackServer } from "@coffer/emulators/loopback";
import type { VaultEmulator, VaultEmulatorOptions } from "@coffer/emulators/vault/server";
import { onTestFinished } from "vitest";
import { vault } from "../src/flavor.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { type OpenedVault, openVault } from "./subject.ts";

/** An emulator with managers on it, for one test. */
export interface Laboratory extends OpenedVault {
  /** A manager of the namespace `team`; it and the emulator are closed when the test is over. */
  manager(settings?: VaultSettings, options?: SecretsManagerOptions): SecretsManager;
  /** What is stored of a secret of the namespace `team`: the name in the engine. */
  stored(name: string): string;
}

/** An emulator for one test. Closed with everything on it when the test is over. */
export async function laboratory(settings: VaultSettings = {}, options: VaultEmulatorOptions = {}): Promise<Laboratory> {
  const opened = await openVault(settings, options);
  const managers: SecretsManager[] = [];
  onTestFinished(async () => {
    for (const manager of managers) await manager.close();
    await opened.driver.close?.();
    await opened.dispose?.();
  });
  return {
    ...opened,
    manager(more = {}, managerOptions = {}) {
      const manager = createSecretsManager(
        vault,
        { ...opened.settings, ...more },
        { scope: "namespace", namespace: "team", ...managerOptions },
      );
      managers.push(manager);
      return manager;
    },
    stored: (name) => `coffer/namespace/team/${name}`,
  };
}

/** A server for one test. */
export async function serverFor(
  answer: (request: LoopbackRequest) => LoopbackAnswer | Promise<LoopbackAnswer>,
  options: Parameters<typeof LoopbackServer.start>[1] = {},
): Promise<LoopbackServer> {
  const server = await LoopbackServer.start(answer, options);
  onTestFinished(() => server.stop());
  return server;
}

/** Something that stands before an emulator, for one test: it answers itself where it wants to, and passes on the rest. */
export async function frontOf(
  emulator: VaultEmulator,
  answer: (
    request: LoopbackRequest,
    pass: () => Promise<LoopbackAnswer>,
  ) => LoopbackAnswer | undefined | Promise<LoopbackAnswer | undefined>,
): Promise<LoopbackServer> {
  return serverFor(async (request) => {
    const pass = (): Promise<LoopbackAnswer> => passedOn(emulator, request);
    // Whoever still waits when the test is over learns nothing any more.
    return (await answer(request, pass)) ?? (await pass().catch(() => ({ status: 502 })));
  });
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

async function passedOn(emulator: VaultEmulator, { method, path, query, headers, body }: LoopbackRequest): Promise<LoopbackAnswer> {
  const search = query.size === 0 ? "" : `?${query.toString()}`;
  const kept = Object.entries(headers).filter(([name]) => name.startsWith("x-vault-") || name === "content-type");
  const answer = await fetch(`${emulator.url}${path}${search}`, {
    method,
    headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
    ...(body.length === 0 ? {} : { body }),
  });
  const contentType = answer.headers.get("content-type") ?? "application/json";
  return { status: answer.status, headers: { "content-type": contentType }, body: await answer.text() };
}
