import { printable, type SecretsManager, SecretsError } from "@coffer/core";
import type { Component, ComponentSettings, StackDefinition } from "./model.ts";

/** A secret reference: the key of a secret, in place of a setting. */
export interface SecretReference {
  readonly secret: string;
  readonly key: string;
}

/** A reference and the setting that it stands in: `database.url`. */
export interface PlacedReference extends SecretReference {
  readonly setting: string;
}

/** A secret that settings refer to, with all its keys that they need. */
export interface RequiredSecret {
  readonly secret: string;
  readonly keys: readonly string[];
}

/**
 * Reads `{{secret.key}}`, split at the last dot, or `{{secret#key}}` where the key has a dot, too. A reference is the whole of a text: within a longer one it
 * is text.
 */
export function parseReference(text: unknown): SecretReference | undefined {
  const inner = typeof text === "string" ? /^\{\{([^{}\s]+)\}\}$/.exec(text)?.[1] : undefined;
  if (inner === undefined) return undefined;
  // No name of a secret holds a "#".
  const at = inner.includes("#") ? inner.indexOf("#") : inner.lastIndexOf(".");
  return at < 1 || at === inner.length - 1 ? undefined : { secret: inner.slice(0, at), key: inner.slice(at + 1) };
}

/** The references in settings, at any depth. */
export function referencesIn(settings: ComponentSettings): PlacedReference[] {
  return textsIn(settings).flatMap(({ setting, text }) => {
    const reference = parseReference(text);
    return reference === undefined ? [] : [{ setting, ...reference }];
  });
}

/** The settings with text that looks like a reference and is none. */
export function brokenReferencesIn(settings: ComponentSettings): string[] {
  return textsIn(settings).flatMap(({ setting, text }) =>
    /\{\{.*\}\}/s.test(text) && parseReference(text) === undefined ? [setting] : [],
  );
}

/** The secrets that components need, each once, with their keys. */
export function requiredSecrets(...components: readonly Pick<Component, "settings">[]): RequiredSecret[] {
  const keys = new Map<string, Set<string>>();
  for (const component of components)
    for (const { secret, key } of referencesIn(component.settings)) keys.set(secret, (keys.get(secret) ?? new Set()).add(key));
  return [...keys].map(([secret, needed]) => ({ secret, keys: [...needed].toSorted() })).toSorted((a, b) => (a.secret < b.secret ? -1 : 1));
}

/** Settings that may refer to secrets, and the component that they are of. */
export type ReferringSettings = Pick<Component, "name" | "settings">;

/** The settings of a stack that may refer to secrets: of all components but the secrets manager. */
export function referringSettings({ orchestrator }: Pick<StackDefinition, "orchestrator">): ReferringSettings[] {
  return orchestrator === undefined ? [] : [orchestrator];
}

/**
 * The settings with the references replaced by the text of the keys. Each secret is read once.
 * @throws SecretsError `not_found` for the secret, or with `keys` for the key
 */
export async function resolveReferences(settings: ComponentSettings, manager: () => SecretsManager): Promise<ComponentSettings> {
  const texts = new Map<string, Readonly<Record<string, string>>>();
  for (const { secret } of requiredSecrets({ settings })) {
    // As text: a setting is checked by the schema of its flavor, which has its own types.
    texts.set(secret, (await manager().getSecret(secret, { validate: false })).content);
  }
  return replaceTexts(settings, (text) => {
    const reference = parseReference(text);
    if (reference === undefined) return text;
    const content = texts.get(reference.secret) ?? {};
    const value = Object.hasOwn(content, reference.key) ? content[reference.key] : undefined;
    if (value === undefined) throw missingKey(reference, Object.keys(content));
    return value;
  }) as ComponentSettings;
}

function missingKey({ secret, key }: SecretReference, known: readonly string[]): SecretsError {
  return new SecretsError("not_found", `The secret "${printable(secret)}" has no key "${printable(key)}".`, {
    secretName: secret,
    keys: [key],
    hint: `It has: ${known.length === 0 ? "no keys" : known.map(printable).join(", ")}.`,
  });
}

interface PlacedText {
  readonly setting: string;
  readonly text: string;
}

function textsIn(value: unknown, setting = ""): PlacedText[] {
  if (typeof value === "string") return [{ setting, text: value }];
  if (typeof value !== "object" || value === null) return [];
  const within = (key: string): string => (setting === "" ? key : Array.isArray(value) ? `${setting}[${key}]` : `${setting}.${key}`);
  return Object.entries(value).flatMap(([key, part]) => textsIn(part, within(key)));
}

function replaceTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((part) => replaceTexts(part, replace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replaceTexts(part, replace)]));
}
