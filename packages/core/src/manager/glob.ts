/**
 * The pattern of a listing: `*` stands for any characters of one part between slashes, `**` for any characters at all, `?` for one character
 * that is no slash. Everything else stands for itself.
 */
export interface Glob {
  /** What every matching name starts with: it goes to the service, which can search by prefix. */
  readonly prefix: string;
  matches(name: string): boolean;
}

export function compileGlob(pattern: string): Glob {
  const prefix = /^[^*?]*/.exec(pattern)?.[0] ?? "";
  const source = pattern.replaceAll(/\*{2,}|[*?]|[^*?]+/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.startsWith("*") ? ".*" : part.replaceAll(/[\\^$.+()[\]{}|/-]/g, String.raw`\$&`);
  });
  const expression = new RegExp(`^${source}$`, "s");
  return { prefix, matches: (name) => expression.test(name) };
}
