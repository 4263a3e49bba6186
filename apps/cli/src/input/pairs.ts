/** Where the value of a pair comes from. */
export type Source =
  /** The value itself, on the command line. */
  { readonly from: "argument"; readonly text: string } | { readonly from: "file"; readonly path: string } | { readonly from: "stdin" };

/** Reads `@file`, `@-` and `@@literal`; everything else is the value itself, whatever it looks like. */
export function sourceOf(value: string): Source {
  if (!value.startsWith("@")) return { from: "argument", text: value };
  if (value === "@-") return { from: "stdin" };
  if (value.startsWith("@@")) return { from: "argument", text: value.slice(1) };
  return { from: "file", path: value.slice(1) };
}
