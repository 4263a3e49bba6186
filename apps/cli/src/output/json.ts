// What a terminal would act on or not show, though JSON allows it raw: C1 controls, bidirectional and invisible characters.
const UNSEEN = /[\u007F-\u009F\p{Cf}\u2028\u2029]/u;
const EVERY_UNSEEN = new RegExp(UNSEEN, "gu");

/** JSON that is safe on a terminal and reads back as the same value. Whole numbers of any size are numbers. */
export function jsonText(value: unknown, indent?: number): string {
  return escapeUnseen(JSON.stringify(value, exactNumbers, indent));
}

/** Escapes in JSON text what a terminal would act on or not show. */
export function escapeUnseen(json: string): string {
  return UNSEEN.test(json)
    ? json.replace(EVERY_UNSEEN, (character) =>
        character
          .split("")
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
          .join(""),
      )
    : json;
}

function exactNumbers(_key: string, value: unknown): unknown {
  // `JSON.rawJSON` is in every Node that this runs on, but not yet in the compiler's library.
  return typeof value === "bigint" ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value)) : value;
}
