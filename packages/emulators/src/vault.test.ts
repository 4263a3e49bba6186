import { expect, onTestFinished, test } from "vitest";
import { VaultEmulator, type VaultEmulatorOptions } from "./vault/server.ts";

async function started(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const emulator = await VaultEmulator.start(options);
  onTestFinished(() => emulator.stop());
  return emulator;
}

test("a secret is written, read, soft-deleted and written again", async () => {
  const emulator = await started();
  const headers = { "x-vault-token": emulator.auth.rootToken };
  const url = `${emulator.url}/v1/secret/data/a/b`;
  const write = (cas: number) => fetch(url, { method: "POST", headers, body: JSON.stringify({ options: { cas }, data: { k: "v" } }) });
  expect((await write(0)).status).toBe(200);
  expect(await (await write(0)).json()).toEqual({ errors: ["check-and-set parameter did not match the current version"] });
  expect(await (await fetch(url, { headers })).json()).toMatchObject({ data: { data: { k: "v" }, metadata: { version: 1 } } });
  expect((await fetch(url, { method: "DELETE", headers })).status).toBe(204);
  const gone = await fetch(url, { headers });
  expect([gone.status, await gone.json()]).toMatchObject([404, { data: { data: null, metadata: { version: 1, destroyed: false } } }]);
  expect((await write(0)).status).toBe(400);
  expect((await write(1)).status).toBe(200);
});
