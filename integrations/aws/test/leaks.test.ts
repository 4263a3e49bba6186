import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { inspect, promisify } from "node:util";
import type { SecretsError, SecretsManager } from "@coffer/core";
import { leakScan } from "@coffer/testkit";
import { describe, expect, test } from "vitest";
import { collect, failure, onEmulator } from "./laboratory.ts";

const run = promisify(execFile);

/** Keys as AWS makes them for a session, made for one test. */
function temporaryKeys() {
  return {
    accessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(120).toString("base64"),
  };
}

/** An error in every way in which a program might print it. */
function printed(error: SecretsError): Record<string, string> {
  return {
    message: error.message,
    text: String(error),
    stack: error.stack ?? "",
    json: JSON.stringify(error),
    everything: inspect(error, { depth: 12, showHidden: true }),
    cause: inspect(error.cause, { depth: 12, showHidden: true }),
    hint: error.hint ?? "",
  };
}

describe("T27, T28 no error shows a value, a key or a token", () => {
  const faults = [
    { kind: "deny" },
    { kind: "unauthenticated" },
    { kind: "throttle", times: 1000 },
    { kind: "broken", times: 1000 },
    { kind: "reset_before", times: 1000 },
    { kind: "reset_after_write", times: 1000 },
    { kind: "html", status: 200 },
    { kind: "html", status: 502 },
    { kind: "cut_json" },
    { kind: "redirect", to: "http://127.0.0.1:9/", status: 307 },
    { kind: "echo" },
    { kind: "hang" },
    { kind: "fail_page", page: 1 },
  ] as const;

  for (const fault of faults) {
    test(`under ${JSON.stringify(fault)}`, async () => {
      const keys = temporaryKeys();
      await onEmulator(
        async ({ manager, emulator }) => {
          const canary = randomBytes(18).toString("base64url");
          emulator.plant("coffer/global/there", JSON.stringify({ password: canary }));
          emulator.server.faults.inject(fault);
          const secrets: SecretsManager = manager({ timeoutMs: 1500 }, { max_attempts: 1 });
          const record = { password: canary };
          const errors: SecretsError[] = [];
          for (const attempt of [
            () => secrets.registerSecret({ name: "new", values: record }),
            () => secrets.replaceSecret({ name: "there", schema: "arbitrary", values: record }),
            () => secrets.updateSecret("there", { values: record }),
            () => secrets.getSecret("there"),
            () => secrets.deleteSecret("there"),
            () => collect(secrets.listSecrets()),
          ])
            errors.push(
              ...(await attempt().then(
                () => [],
                async (error: unknown) => [await failure(Promise.reject(error))],
              )),
            );
          expect(errors.length).toBeGreaterThan(0);
          const texts = Object.assign(
            {},
            ...errors.map((error, index) =>
              Object.fromEntries(Object.entries(printed(error)).map(([way, text]) => [`${index} ${way}`, text])),
            ),
          ) as Record<string, string>;
          expect(await leakScan({ canary: [canary, keys.secretAccessKey, keys.sessionToken], texts })).toEqual([]);
        },
        { keys },
      );
    });
  }
});

describe("T25 whatever is switched on to find a fault", () => {
  const loud = { DEBUG: "*", NODE_DEBUG: "http,https,net,tls,fetch,undici", AWS_SDK_LOG_LEVEL: "debug" };

  for (const kind of ["none", "echo", "unauthenticated", "reset_after_write"] as const) {
    test(`nothing is printed by a program with ${kind === "none" ? "no fault" : kind}`, { timeout: 60_000 }, async () => {
      const keys = temporaryKeys();
      const value = randomBytes(18).toString("base64url");
      await onEmulator(
        async ({ emulator, settings }) => {
          if (kind === "reset_after_write") emulator.server.faults.inject({ kind, times: 100 });
          else if (kind !== "none") emulator.server.faults.inject({ kind });
          const { stdout, stderr } = await run(
            process.execPath,
            ["--conditions=@coffer/source", `${import.meta.dirname}/child.ts`, JSON.stringify(settings), value, "absent"],
            { env: { ...process.env, ...loud, VITEST: undefined }, maxBuffer: 64 * 1024 * 1024 },
          );
          // The switches work: Node does talk.
          expect(stderr).toMatch(/^(?:HTTP|NET) \d+:/m);
          expect(await leakScan({ canary: [value, keys.secretAccessKey, keys.sessionToken], texts: { stdout, stderr } })).toEqual([]);
          expect(emulator.server.count()).toBeGreaterThan(0);
        },
        { keys },
      );
    });
  }
});

test("T26 neither a manager nor what it has read shows anything", () =>
  onEmulator(async ({ manager, emulator }) => {
    const canary = randomBytes(18).toString("base64url");
    const secrets = manager();
    await secrets.registerSecret({ name: "db", values: { password: canary } });
    const secret = await secrets.getSecret("db");
    const texts = Object.fromEntries(
      [secrets, secret].flatMap((shown, index) => [
        [`${index} inspect`, inspect(shown, { depth: 12, showHidden: true, customInspect: false })],
        [`${index} json`, JSON.stringify(shown)],
        [`${index} text`, `${shown}`],
      ]),
    );
    expect(await leakScan({ canary: [canary, emulator.keys.secretAccessKey], texts })).toEqual([]);
  }));

test("T40, T41 what a service says is shown without control characters", () =>
  onEmulator(async ({ manager, emulator }) => {
    emulator.plant("coffer/global/ok", '{"a":"\\u001b[31m"}');
    expect(`${await manager().getSecret("ok")}`).not.toContain("\u001b");
    emulator.server.faults.inject({ kind: "echo" });
    const error = await failure(manager().registerSecret({ name: "x", values: { a: "\u001b]0;title\u0007" } }));
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(inspect(error, { depth: 12, showHidden: true })).not.toMatch(/[\u0007\u001b\u202e]/);
  }));
