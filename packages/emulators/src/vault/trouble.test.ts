import { expect, test } from "vitest";
import { vault } from "../../test/vault-client.ts";

test("throttles so many times, and says how long to wait", async () => {
  const { emulator, send } = await vault();
  emulator.server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 3 });
  const { status, headers, json } = await send("GET", "secret/data/a");
  expect([status, headers["retry-after"], json]).toEqual([
    429,
    "3",
    { errors: ['request path "secret/data/a": rate limit quota exceeded'] },
  ]);
  expect((await send("GET", "secret/data/a")).status).toBe(404);
});

test("fails so many times on its own side", async () => {
  const { emulator, send } = await vault();
  emulator.server.faults.inject({ kind: "broken", times: 1 });
  expect(await send("GET", "secret/data/a")).toMatchObject({ status: 500, json: { errors: ["internal error"] } });
  expect((await send("GET", "secret/data/a")).status).toBe(404);
});

test("denies everything, or one key, and never the look at the token itself", async () => {
  const { emulator, send } = await vault();
  const denied = { status: 403, json: { errors: ["1 error occurred:\n\t* permission denied\n\n"] } };
  emulator.server.faults.inject({ kind: "deny" });
  expect(await send("GET", "secret/data/a")).toMatchObject(denied);
  expect(await send("GET", "kv1/a")).toMatchObject(denied);
  expect((await send("GET", "sys/internal/ui/mounts/secret")).status).toBe(403);
  expect((await send("GET", "auth/token/lookup-self")).status).toBe(200);
  emulator.server.faults.inject({ kind: "deny", name: "f/a" });
  expect(await send("GET", "secret/data/f/a")).toMatchObject(denied);
  expect(await send("DELETE", "secret/metadata/f/a")).toMatchObject(denied);
  expect(await send("GET", "kv1/f/a")).toMatchObject(denied);
  expect((await send("GET", "secret/data/f/b")).status).toBe(404);
  expect((await send("GET", "sys/internal/ui/mounts/secret")).status).toBe(200);
});

test("accepts no credential, neither a token nor a login", async () => {
  const { emulator, send } = await vault();
  emulator.server.faults.inject({ kind: "unauthenticated" });
  expect((await send("GET", "secret/data/a")).status).toBe(403);
  expect((await send("GET", "auth/token/lookup-self")).status).toBe(403);
  const { roleId, secretId } = emulator.auth.approle;
  expect((await send("POST", "auth/approle/login", { body: { role_id: roleId, secret_id: secretId } })).json).toEqual({
    errors: ["invalid role or secret ID"],
  });
});

test("fails one listing, by its number, and again when that is asked for again", async () => {
  const { emulator, send } = await vault();
  for (const name of ["f/a", "g/b", "h/c"]) emulator.kv().write(name, {});
  const statusOf = async (folder: string) => (await send("GET", `secret/metadata/${folder}?list=true`)).status;
  emulator.server.faults.inject({ kind: "fail_page", page: 3 });
  const walk = async () => [await statusOf(""), await statusOf("f/"), await statusOf("g/"), await statusOf("h/")];
  expect([await walk(), await walk()]).toEqual([
    [200, 200, 500, 200],
    [200, 200, 500, 200],
  ]);
  emulator.server.faults.inject({ kind: "fail_page", page: 1 });
  expect([await statusOf("h/"), await statusOf("")]).toEqual([500, 200]);
});

test("repeats what it was sent, token and body, in the error of a write", async () => {
  const { emulator, send } = await vault();
  emulator.server.faults.inject({ kind: "echo" });
  const { status, json } = await send("POST", "secret/data/a", { body: { data: { k: "canary" } } });
  expect([status, json.errors?.[0]]).toEqual([400, expect.stringContaining("canary")]);
  expect(json.errors?.[0]).toContain(emulator.auth.rootToken);
  expect((await send("GET", "secret/data/a")).status).toBe(404);
});

test("breaks the connection after a write was carried out, and not after a read", async () => {
  const { emulator, send } = await vault();
  emulator.server.faults.inject({ kind: "reset_after_write", times: 4 });
  expect((await send("GET", "secret/data/a")).status).toBe(404);
  await expect(send("POST", "secret/data/a", { body: { data: { k: "v" } } })).rejects.toThrow("socket hang up");
  expect(emulator.kv().read("a")?.data).toEqual({ k: "v" });
  await expect(send("POST", "secret/metadata/a", { body: { custom_metadata: { o: "p" } } })).rejects.toThrow("socket hang up");
  await expect(send("DELETE", "secret/data/a")).rejects.toThrow("socket hang up");
  await expect(send("POST", "kv1/a", { body: { k: "v" } })).rejects.toThrow("socket hang up");
  expect(emulator.kv().read("a")?.data).toBe(null);
  expect(emulator.kv("kv1").keys()).toEqual(["a"]);
});
