/** The built-in secret schemas and the two text types, at `@coffer/core/schemas`. Importing this imports zod. */
export { arbitrary, basicAuth, mysql } from "./schema/builtin.ts";
export { textBoolean, textNumber } from "./schema/text.ts";
