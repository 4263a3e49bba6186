import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { afterEach, describe, expect, test } from "vitest";
import { azure } from "../src/index.ts";
import { type OpenedAzure, openAzure } from "./subject.ts";

const opened: OpenedAzure[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) {
    await one.driver.close?.();
    await one.dispose?.();
  }
});

async function start(): Promise<OpenedAzure & { readonly manager: SecretsManager }> {
  const one = await openAzure();
  opened.push(one);
  return { ...one, manager: createSecretsManager(azure, one.settings, { scope: "namespace", namespace: "team-a" }) };
}

/** What arrived while something was done, by operation. */
async function requestsOf({ emulator }: OpenedAzure, act: () => Promise<unknown>): Promise<Record<string, number>> {
  emulator.server.resetCounts();
  await act();
  return Object.fromEntries(emulator.server.requests);
}

function fill({ emulator }: OpenedAzure, count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => `item-${String(index).padStart(4, "0")}`);
  for (const name of names)
    emulator.vault.set(`coffer-x2fnamespace-x2fteam-a-x2f${name}`, {
      value: JSON.stringify({ label: name }),
      tags: { "managed-by": "coffer", "coffer-name": `coffer/namespace/team-a/${name}` },
    });
  return names;
}

describe("requests", () => {
  test("each operation takes as few requests as its contract allows, and the challenge comes once", async () => {
    const one = await start();
    const { manager } = one;
    const register = await requestsOf(one, () => manager.registerSecret({ name: "warehouse", values: { user: "etl" } }));
    expect(register).toEqual({ challenge: 1, "GET /secrets/{name}": 1, "PUT /secrets/{name}": 1 });
    expect(await requestsOf(one, () => manager.getSecret("warehouse"))).toEqual({ "GET /secrets/{name}": 1 });
    const { revision } = await manager.getSecret("warehouse");
    const replaced = { "GET /secrets/{name}": 1, "PUT /secrets/{name}": 1 };
    const whole = { name: "warehouse", schema: "arbitrary", values: { user: "a" } } as const;
    expect(await requestsOf(one, () => manager.replaceSecret(whole))).toEqual(replaced);
    const { revision: next } = await manager.getSecret("warehouse");
    expect(next).not.toBe(revision);
    expect(await requestsOf(one, () => manager.replaceSecret({ ...whole, expected: next ?? "" }))).toEqual(replaced);
    expect(
      await requestsOf(one, async () => {
        for await (const _ of manager.history("warehouse"));
      }),
    ).toEqual({
      "GET /secrets/{name}/versions": 1,
    });
    expect(await requestsOf(one, () => manager.deleteSecret("warehouse"))).toEqual({
      "GET /secrets/{name}": 1,
      "DELETE /secrets/{name}": 1,
    });
    expect(await requestsOf(one, () => manager.restoreSecret("warehouse"))).toMatchObject({
      "GET /deletedsecrets/{name}": 1,
      "POST /deletedsecrets/{name}/recover": 1,
    });
    expect(await requestsOf(one, () => manager.deleteSecret("warehouse", { immediate: true }))).toEqual({
      "GET /secrets/{name}": 1,
      "DELETE /secrets/{name}": 1,
      "DELETE /deletedsecrets/{name}": 1,
    });
  });

  test("a list of 1,000 names takes 40 requests", async () => {
    const one = await start();
    fill(one, 1_000);
    let count = 0;
    const requests = await requestsOf(one, async () => {
      for await (const page of one.manager.listSecretPages()) count += page.length;
    });
    expect(count).toBe(1_000);
    expect(requests).toEqual({ challenge: 1, "GET /secrets": 40 });
  });

  test("1,000 values are read while they are listed: one request each, at most 32 at once, and the one that fails is named", async () => {
    const one = await start();
    const names = fill(one, 1_000);
    const { emulator, manager } = one;
    emulator.server.faults.inject({ kind: "deny", name: "coffer-x2fnamespace-x2fteam-a-x2fitem-0500" });
    const listed = (async function* () {
      for await (const { name } of manager.listSecrets()) yield name;
    })();
    const read: string[] = [];
    const failed: Record<string, string> = {};
    const requests = await requestsOf(one, async () => {
      for await (const outcome of manager.getSecrets(listed)) {
        if ("error" in outcome) failed[outcome.name] = outcome.error.code;
        else read.push(String(outcome.secret.text["label"]));
      }
    });
    expect(failed).toEqual({ "item-0500": "permission_denied" });
    expect(read.toSorted()).toEqual(names.filter((name) => name !== "item-0500"));
    expect(requests).toEqual({ challenge: 1, "GET /secrets": 40, "GET /secrets/{name}": 1_000 });
    // The next page of the listing is fetched beside them.
    expect(emulator.server.mostAtOnce).toBeLessThanOrEqual(33);
    expect(emulator.server.mostAtOnce).toBeGreaterThan(8);
  });

  test("T99: a thousand reads at once in a new process are challenged once", async () => {
    const one = await start();
    fill(one, 1);
    const requests = await requestsOf(one, () => Promise.all(Array.from({ length: 1_000 }, () => one.manager.getSecret("item-0000"))));
    expect(requests).toEqual({ challenge: 1, "GET /secrets/{name}": 1_000 });
  });

  test("76: two managers on two vaults each use their own vault and their own token", async () => {
    const [first, second] = [await start(), await start()];
    await first.manager.registerSecret({ name: "mine", values: { of: "first" } });
    await second.manager.registerSecret({ name: "mine", values: { of: "second" } });
    expect((await first.manager.getSecret("mine")).text["of"]).toBe("first");
    expect((await second.manager.getSecret("mine")).text["of"]).toBe("second");
    // A token of the one is none for the other.
    const mixed = createSecretsManager(azure, { ...first.settings, access_token: second.token });
    await expect(mixed.getSecret("mine")).rejects.toMatchObject({ code: "unauthenticated" });
    await first.manager.close();
    await expect(first.manager.getSecret("mine")).rejects.toMatchObject({ code: "closed" });
    expect(await second.manager.hasSecret("mine")).toBe(true);
  });

  test("opening sends nothing", async () => {
    const one = await start();
    await one.manager.capabilities();
    expect(one.emulator.server.count()).toBe(0);
  });
});
