import type { $ZodObject, output as ZodOutput } from "zod/v4/core";
import { assertIdentifier } from "../identifier.ts";
import type { SecretSchema } from "../spec.ts";
import { assertSchemaIsExact } from "./fields.ts";

/**
 * Describes which keys a secret may have and of which type. Text becomes a boolean or a number exactly (`textBoolean`, `textNumber`, or a plain
 * `z.boolean()` / `z.number()`); coercion is refused, because `z.coerce.boolean("false")` is `true`.
 * @throws TypeError when the type is not an identifier, when `fields` is no zod 4 object, or when a field coerces
 */
export function defineSecretSchema<Fields extends $ZodObject>(schema: {
  readonly type: string;
  readonly fields: Fields;
  readonly description?: string;
  readonly publicKeys?: readonly (keyof ZodOutput<Fields> & string)[];
}): SecretSchema<Fields> {
  assertIdentifier("secret schema", schema.type);
  assertSchemaIsExact(schema.type, schema.fields);
  return schema;
}
