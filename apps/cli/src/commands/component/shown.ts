import { type Component, looksSecret, parseReference } from "@coffer/stack";
import { MASK } from "../../output/table.ts";
import { valueText } from "../../output/value-text.ts";

/** How a type of component is called in messages, where a command is about one. */
export const WORDS: Readonly<Record<Component["type"], string>> = { secrets_manager: "secrets manager", orchestrator: "orchestrator" };

/** A component for programs. A setting that is a secret itself is masked; a reference to one is shown. */
export function componentRecord({ type, name, id, flavor, scope, namespace, settings, origin, file }: Component): object {
  const secretsManager = type === "secrets_manager";
  return {
    name,
    type,
    flavor,
    id,
    ...(secretsManager ? { scope: scope ?? "global", namespace: namespace ?? null } : {}),
    settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, isHidden(key, value) ? MASK : value])),
    origin,
    file,
  };
}

/** The attributes of a component for people, one in a row. */
export function componentRows(component: Component, origin: string): (readonly string[])[] {
  const { type, id, flavor, scope, namespace, settings } = component;
  return [
    ["flavor", flavor],
    ...(type === "secrets_manager" ? [["scope", scope ?? "global"]] : []),
    ...(namespace === undefined ? [] : [["namespace", namespace]]),
    ...Object.entries(settings).map(([key, value]) => [key, isHidden(key, value) ? MASK : valueText(value)]),
    ["id", id],
    ["defined in", origin],
  ];
}

function isHidden(key: string, value: unknown): boolean {
  return looksSecret(key) && parseReference(value) === undefined;
}

/** The scope of a secrets manager in a word or two. */
export function scopeText({ type, scope = "global", namespace }: Component): string {
  if (type !== "secrets_manager") return "";
  return scope === "namespace" ? `namespace ${namespace ?? ""}` : scope;
}
