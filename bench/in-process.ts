import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSecretsManager, defineFlavor, defineSecretSchema, parseValues, type SecretsManager, textValues } from "@coffer/core";
import { z } from "zod";
import { ratioOfLoops } from "./measure.ts";

type Figure = readonly [measure: string, anchor: string, goal: number, ratio: number];

/** What a call costs inside a running program. */
export async function inProcess(manager: SecretsManager, folder: string): Promise<Figure[]> {
  const content = { user: "etl", value: "x".repeat(160) };
  for (let index = 0; index < 100; index += 1) await manager.registerSecret({ name: `secret-${index}`, values: content });
  return [
    ["cached get", "await of a Map.get", 3, await cachedGet()],
    ["typed parse of 6 fields", "the same zod schema called directly", 1.5, await typedParse()],
    ["uncached local get", "SELECT, decrypt, JSON.parse", 1.5, await uncachedGet(manager, folder, content)],
  ];
}

async function cachedGet(): Promise<number> {
  const flavor = defineFlavor({
    name: "constant",
    settings: z.strictObject({}),
    open: async () => {
      const refuse = async (): Promise<never> => Promise.reject(new Error("read only"));
      return {
        capabilities: {
          writable: false,
          atomicCreate: false,
          compareAndSwap: "none",
          revisions: false,
          restore: false,
          marker: "none",
          listMetadata: false,
          listing: "strong",
          readAfterWrite: "strong",
          maxValueBytes: null,
          caseSensitive: true,
          batchSize: 1,
          maxInFlight: 1,
        },
        read: async () => ({ state: "value", record: { values: textValues([["a", "1"]]) }, managed: true }),
        create: refuse,
        replace: refuse,
        delete: refuse,
        list: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
        classify: () => ({ code: "unknown", retryable: false, outcome: "not_applied" }),
      };
    },
  });
  const cached = createSecretsManager(flavor, {}, { cache: { ttlMs: 3_600_000 } });
  await cached.getSecret("db");
  const map = new Map([["db", await cached.getSecret("db")]]);
  const anchor = async (): Promise<unknown> => map.get("db");
  return ratioOfLoops(() => cached.getSecret("db"), anchor);
}

async function typedParse(): Promise<number> {
  const fields = z.object({
    user: z.string().optional(),
    password: z.string().optional(),
    ssl_ca: z.string().optional(),
    ssl_cert: z.string().optional(),
    ssl_key: z.string().optional(),
    ssl_verify_server_cert: z.stringbool().default(false),
  });
  const schema = defineSecretSchema({ type: "bench", fields });
  const values = textValues(
    Object.entries({ user: "etl", password: "pw", ssl_ca: "ca", ssl_cert: "cert", ssl_key: "key", ssl_verify_server_cert: "true" }),
  );
  return ratioOfLoops(
    () => parseValues(schema, values),
    () => fields.parse(values),
  );
}

/** The least that any encrypted store on SQLite does for one secret. */
async function uncachedGet(manager: SecretsManager, folder: string, content: object): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, "raw.db"));
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID");
  const key = createSecretKey(randomBytes(32));
  const insert = database.prepare("INSERT INTO secrets VALUES (?, ?)");
  for (let index = 0; index < 100; index += 1) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(Buffer.from(`secret-${index}`));
    insert.run(`secret-${index}`, Buffer.concat([nonce, cipher.update(JSON.stringify(content)), cipher.final(), cipher.getAuthTag()]));
  }
  const select = database.prepare("SELECT sealed FROM secrets WHERE name = ?");
  let turn = 0;
  const raw = async (): Promise<unknown> => {
    const name = `secret-${(turn += 1) % 100}`;
    // The table was made a few lines above: its column is a blob.
    const { sealed } = select.get(name) as { readonly sealed: Uint8Array };
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(sealed.subarray(-16));
    return JSON.parse(decipher.update(sealed.subarray(12, -16), undefined, "utf8") + decipher.final("utf8"));
  };
  const ratio = await ratioOfLoops(() => manager.getSecret(`secret-${(turn += 1) % 100}`), raw);
  database.close();
  return ratio;
}
