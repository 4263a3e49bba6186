import { VaultEmulator } from "@coffer/emulators/vault/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONVERSATIONS, type Line } from "./real-conversations.ts";
import type { Running } from "./real-managers.ts";

/** Where the emulator does not speak as the server does: what the server says. */
const EMULATOR_GAPS: Readonly<Record<string, string>> = {
  "no token asks what is mounted": 'the server says "permission denied", as everywhere',
  "two dots in a segment, version 1": "the server takes them; they are refused by Vault",
  "a control character": "the server refuses without a body",
  "a path that is encoded wrongly": "the server refuses in plain text",
  "version 2 taken for version 1": "the server names its own command, `bao kv get`",
  "a namespace that is not there": 'the server says "namespace not found"',
  "a namespace that is not there, as what is mounted": 'the server says "namespace not found"',
  "something else than JSON": 'the server says "failed to decode JSON input"',
  "a list where an object belongs": 'the server says "failed to decode JSON input"',
  "too many texts": "the server takes a thousand texts in a request",
};

interface Said {
  readonly status: number;
  readonly errors: unknown;
  readonly warnings: unknown;
  readonly data: unknown;
}

async function saidBy(url: string, rootToken: string, [line, body, more = {}]: Line, name: string): Promise<Said> {
  const [method = "", path = ""] = line.replaceAll("NAME", name).split(" ");
  const { token = rootToken, namespace } = more;
  const answer = await fetch(`${url}/v1/${path}`, {
    method,
    headers: {
      ...(token === "" ? {} : { "x-vault-token": token }),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const { errors, warnings, data } = (text.startsWith("{") ? JSON.parse(text) : {}) as Partial<Said>;
  return { status: answer.status, errors, warnings, data: withoutTimes(data) };
}

/** Times and what a server counts for itself are not the same twice. That they are there is. */
function withoutTimes(data: unknown): unknown {
  const TIMES = /(?:_time|^deletion_time)$/;
  return JSON.parse(
    JSON.stringify(data ?? null, (key, value: unknown) =>
      TIMES.test(key) && typeof value === "string" && value !== "" ? "a time" : value,
    ),
  );
}

/** The emulator is what the other tests run on, so it has to say what the server says. */
export function wordTests(running: Running): void {
  describe("the emulator says what OpenBao says", () => {
    let emulator: VaultEmulator;
    beforeAll(async () => {
      emulator = await VaultEmulator.start({ product: "openbao" });
    });
    afterAll(() => emulator.stop());

    for (const [title, lines] of Object.entries(CONVERSATIONS)) {
      // oxlint-disable-next-line vitest/valid-title -- the conversations are data
      test(title, async (context) => {
        if (Object.hasOwn(EMULATOR_GAPS, title)) context.skip(EMULATOR_GAPS[title]);
        const name = `name-${crypto.randomUUID()}`;
        for (const line of lines) {
          const real = await saidBy(running().url, running().rootToken, line, name);
          expect(await saidBy(emulator.url, emulator.auth.rootToken, line, name), line[0]).toEqual(real);
        }
      });
    }
  });
}
