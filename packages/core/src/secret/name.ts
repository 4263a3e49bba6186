import { SecretsError } from "../errors/secrets-error.ts";
import type { SecretScope } from "../spec.ts";
import { printable } from "./printable.ts";

const PORTABLE_NAME = /^[A-Za-z0-9_.@+=/-]{1,200}$/;
// A segment is refused when it is empty, `.` or `..`, or starts with `-` (which every command line would take for an option).
const REFUSED_SEGMENT = /(^|\/)(\.{0,2}(\/|$)|-)/;
const SERVICE_NAME_LIMIT = 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The rule of portable names in words, for messages and documents. */
export const NAME_RULE =
  '1 to 200 of the characters A-Z a-z 0-9 _ . @ + = - /, where no part between slashes is empty, "." or "..", or starts with "-"';

/** Whether a name can be used on every flavor. */
export function isPortableName(name: string): boolean {
  return PORTABLE_NAME.test(name) && !REFUSED_SEGMENT.test(name);
}

/**
 * Refuses a name before any request. In scope `none` names are the service's own, so only what no service can hold is refused here.
 * @throws SecretsError `invalid_name`
 */
export function assertName(name: string, scope: SecretScope): void {
  if (typeof name !== "string") throw new TypeError("The name of a secret is text.");
  if (scope === "none" ? isServiceName(name) : isPortableName(name)) return;
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  const rule =
    scope === "none"
      ? `1 to ${SERVICE_NAME_LIMIT} characters without control characters and without "." or ".." between slashes`
      : NAME_RULE;
  throw new SecretsError("invalid_name", `"${printable(shown)}" cannot be the name of a secret.`, { hint: `A name is ${rule}.` });
}

/** What decides which part of a service's name space is ours. */
export interface ScopeOptions {
  /** `global` by default: shared by all managers of that scope on the same service. */
  readonly scope?: SecretScope | undefined;
  /** The name of the part, for scope `namespace`: a portable name without `/`. */
  readonly namespace?: string | undefined;
  /** The uuid of the component, for scope `component`. */
  readonly componentId?: string | undefined;
}

/**
 * The path in front of every name of a manager: `coffer/global/`, `coffer/namespace/<namespace>/`, `coffer/component/<uuid>/`, or nothing.
 * @throws SecretsError `invalid_settings` when the scope and what it needs do not fit
 */
export function scopePrefix(options: ScopeOptions): string {
  const scope = options.scope ?? "global";
  switch (scope) {
    case "none":
      return "";
    case "global":
      return "coffer/global/";
    case "namespace": {
      const { namespace } = options;
      if (namespace === undefined || namespace === "")
        throw invalidScope('The scope "namespace" needs a namespace.', "Set namespace to the name of the part, for example team-a.");
      // Were a slash allowed, the namespace "a" would see the secrets of the namespace "a/b".
      if (!isPortableName(namespace) || namespace.includes("/"))
        throw invalidScope(`"${printable(namespace)}" cannot be a namespace.`, `A namespace is ${NAME_RULE}, without "/".`);
      return `coffer/namespace/${namespace}/`;
    }
    case "component": {
      const { componentId } = options;
      if (componentId === undefined || !UUID.test(componentId))
        throw invalidScope('The scope "component" needs the uuid of the component.', "Set componentId to a UUID.");
      return `coffer/component/${componentId.toLowerCase()}/`;
    }
    default:
      throw invalidScope(`"${printable(String(scope))}" is not a scope.`, "A scope is none, global, namespace or component.");
  }
}

/** The name of a secret as the user knows it, or `undefined` when the full name lies outside the scope. */
export function nameInScope(fullName: string, prefix: string): string | undefined {
  return fullName.startsWith(prefix) && fullName.length > prefix.length ? fullName.slice(prefix.length) : undefined;
}

function isServiceName(name: string): boolean {
  return (
    name.length >= 1 && name.length <= SERVICE_NAME_LIMIT && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name) && !/(^|\/)\.{1,2}(\/|$)/.test(name)
  );
}

function invalidScope(message: string, hint: string): SecretsError {
  return new SecretsError("invalid_settings", message, { hint });
}
