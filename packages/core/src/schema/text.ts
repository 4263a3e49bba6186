import { z } from "zod";
import { booleanFromText, numberFromText } from "./fields.ts";

/** A boolean written as text: true/false, 1/0, yes/no, y/n, on/off, t/f in any case. Unlike `z.coerce.boolean()`, "false" is `false`. */
export function textBoolean(): z.ZodCodec<z.ZodString, z.ZodBoolean> {
  return z.codec(z.string(), z.boolean(), {
    decode: (text, context) => booleanFromText(text) ?? refuse(context, text, "boolean"),
    encode: String,
  });
}

/** A number written as full decimal text (`-12.5`). Unlike `z.coerce.number()`, the empty text is refused, and so is `0x1F`. */
export function textNumber(): z.ZodCodec<z.ZodString, z.ZodNumber> {
  return z.codec(z.string(), z.number(), {
    decode: (text, context) => numberFromText(text) ?? refuse(context, text, "number"),
    encode: String,
  });
}

function refuse(context: z.core.ParsePayload, input: string, expected: "boolean" | "number"): never {
  context.issues.push({ code: "invalid_type", expected, input });
  return z.NEVER;
}
