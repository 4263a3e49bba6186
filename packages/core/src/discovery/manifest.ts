import * as z from "zod/mini";
import { SPEC_VERSION } from "../spec.ts";
import { ENTRY, FLAVOR_TYPES, IDENTIFIER } from "./plain-manifest.ts";

const identifier = z.string().check(z.regex(IDENTIFIER));

/** The field `coffer` of the package.json of an integration. */
export const manifestSchema = z.object({
  specVersion: z.literal(SPEC_VERSION),
  entry: z.string().check(z.regex(ENTRY)),
  flavors: z.array(z.object({ type: z.enum(FLAVOR_TYPES), name: identifier, aliases: z._default(z.array(identifier), []) })),
  schemas: z.array(identifier),
});

export type Manifest = z.infer<typeof manifestSchema>;
