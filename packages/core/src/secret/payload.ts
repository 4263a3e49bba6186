import { isIdentifier } from "../identifier.ts";
import type { SecretRecord } from "../spec.ts";
import { textValues } from "./values.ts";

/** The one reserved key of a payload: the type of the schema, stored beside the values so that a read costs one call and both share a revision. */
const TYPE_KEY = "$type";
/** The reserved key of the system that this one follows; its payloads are understood on read, never written. */
const FORMER_TYPE_KEY = "zenml_schema_name";
/** The type of what has no schema; only written where leaving it out would say something else. */
const NO_TYPE = "arbitrary";

// Node 22 has both; the es2024 library of TypeScript does not know them yet.
const json = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
};

/** What a service stores: a flat JSON object of text with sorted keys, readable by consoles and other tools, plus `$type` when there is a schema. */
export function encodePayload(record: SecretRecord): string {
  const payload = textValues();
  // A key that is called as the former system's reserved one stays a key: beside a type of ours it is never taken for one.
  const type = record.schema ?? (isType(record.values[FORMER_TYPE_KEY]) ? NO_TYPE : undefined);
  if (type !== undefined) payload[TYPE_KEY] = type;
  for (const key of Object.keys(record.values).toSorted()) payload[key] = record.values[key] ?? "";
  return JSON.stringify(payload);
}

/** The size of a record in bytes, as `encodePayload` writes it: what is held against a service's limit. */
export function payloadBytes(record: SecretRecord): number {
  return new TextEncoder().encode(encodePayload(record)).length;
}

export interface DecodedPayload {
  readonly record: SecretRecord;
  /** The payload was no UTF-8: the one value is its base64. */
  readonly encoding?: "base64";
}

/**
 * Reads what Coffer or any other tool has stored. A JSON object is read key by key: text as it is, numbers and booleans by their JSON text
 * (digits kept as written), null left out, arrays and objects as compact JSON. Anything else is one key `value`; bytes that are no UTF-8 are base64.
 */
export function decodePayload(payload: string | Uint8Array): DecodedPayload {
  let text: string;
  if (typeof payload === "string") text = payload;
  else {
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    } catch {
      return { record: { values: textValues([["value", Buffer.from(payload).toString("base64")]]) }, encoding: "base64" };
    }
  }
  const parsed = parseObject(text);
  return { record: parsed ?? { values: textValues([["value", text]]) } };
}

function parseObject(text: string): SecretRecord | undefined {
  let parsed: unknown;
  try {
    // A number is kept as it is written: 64-bit ids would be rounded on their way through a double.
    parsed = json.parse(text, (_key, value, context) =>
      typeof value === "number" && context.source !== undefined ? json.rawJSON(context.source) : value,
    );
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed) || Object.getPrototypeOf(parsed) === null) return undefined;
  return recordFromMap(parsed as Readonly<Record<string, unknown>>);
}

/** The record in a map that a service stores natively, or that was parsed from JSON; the same reading rules as `decodePayload`. */
export function recordFromMap(map: Readonly<Record<string, unknown>>): SecretRecord {
  const values = textValues();
  const schema = isType(map[TYPE_KEY]) ? map[TYPE_KEY] : undefined;
  let formerSchema: string | undefined;
  for (const key of Object.keys(map)) {
    const value = map[key];
    if (key === TYPE_KEY && schema !== undefined) continue;
    if (key === FORMER_TYPE_KEY && schema === undefined && isType(value)) formerSchema = value;
    else if (typeof value === "string") values[key] = value;
    else if (value !== null && value !== undefined) values[key] = JSON.stringify(value);
  }
  const type = schema ?? formerSchema;
  return type === undefined || type === NO_TYPE ? { values } : { schema: type, values };
}

/** Other tools have a `$type`, too (that of .NET is the name of a class): then it is a key like any other. */
function isType(value: unknown): value is string {
  return typeof value === "string" && isIdentifier(value);
}
