import { randomUUID } from "node:crypto";
import type { LoopbackAnswer } from "../loopback.ts";

const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" } as const;

/** What Vault refuses, in its own words. */
export class VaultRefusal extends Error {
  override readonly name = "VaultRefusal";
  readonly status: number;
  /** The texts of `errors`; a refusal may have none. */
  readonly errors: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** What stands in the body when it is not JSON: the front of the service says what it refuses in plain text. */
  readonly text: string | undefined;

  constructor(
    status: number,
    errors: readonly string[],
    more: { readonly headers?: Readonly<Record<string, string>>; readonly text?: string } = {},
  ) {
    super(errors[0] ?? `Status ${status}`);
    this.status = status;
    this.errors = errors;
    this.headers = more.headers ?? {};
    this.text = more.text;
  }
}

/** The parts of an answer that are not the same every time. */
export interface AnswerParts {
  readonly status?: number;
  readonly data?: object | null;
  readonly auth?: object | null;
  readonly warnings?: readonly string[] | null;
  readonly leaseSeconds?: number;
  /** The request has changed something. */
  readonly wrote?: boolean;
}

/** An answer in the envelope that Vault puts around everything. */
export function answered({ status = 200, data, auth, warnings, leaseSeconds = 0, wrote = false }: AnswerParts): LoopbackAnswer {
  const envelope = {
    request_id: randomUUID(),
    lease_id: "",
    renewable: false,
    lease_duration: leaseSeconds,
    data: data ?? null,
    wrap_info: null,
    warnings: warnings ?? null,
    auth: auth ?? null,
  };
  return { status, headers: JSON_HEADERS, body: JSON.stringify(envelope), wrote };
}

/** An answer without the envelope: a few endpoints of the system have none. */
export function bare(status: number, body: object): LoopbackAnswer {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(body) };
}

/** An answer without a body: 204 for what went well, or a status that Vault has no words for. */
export function silent(status: number, wrote = false): LoopbackAnswer {
  return { status, headers: JSON_HEADERS, wrote };
}

/** The answer that a refusal becomes. */
export function refused({ status, errors, headers, text }: VaultRefusal): LoopbackAnswer {
  if (text === "") return { status, headers };
  if (text !== undefined) return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: text };
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify({ errors }) };
}

/** How Vault writes errors that have gone through its core: counted, one a line. */
export function counted(...messages: readonly string[]): string {
  const head = messages.length === 1 ? "1 error occurred:" : `${messages.length} errors occurred:`;
  return `${head}\n${messages.map((each) => `\t* ${each}\n`).join("")}\n`;
}

/** Nothing there: 404 without a word. */
export function notThere(): VaultRefusal {
  return new VaultRefusal(404, []);
}

/** What a policy does not allow. */
export function permissionDenied(): VaultRefusal {
  return new VaultRefusal(403, [counted("permission denied")]);
}

/** An operation that a path does not have. */
export function unsupportedOperation(): VaultRefusal {
  return new VaultRefusal(405, [counted("unsupported operation")]);
}
