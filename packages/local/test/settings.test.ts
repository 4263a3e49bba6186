import { createSecretsManager, SecretsError } from "@coffer/core";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { local, type LocalSettings } from "../src/index.ts";
import { checkSettings } from "../src/settings-check.ts";
import { plainSettings } from "../src/settings-types.ts";
import { settingsSchema } from "../src/settings.ts";

const KEYS = [
  "path",
  "protection",
  "key_file",
  "passphrase",
  "passphrase_file",
  "passphrase_fd",
  "revisions",
  "onCreate",
  "pathh",
  "__proto__",
  "constructor",
];
const give = (): string => "passphrase";

const value = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "a/b",
    "key_file",
    "passphrase",
    "keychain",
    undefined,
    null,
    true,
    0,
    1,
    10,
    1000,
    1001,
    -1,
    1.5,
    Number.NaN,
    [],
    {},
    give,
    () => undefined,
  ),
  fc.string(),
  fc.integer(),
);
/** Settings as they may come from anywhere: right, nearly right and not at all. */
const settings = fc.oneof(
  fc.array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries) as unknown),
  fc.record(
    { path: fc.constant("a"), key_file: fc.string(), passphrase: fc.constant(give), onCreate: fc.constant(give) },
    { requiredKeys: [] },
  ),
  fc.constantFrom<unknown>(undefined, null, 0, "", "path", true, give, [], ["a"], Symbol("a"), new Map([["path", "a"]]), new Date(0)),
  fc
    .array(fc.tuple(fc.constantFrom(...KEYS.slice(0, 8)), value), { maxLength: 2 })
    .map((entries) => Object.create(Object.fromEntries(entries)) as unknown),
);

describe("the quick check of plain settings", () => {
  test("says of whatever it accepts the same as the schema", () => {
    let accepted = 0;
    fc.assert(
      fc.property(settings, (candidate) => {
        const plain = plainSettings(candidate);
        if (plain === undefined) return true;
        accepted += 1;
        const result = settingsSchema.safeParse(candidate);
        expect(result.success && result.data).toEqual({ ...plain });
        return result.success;
      }),
      { numRuns: 3_000, seed: 4 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test("accepts what people write", () => {
    for (const plain of [{}, { path: "a" }, { path: "a", key_file: "b" }, { passphrase: give, onCreate: give }] as const)
      expect(plainSettings(plain)).toEqual({ ...plain, revisions: 10 });
  });

  test("leaves lists, objects of classes and inherited settings to the schema", () => {
    class Settings {
      get path(): string {
        return "/elsewhere";
      }
    }
    for (const candidate of [[], new Settings(), Object.create({ path: "/elsewhere" })]) expect(plainSettings(candidate)).toBeUndefined();
  });

  test("settings of a class are not overlooked", async () => {
    class Settings {
      get path(): string {
        return "/elsewhere/secrets.db";
      }
    }
    expect(await checkSettings(new Settings())).toEqual({ path: "/elsewhere/secrets.db", revisions: 10 });
  });
});

describe("settings that are refused", () => {
  test.each<[string, unknown]>([
    ["path", { path: "" }],
    ["path", { path: 5 }],
    ["protection", { protection: "none" }],
    ["passphrase", { passphrase: "" }],
    ["passphrase", { passphrase: 5 }],
    ["passphrase_fd", { passphrase_fd: -1 }],
    ["passphrase_fd", { passphrase_fd: 1.5 }],
    ["revisions", { revisions: 0 }],
    ["revisions", { revisions: 1001 }],
    ["onCreate", { onCreate: "yes" }],
    ["pth", { pth: "a" }],
  ])("%s: %j", async (key, candidate) => {
    const create = async (): Promise<void> => {
      const manager = createSecretsManager(local, candidate as LocalSettings);
      await manager.hasSecret("one");
    };
    const error: unknown = await create().catch((thrown: unknown) => thrown);
    expect(SecretsError.isInstance(error) && error.code).toBe("invalid_settings");
    expect((error as Error).message).toContain(key);
  });

  test("a passphrase is not shown with the setting that is wrong", async () => {
    const error: unknown = await checkSettings({ passphrase: "correct horse battery", revisions: 0 }).catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error)).not.toContain("horse");
  });
});

test("settings are checked, and a manager made, without opening or making anything", () => {
  const onCreate = vi.fn<() => void>();
  createSecretsManager(local, { path: "/absent/secrets.db", onCreate });
  expect(onCreate).not.toHaveBeenCalled();
});
