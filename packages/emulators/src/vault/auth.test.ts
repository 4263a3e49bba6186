import { describe, expect, test } from "vitest";
import { vault } from "../../test/vault-client.ts";
import type { VaultEmulator } from "./server.ts";

type Issued = { readonly client_token: string; readonly lease_duration: number; readonly renewable: boolean };

describe("tokens", () => {
  test("a missing one and a wrong one are refused in the words of the product", async () => {
    const { send } = await vault();
    expect(await send("GET", "secret/data/a", { token: undefined })).toMatchObject({
      status: 400,
      json: { errors: ["missing client token"] },
    });
    expect(await send("GET", "secret/data/a", { token: "hvs.wrong" })).toMatchObject({
      status: 403,
      json: { errors: ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"] },
    });
    const { send: sendToOpenBao } = await vault({ product: "openbao" });
    for (const token of [undefined, "hvs.wrong"])
      expect(await sendToOpenBao("GET", "secret/data/a", { token })).toMatchObject({
        status: 403,
        json: { errors: ["permission denied"] },
      });
  });

  test("one that is expired or revoked is a wrong one, and the header of other services carries one too", async () => {
    const { emulator, send } = await vault();
    const [ended, revoked, left] = [emulator.auth.issue({ ttlSeconds: 60 }), emulator.auth.issue(), emulator.auth.issue()];
    for (const token of [ended, revoked, left]) expect((await send("GET", "secret/data/a", { token })).status).toBe(404);
    emulator.auth.expire(ended);
    emulator.auth.revoke(revoked);
    for (const token of [ended, revoked]) expect((await send("GET", "secret/data/a", { token })).status).toBe(403);
    const bearer = { token: undefined, headers: { authorization: `Bearer ${left}` } };
    expect((await send("POST", "auth/token/revoke-self", bearer)).status).toBe(204);
    expect((await send("GET", "auth/token/lookup-self", { token: left })).status).toBe(403);
  });

  test("one looks itself up, also without permission for anything else", async () => {
    const { emulator, send } = await vault();
    const token = emulator.auth.issue({ ttlSeconds: 60, policy: "deny" });
    const { json } = await send("GET", "auth/token/lookup-self", { token });
    expect(json.data).toMatchObject({ id: token, creation_ttl: 60, ttl: 60, renewable: true, policies: ["default", "deny"] });
    expect((await send("GET", "secret/data/a", { token })).json).toEqual({ errors: ["1 error occurred:\n\t* permission denied\n\n"] });
    const root = await send("GET", "auth/token/lookup-self");
    expect(root.json.data).toMatchObject({ ttl: 0, expire_time: null, renewable: false, policies: ["root"] });
  });

  test("one is renewed up to its longest life, and only when it is made for that", async () => {
    const { emulator, send } = await vault();
    const token = emulator.auth.issue({ ttlSeconds: 60, maxTtlSeconds: 600 });
    const renew = (increment?: string) => send("POST", "auth/token/renew-self", { token, body: { increment } });
    expect((await renew()).json).toMatchObject({ auth: { client_token: token, lease_duration: 60, renewable: true }, warnings: null });
    expect((await renew("5m")).json).toMatchObject({ auth: { lease_duration: 300 } });
    const capped = (await renew("2h")).json as { readonly auth: Issued; readonly warnings: readonly string[] };
    expect([capped.auth.lease_duration > 590, capped.auth.lease_duration <= 600]).toEqual([true, true]);
    expect(capped.warnings[0]).toContain('TTL of "2h0m0s" exceeded the effective max_ttl');
    const fixed = emulator.auth.issue({ ttlSeconds: 60, renewable: false });
    expect(await send("POST", "auth/token/renew-self", { token: fixed })).toMatchObject({
      status: 400,
      json: { errors: ["lease is not renewable"] },
    });
  });

  test("policies: no metadata, no writing, nothing but new keys", async () => {
    const { emulator, send } = await vault();
    emulator.kv().write("a", { k: "v" });
    const statuses = async (policy: "no_metadata" | "read_only" | "create_only") => {
      const token = emulator.auth.issue({ policy });
      const answers = [
        await send("GET", "secret/data/a", { token }),
        await send("GET", "secret/metadata/?list=true", { token }),
        await send("POST", "secret/data/a", { token, body: { data: {} } }),
        await send("POST", `secret/data/${policy}`, { token, body: { data: {} } }),
        await send("DELETE", "secret/metadata/a", { token }),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await statuses("no_metadata")).toEqual([200, 403, 200, 200, 403]);
    expect(await statuses("read_only")).toEqual([200, 200, 403, 403, 403]);
    expect(await statuses("create_only")).toEqual([200, 200, 403, 200, 403]);
  });
});

describe("logins", () => {
  const credentials = ({ auth }: VaultEmulator) =>
    ({
      approle: ["auth/approle/login", { role_id: auth.approle.roleId, secret_id: auth.approle.secretId }],
      kubernetes: ["auth/kubernetes/login", auth.kubernetes],
      jwt: ["auth/jwt/login", auth.jwt],
      userpass: [`auth/userpass/login/${auth.userpass.username}`, { password: auth.userpass.password }],
    }) as const;

  test.each(["approle", "kubernetes", "jwt", "userpass"] as const)("%s issues a token that is good, and counts", async (method) => {
    const { emulator, send } = await vault();
    emulator.auth.loginTtlSeconds = 120;
    const [path, body] = credentials(emulator)[method];
    const { auth, data } = (await send("POST", path, { token: undefined, body })).json as unknown as { auth: Issued; data: null };
    expect([auth, data]).toMatchObject([{ lease_duration: 120, renewable: true, token_type: "service" }, null]);
    expect((await send("GET", "secret/data/a", { token: auth.client_token })).status).toBe(404);
    expect(emulator.auth.logins).toEqual([{ method, mount: method, namespace: "", token: auth.client_token }]);
    expect([emulator.server.count("POST login"), emulator.server.count("GET data")]).toEqual([1, 1]);
  });

  test.each([
    ["approle", { role_id: "r", secret_id: "wrong" }, 400, "invalid role or secret ID"],
    ["approle", { role_id: "r" }, 400, "invalid role or secret ID"],
    ["approle", { secret_id: "s" }, 500, "missing role_id"],
    ["jwt", { role: "other" }, 400, 'role "other" could not be found'],
    ["jwt", { role: "coffer" }, 400, "missing token"],
    ["kubernetes", { role: "other", jwt: "j" }, 400, 'invalid role name "other"'],
    ["kubernetes", { role: "coffer", jwt: "wrong" }, 403, "permission denied"],
    ["jwt", { role: "other", jwt: "j" }, 400, 'role "other" could not be found'],
    ["jwt", { role: "coffer", jwt: "wrong" }, 400, "error validating token: "],
    ["userpass", { password: "wrong" }, 400, "invalid username or password"],
    ["userpass", {}, 500, "missing password"],
  ] as const)("%s refuses %o", async (method, body, status, message) => {
    const { emulator, send } = await vault();
    const answer = await send("POST", credentials(emulator)[method][0], { token: undefined, body });
    expect([answer.status, answer.json.errors?.[0]]).toEqual([status, expect.stringContaining(message)]);
    expect(emulator.auth.logins).toEqual([]);
  });

  test("AppRole without a secret id is refused as such when the role is one", async () => {
    const { emulator, send } = await vault();
    const answer = await send("POST", "auth/approle/login", { token: undefined, body: { role_id: emulator.auth.approle.roleId } });
    expect(answer).toMatchObject({ status: 400, json: { errors: ["missing secret_id"] } });
  });

  test("are mounted where they are told, and nowhere else", async () => {
    const { emulator, send } = await vault();
    const [, body] = credentials(emulator).approle;
    expect((await send("POST", "auth/team/roles/login", { token: undefined, body })).json).toEqual({ errors: ["missing client token"] });
    emulator.auth.enable("approle", "team/roles");
    expect((await send("POST", "auth/team/roles/login", { token: undefined, body })).status).toBe(200);
    expect(emulator.auth.logins).toMatchObject([{ method: "approle", mount: "team/roles" }]);
  });

  test("a wrapped secret id is unwrapped once, by its own token or beside another one", async () => {
    const { emulator, send } = await vault();
    const { auth } = emulator;
    const [one, two] = [auth.wrapSecretId(), auth.wrapSecretId()];
    const unwrapped = { status: 200, json: { data: { secret_id: auth.approle.secretId } } };
    expect(await send("POST", "sys/wrapping/unwrap", { token: one })).toMatchObject(unwrapped);
    expect(await send("PUT", "sys/wrapping/unwrap", { body: { token: two } })).toMatchObject(unwrapped);
    expect(await send("POST", "sys/wrapping/unwrap", { token: one })).toMatchObject({
      status: 400,
      json: { errors: ["wrapping token is not valid or does not exist"] },
    });
  });
});

describe("namespaces", () => {
  test("have their own mounts, named in the header or in the path", async () => {
    const { emulator, send } = await vault();
    const mount = emulator.mount("secret", 2, { namespace: "team/data" });
    mount.write("a", { k: "theirs" });
    emulator.kv().write("a", { k: "ours" });
    const read = async (path: string, namespace?: string) =>
      ((await send("GET", path, namespace === undefined ? {} : { namespace })).json.data as { data?: object } | undefined)?.data;
    expect(await read("secret/data/a")).toEqual({ k: "ours" });
    expect(await read("secret/data/a", "team/data/")).toEqual({ k: "theirs" });
    expect(await read("data/secret/data/a", "team")).toEqual({ k: "theirs" });
    expect(await read("team/data/secret/data/a")).toEqual({ k: "theirs" });
    expect(await send("GET", "secret/data/a", { namespace: "nobody" })).toMatchObject({
      status: 404,
      json: { errors: ['no handler for route "secret/data/a". route entry not found.'] },
    });
    expect(emulator.seen.map(({ namespace }) => namespace)).toEqual(["", "team/data/", "team", "", "nobody"]);
  });

  test("one that is not there is told by OpenBao, before the token is looked at", async () => {
    const { send } = await vault({ product: "openbao" });
    for (const path of ["secret/data/a", "auth/token/lookup-self", "sys/internal/ui/mounts/secret"])
      expect(await send("GET", path, { namespace: "nobody", token: undefined })).toMatchObject({
        status: 404,
        json: { errors: ["namespace not found"] },
      });
  });

  test("bind tokens: good in their own and below, and nowhere else", async () => {
    const { emulator, send } = await vault();
    for (const namespace of ["team", "team/sub", "teamwork"]) emulator.mount("secret", 2, { namespace });
    emulator.auth.enable("approle", "approle", "team");
    const { roleId, secretId } = emulator.auth.approle;
    const login = await send("POST", "auth/approle/login", {
      token: undefined,
      namespace: "team",
      body: { role_id: roleId, secret_id: secretId },
    });
    const { client_token: token } = login.json["auth"] as Issued;
    const statusIn = async (namespace: string) => (await send("GET", "secret/data/a", { token, namespace })).status;
    expect([await statusIn("team"), await statusIn("team/sub"), await statusIn("teamwork"), await statusIn("")]).toEqual([
      404, 404, 403, 403,
    ]);
    expect((await send("POST", "auth/approle/login", { token: undefined, namespace: "teamwork", body: {} })).status).toBe(400);
  });
});
