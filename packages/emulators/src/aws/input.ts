import { AwsError } from "./wire.ts";

/** Reads the members of an input, and refuses what the model of the service does not allow (service model 2017-10-17). */
export class Input {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>, known: readonly string[]) {
    this.#members = members;
    // The service ignores unknown members; a client that sends one is mistaken about it, which is what the tests want to know.
    const unknown = Object.keys(members).find((name) => !known.includes(name));
    if (unknown !== undefined) throw invalid(`Unknown member '${unknown}'`);
  }

  text(name: string, length: readonly [least: number, most: number], pattern?: RegExp): string | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw new AwsError("SerializationException", `${name} is not a string`);
    if (value.length < length[0]) throw constraint(name, `Member must have length greater than or equal to ${length[0]}`);
    if (value.length > length[1]) throw constraint(name, `Member must have length less than or equal to ${length[1]}`);
    if (pattern !== undefined && !pattern.test(value))
      throw new AwsError(
        "ValidationException",
        `Invalid ${lower(name)}. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!`,
      );
    return value;
  }

  required(name: string, length: readonly [least: number, most: number], pattern?: RegExp): string {
    const value = this.text(name, length, pattern);
    if (value === undefined) throw constraint(name, "Member must not be null");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#members[name] ?? false;
    if (typeof value !== "boolean") throw new AwsError("SerializationException", `${name} is not a boolean`);
    return value;
  }

  number(name: string, range: readonly [least: number, most: number]): number | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) throw new AwsError("SerializationException", `${name} is not an integer`);
    if (value < range[0] || value > range[1]) throw constraint(name, `Member must be between ${range[0]} and ${range[1]}`);
    return value;
  }

  texts(
    name: string,
    count: readonly [least: number, most: number],
    each: readonly [least: number, most: number],
  ): readonly string[] | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw new AwsError("SerializationException", `${name} is not a list`);
    if (value.length < count[0] || value.length > count[1])
      throw constraint(name, `Member must have length between ${count[0]} and ${count[1]}`);
    for (const item of value)
      if (typeof item !== "string" || item.length < each[0] || item.length > each[1])
        throw constraint(name, "Member must satisfy constraint");
    return value as string[];
  }

  objects(name: string, most: number): readonly Readonly<Record<string, unknown>>[] | undefined {
    const value = this.#members[name];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length > most) throw constraint(name, `Member must have length less than or equal to ${most}`);
    return value as Record<string, unknown>[];
  }

  /** The value of a version: text, or bytes that came as base64. */
  value(): string | Buffer | undefined {
    const text = this.text("SecretString", [1, 65_536]);
    const binary = this.#members["SecretBinary"];
    if (text !== undefined && binary !== undefined)
      throw invalid("You can't specify both a binary secret value and a string secret value in the same secret.");
    if (text !== undefined) {
      // The model counts characters; the service counts bytes.
      if (Buffer.byteLength(text) > 65_536) throw constraint("SecretString", "Member must have length less than or equal to 65536");
      return text;
    }
    return typeof binary === "string" ? Buffer.from(binary, "base64") : undefined;
  }

  tags(): Map<string, string> {
    const tags = new Map<string, string>();
    for (const tag of this.objects("Tags", 50) ?? []) {
      const { Key: key, Value: value = "" } = tag;
      const legal = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
      if (typeof key !== "string" || key.length < 1 || key.length > 128 || key.startsWith("aws:") || !legal.test(key))
        throw constraint("Tags", "invalid key");
      if (typeof value !== "string" || value.length > 256 || !legal.test(value)) throw constraint("Tags", "invalid value");
      if (tags.has(key)) throw invalid("Duplicate tag keys");
      tags.set(key, value);
    }
    return tags;
  }
}

/** A parameter that the service itself refuses. */
export function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}

function constraint(name: string, what: string): AwsError {
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value at '${lower(name)}' failed to satisfy constraint: ${what}`,
  );
}

function lower(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
