import { printable, type SecretsManager, SecretsError } from "@coffer/core";
import type { Environment } from "./directories.ts";
import { type ReferringSettings, referencesIn, requiredSecrets } from "./references.ts";

/** How much of the secret references of a stack is checked: that secrets and their keys exist, that secrets exist (no value is read), or nothing. */
export const VALIDATION_LEVELS = ["SECRET_AND_KEY_EXISTS", "SECRET_EXISTS", "NONE"] as const;
export type ValidationLevel = (typeof VALIDATION_LEVELS)[number];

/** A secret reference that leads nowhere. */
export interface MissingSecret {
  readonly component: string;
  readonly setting: string;
  readonly secret: string;
  readonly key: string;
  /** What is not there. */
  readonly missing: "secrets_manager" | "secret" | "key";
}

/**
 * The level that COFFER_SECRET_VALIDATION_LEVEL sets.
 * @throws SecretsError `invalid_settings` for anything else
 */
export function validationLevel(env: Environment = process.env): ValidationLevel {
  const level = env["COFFER_SECRET_VALIDATION_LEVEL"] || VALIDATION_LEVELS[0];
  const known = VALIDATION_LEVELS.find((one) => one === level);
  if (known !== undefined) return known;
  throw new SecretsError("invalid_settings", `COFFER_SECRET_VALIDATION_LEVEL cannot be "${printable(level.slice(0, 80))}".`, {
    hint: `It is one of ${VALIDATION_LEVELS.join(", ")}.`,
  });
}

/** The secret references in settings that lead nowhere. A failure to look is an error, never a missing secret. */
export async function missingSecrets(
  components: readonly ReferringSettings[],
  manager: SecretsManager | undefined,
  level: ValidationLevel,
): Promise<MissingSecret[]> {
  if (level === "NONE") return [];
  const required = requiredSecrets(...components);
  if (required.length === 0) return [];
  const names = required.map(({ secret }) => secret);
  const keysOf = manager === undefined ? new Map<string, ReadonlySet<string> | undefined>() : await lookUp(manager, names, level);
  return components.flatMap(({ name: component, settings }) =>
    referencesIn(settings).flatMap(({ setting, secret, key }): MissingSecret[] => {
      const place = { component, setting, secret, key };
      if (manager === undefined) return [{ ...place, missing: "secrets_manager" }];
      if (!keysOf.has(secret)) return [{ ...place, missing: "secret" }];
      return keysOf.get(secret)?.has(key) === false ? [{ ...place, missing: "key" }] : [];
    }),
  );
}

/** The error of a run whose references lead nowhere. */
export function missingSecretsError(stack: string, missing: readonly MissingSecret[]): SecretsError {
  const shown = printable(stack);
  if (missing[0]?.missing === "secrets_manager")
    return noSecretsManager(
      stack,
      missing.map(({ secret }) => secret),
    );
  const list = missing.map(({ component, setting, secret, key, missing: what }) => {
    const absent =
      what === "secret" ? `the secret "${printable(secret)}"` : `the key "${printable(key)}" of the secret "${printable(secret)}"`;
    return `${absent} (setting ${printable(setting)} of "${printable(component)}")`;
  });
  return new SecretsError("not_found", `The stack "${shown}" refers to what does not exist: ${list.join("; ")}.`, {
    hint: `coffer stack register-secrets ${shown} asks for them. COFFER_SECRET_VALIDATION_LEVEL=${VALIDATION_LEVELS.slice(1).join(" or =")} checks less.`,
  });
}

/** The error where a stack has no secrets manager, and one is needed. */
export function noSecretsManager(stack: string, neededFor: readonly string[] = []): SecretsError {
  const needed = neededFor.length === 0 ? "" : ` It refers to secrets: ${[...new Set(neededFor)].map(printable).join(", ")}.`;
  return new SecretsError("no_secrets_manager", `The stack "${printable(stack)}" has no secrets manager.${needed}`, {
    hint: `coffer stack update ${printable(stack)} --secrets-manager=NAME adds one; coffer secrets-manager list shows them.`,
  });
}

async function lookUp(
  manager: SecretsManager,
  names: readonly string[],
  level: ValidationLevel,
): Promise<Map<string, ReadonlySet<string> | undefined>> {
  const found = new Map<string, ReadonlySet<string> | undefined>();
  if (level === "SECRET_EXISTS") {
    // By the listing: it needs no permission to read values.
    for await (const { name } of manager.listSecrets()) {
      if (names.includes(name)) found.set(name, undefined);
      if (found.size === names.length) break;
    }
    return found;
  }
  for (const name of names) {
    try {
      const { content } = await manager.getSecret(name, { validate: false });
      found.set(name, new Set(Object.keys(content)));
    } catch (error) {
      if (!SecretsError.isInstance(error) || error.code !== "not_found") throw error;
    }
  }
  return found;
}

/**
 * Stores keys of a secret that a stack requires: a new secret, or the given keys of one that is there, whose schema and other keys stay. What is the same
 * already is not written.
 */
export async function storeRequiredSecret(
  manager: SecretsManager,
  name: string,
  values: Readonly<Record<string, string>>,
): Promise<"registered" | "updated" | "unchanged"> {
  let present: Readonly<Record<string, unknown>>;
  try {
    present = (await manager.getSecret(name, { validate: false })).content;
  } catch (error) {
    if (!SecretsError.isInstance(error) || error.code !== "not_found") throw error;
    await manager.registerSecret({ name, values });
    return "registered";
  }
  const changed = Object.entries(values).filter(([key, value]) => !Object.hasOwn(present, key) || present[key] !== value);
  if (changed.length === 0) return "unchanged";
  await manager.updateSecret(name, { values: Object.fromEntries(changed) });
  return "updated";
}
