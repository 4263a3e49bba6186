import { describe, expect, test } from "vitest";
import { plainRequest } from "../../test/plain-request.ts";
import { vault } from "../../test/vault-client.ts";

describe("the system", () => {
  test("says which engine is mounted over a path: the one with the longest path", async () => {
    const { emulator, send } = await vault();
    emulator.mount("team", 1);
    emulator.mount("team/kv", 2);
    const mounted = async (path: string) => (await send("GET", `sys/internal/ui/mounts/${path}`)).json.data;
    expect(await mounted("secret/a/b")).toMatchObject({ path: "secret/", type: "kv", options: { version: "2" } });
    expect(await mounted("kv1")).toMatchObject({ path: "kv1/", options: null });
    expect(await mounted("team/kv/a")).toMatchObject({ path: "team/kv/" });
    expect(await mounted("team/kvx")).toMatchObject({ path: "team/" });
    expect(emulator.server.count("GET mounts")).toBe(4);
  });

  test("says the same about a missing mount, a missing token and a missing permission", async () => {
    const { emulator, send } = await vault();
    const refusal = (path: string) => ({
      status: 403,
      json: {
        errors: [`preflight capability check returned 403, please ensure client's policies grant access to path "${path}/"`],
      },
    });
    expect(await send("GET", "sys/internal/ui/mounts/other/a")).toMatchObject(refusal("other/a"));
    expect(await send("GET", "sys/internal/ui/mounts/secret", { token: undefined })).toMatchObject(refusal("secret"));
    expect(await send("GET", "sys/internal/ui/mounts/secret", { token: emulator.auth.issue({ policy: "deny" }) })).toMatchObject(
      refusal("secret"),
    );
    emulator.preflight = "deny";
    expect(await send("GET", "sys/internal/ui/mounts/secret")).toMatchObject(refusal("secret"));
    emulator.preflight = "missing";
    expect(await send("GET", "sys/internal/ui/mounts/secret")).toMatchObject({ status: 404 });
  });

  test("of OpenBao tells a token that it does not know, where Vault tells a missing permission alone", async () => {
    const { emulator, send } = await vault({ product: "openbao" });
    for (const token of [undefined, "hvs.nobody"])
      expect(await send("GET", "sys/internal/ui/mounts/secret", { token })).toMatchObject({
        status: 403,
        json: { errors: ["permission denied"] },
      });
    const token = emulator.auth.issue({ policy: "deny" });
    expect((await send("GET", "sys/internal/ui/mounts/secret", { token })).json.errors?.[0]).toMatch(/^preflight capability check/);
  });

  test("is sealed: nothing is answered but how it is", async () => {
    const { emulator, send } = await vault();
    expect(await send("GET", "sys/health", { token: undefined })).toMatchObject({
      status: 200,
      json: { initialized: true, sealed: false },
    });
    emulator.sealed = true;
    expect(await send("GET", "sys/health", { token: undefined })).toMatchObject({ status: 503, json: { sealed: true } });
    for (const path of ["secret/data/a", "auth/token/lookup-self", "sys/internal/ui/mounts/secret"])
      expect(await send("GET", path)).toMatchObject({ status: 503, json: { errors: ["Vault is sealed"] } });
  });
});

test("a performance standby answers reads as before the last write, so many times", async () => {
  const { emulator, send } = await vault();
  const value = async (path = "secret/data/a") => (await send("GET", path)).json.data;
  emulator.kv().write("a", { k: "one" });
  emulator.staleReads = 1;
  expect((await send("GET", "secret/data/a")).json).toEqual({ errors: [] });
  emulator.kv().write("a", { k: "two" });
  emulator.staleReads = 1;
  expect(await value()).toMatchObject({ data: { k: "one" }, metadata: { version: 1 } });
  expect(await value()).toMatchObject({ data: { k: "two" }, metadata: { version: 2 } });
  emulator.kv().softDelete("a");
  emulator.staleReads = 1;
  expect(await value()).toMatchObject({ data: { k: "two" } });
  expect(await value()).toMatchObject({ data: null });
  emulator.kv("kv1").write("a", { k: "one" });
  emulator.kv("kv1").write("a", { k: "two" });
  emulator.staleReads = 1;
  expect([await value("kv1/a"), await value("kv1/a")]).toEqual([{ k: "one" }, { k: "two" }]);
});

test("a standby that has not caught up refuses reads and listings, so many times, and takes writes", async () => {
  const { emulator, send } = await vault();
  emulator.behind = 2;
  expect((await send("POST", "secret/data/a", { body: { data: {} } })).status).toBe(200);
  expect(await send("GET", "secret/data/a")).toMatchObject({
    status: 412,
    json: { errors: ["1 error occurred:\n\t* required index state not present\n\n"] },
  });
  expect((await send("GET", "secret/metadata/?list=true")).status).toBe(412);
  expect((await send("GET", "secret/data/a")).status).toBe(200);
});

test("requests are counted by method and part of the API, listings as such", async () => {
  const { emulator, send } = await vault();
  emulator.mount("team/kv", 1);
  await send("GET", "secret/data/a");
  await send("GET", "secret/data/b/c");
  await send("POST", "secret/data/a", { body: { data: {} } });
  await send("GET", "secret/metadata/?list=true");
  await send("GET", "secret/metadata/a");
  await send("PUT", "secret/destroy/a", { body: { versions: [1] } });
  await send("GET", "kv1/f/?list=true");
  await send("DELETE", "team/kv/a");
  await send("GET", "auth/token/lookup-self");
  await send("POST", "auth/token/renew-self");
  await send("GET", "sys/health");
  await send("GET", "other/a");
  await send("GET", "secret/data/..");
  expect(Object.fromEntries(emulator.server.requests)).toEqual({
    "GET data": 2,
    "POST data": 1,
    "LIST metadata": 1,
    "GET metadata": 1,
    "PUT destroy": 1,
    "LIST kv1": 1,
    "DELETE team/kv": 1,
    "GET lookup-self": 1,
    "POST renew-self": 1,
    "GET health": 1,
    "GET other": 1,
    "GET refused": 1,
  });
});

describe("TLS", () => {
  test("is spoken with a certificate of the authority that the emulator names", async () => {
    const { emulator, send } = await vault({ tls: true });
    expect(emulator.url).toMatch(/^https:/);
    expect((await send("GET", "secret/data/a")).status).toBe(404);
    await expect(plainRequest(emulator.url, "/v1/sys/health")).rejects.toThrow(/self-signed|unable to verify/);
  });

  test("can demand a certificate of the client", async () => {
    const { emulator, send } = await vault({ clientCertificates: true });
    const { ca } = emulator;
    expect((await send("GET", "secret/data/a")).status).toBe(404);
    await expect(plainRequest(emulator.url, "/v1/sys/health", { tls: { ca } })).rejects.toThrow(/certificate required/);
    expect(emulator.seen).toHaveLength(1);
  });
});
