import * as z from "zod/mini";
import { SPEC_VERSION } from "../spec.ts";

const identifier = z.string().check(z.regex(/^[a-z][a-z0-9_]*$/));

/** The field `coffer` of the package.json of an integration. */
export const manifestSchema = z.object({
  specVersion: z.literal(SPEC_VERSION),
  // A path inside the package: never a name to resolve, never a way out of the folder.
  entry: z.string().check(z.regex(/^\.\/(?!.*(?:^|\/)\.\.(?:\/|$))[\w./-]+\.[cm]?js$/)),
  flavors: z.array(
    z.object({ type: z.enum(["secrets_manager", "orchestrator"]), name: identifier, aliases: z._default(z.array(identifier), []) }),
  ),
  schemas: z.array(identifier),
});

export type Manifest = z.infer<typeof manifestSchema>;
