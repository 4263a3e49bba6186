// C0 and C1 controls, soft hyphen, zero-width and bidirectional marks, line separators, variation selectors, tags, private use, byte order mark.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u2028\u2029\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}\u115F\u1160\u3164\uFFA0]/gu;

/**
 * Makes text from outside safe for a terminal and a log: every control, bidirectional or invisible character becomes visible
 * (`\x1b`, `\u202e`), so that one name is one row and what is shown is what is there. A backslash is doubled, so that the form is unambiguous.
 */
export function printable(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
