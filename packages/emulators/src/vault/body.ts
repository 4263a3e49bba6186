import type { LoopbackRequest } from "../loopback.ts";
import { VaultRefusal } from "./answers.ts";
import { headerOf, type VaultCall } from "./call.ts";
import { isWrittenNumber, parseExactly } from "./numbers.ts";

const LARGEST_BODY = 33_554_432;
const MERGE_PATCH = "application/merge-patch+json";
/** OpenBao takes no more texts than this in one request, keys and values together. */
const MOST_TEXTS = 1_000;

/** The JSON object that a request has sent. */
export type Body = Readonly<Record<string, unknown>>;

/** A request whose body has been read; one that is not there, or that nobody asks for, is an empty one. */
export interface CallWithBody extends VaultCall {
  readonly body: Body;
}

/**
 * Reads the JSON object in a request, before anything else is looked at. Throws a {@link VaultRefusal} when it is too large, no JSON, or no object,
 * and for a partial update that does not say of which kind it is.
 */
export function withBody(call: VaultCall, isOpenBao: boolean): CallWithBody {
  const { operation, request } = call;
  if (operation !== "update" && operation !== "patch") return { ...call, body: {} };
  if (operation === "patch") checkPatchType(headerOf(request, "content-type"));
  const body = isOpenBao ? readByOpenBao(request) : readByVault(request);
  return { ...call, body };
}

function readByVault({ body }: LoopbackRequest): Body {
  const prefix = "failed to parse JSON input";
  if (body.length > LARGEST_BODY) throw new VaultRefusal(413, [`${prefix}: http: request body too large`]);
  return objectIn(body.toString("utf8"), prefix);
}

function readByOpenBao({ body }: LoopbackRequest): Body {
  if (body.length > LARGEST_BODY) throw new VaultRefusal(413, ["http: request body too large"]);
  const object = objectIn(body.toString("utf8"), "failed to decode JSON input");
  if (textsIn(object) > MOST_TEXTS)
    throw new VaultRefusal(400, ["refused JSON input due to high complexity: exceeded maximum number of strings"]);
  return object;
}

function objectIn(text: string, prefix: string): Body {
  if (text.trim() === "") return {};
  const value = parsed(text, prefix);
  if (value === null) return {};
  if (isMap(value)) return value;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value === "string" ? "string" : "number";
  throw new VaultRefusal(400, [`${prefix}: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`]);
}

function parsed(text: string, prefix: string): unknown {
  try {
    return wellFormed(parseExactly(text));
  } catch (error) {
    throw new VaultRefusal(400, [`${prefix}: ${flawOf(text, (error as SyntaxError).message)}`]);
  }
}

/** What is wrong with a text that is no JSON, as Go says it, from what the engine of JavaScript says. */
function flawOf(text: string, told: string): string {
  const [, token] = /^Unexpected token '(.+?)'/su.exec(told) ?? [];
  const [, position] = /at position (\d+)/.exec(told) ?? [];
  const character = token ?? text.charAt(Number(position ?? text.length));
  return character === ""
    ? "unexpected EOF"
    : `invalid character '${character === "'" ? "\\'" : character}' looking for beginning of value`;
}

/** Go has no lone surrogates: they become the replacement character. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toWellFormed(), wellFormed(each)]));
}

function textsIn(value: unknown): number {
  if (typeof value === "string") return 1;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + textsIn(each), 0);
  return isMap(value) ? Object.values(value).reduce((sum: number, each) => sum + 1 + textsIn(each), 0) : 0;
}

function isMap(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isWrittenNumber(value);
}

function checkPatchType(header: string): void {
  const type = (header.split(";")[0] ?? "").trim().toLowerCase();
  if (type === "") throw new VaultRefusal(400, ["mime: no media type"]);
  if (type !== MERGE_PATCH) throw new VaultRefusal(415, [`PATCH requires Content-Type of ${MERGE_PATCH}, provided ${type}`]);
}
