/** How a service's names are narrower than portable ones. */
export interface EscapeRule {
  /** Whether this character (one byte of ASCII) may stand as it is. */
  allows(character: string): boolean;
  /** What introduces an escaped character, followed by two lower-case hexadecimal digits: `-x`, `_x`, `=`. */
  readonly introducer: string;
}

/**
 * Writes a portable name in the alphabet of a narrower service. Injective and reversible: the introducer escapes itself, and names in the
 * service's own alphabet that do not contain it stay as they are.
 */
export function escapeName(name: string, rule: EscapeRule): string {
  let escaped = "";
  for (let index = 0; index < name.length; index += 1) {
    const character = name.charAt(index);
    const startsEscape = name.slice(index, index + rule.introducer.length).toLowerCase() === rule.introducer.toLowerCase();
    escaped +=
      rule.allows(character) && !startsEscape ? character : rule.introducer + character.charCodeAt(0).toString(16).padStart(2, "0");
  }
  return escaped;
}

/** The name that `escapeName` wrote; `undefined` when the text is no name that it could have written. */
export function unescapeName(escaped: string, rule: EscapeRule): string | undefined {
  let name = "";
  for (let index = 0; index < escaped.length;) {
    if (escaped.startsWith(rule.introducer, index)) {
      const digits = escaped.slice(index + rule.introducer.length, index + rule.introducer.length + 2);
      if (!/^[0-7][0-9a-f]$/.test(digits)) return undefined;
      name += String.fromCharCode(Number.parseInt(digits, 16));
      index += rule.introducer.length + 2;
    } else {
      name += escaped.charAt(index);
      index += 1;
    }
  }
  // Text with a needless escape reads like another name; only the one form that we write is ours.
  return escapeName(name, rule) === escaped ? name : undefined;
}
