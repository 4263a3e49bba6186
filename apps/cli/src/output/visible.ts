import { printable } from "@coffer/core";

/**
 * Text for a terminal: control, bidirectional and invisible characters are shown as `\x1b`. Unlike in `printable` a backslash stays as it is, because
 * people copy what they see.
 */
export function visible(text: string): string {
  return /^[ -~]*$/.test(text) ? text : text.split("\\").map(printable).join("\\");
}

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}
