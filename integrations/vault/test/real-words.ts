import { VaultEmulator } from "@coffer/emulators/vault/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONVERSATIONS, type Line } from "./real-conversations.ts";
import type { Running } from "./real-managers.ts";

interface Said {
  readonly status: number;
  readonly type: string | null;
  /** What stands in the body when it is no object of JSON. */
  readonly text: string | undefined;
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
  const isJson = text.startsWith("{");
  const { errors, warnings, data } = (isJson ? JSON.parse(text, asWritten) : {}) as Partial<Said>;
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    text: isJson ? undefined : text,
    errors,
    warnings,
    data: withoutTimes(data),
  };
}

/** A number as it is written: two that are not written alike are the same double. */
function asWritten(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" ? `the number ${context?.source}` : value;
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
      test(title, async () => {
        const name = `name-${crypto.randomUUID()}`;
        for (const line of lines) {
          const real = await saidBy(running().url, running().rootToken, line, name);
          expect(await saidBy(emulator.url, emulator.auth.rootToken, line, name), line[0]).toEqual(real);
        }
      });
    }
  });
}
