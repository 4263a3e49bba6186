import { recordOf } from "./lab.ts";
import type { SecretRecord } from "@coffer/core";

const PORTABLE = "abcxyzABCXYZ0189_.@+=-";
const KEY_START = "abcXYZ_";
const KEY_REST = "abcXYZ019_.-";

/** Text that storage has been seen to change: what random letters alone would hit too seldom. */
const PIECES = [
  "",
  " ",
  "\n",
  "\r\n",
  "\t",
  "\u0000",
  "\ufeff",
  "\u00e9",
  "e\u0301",
  "\u{1f511}",
  "\u{10ffff}",
  "\u2028",
  "\u202e",
  '"',
  "\\",
  "\\u0041",
  "'",
  "$",
  "${x}",
  "{{a.b}}",
  "%41",
  "+",
  "&amp;",
  "0123",
  "1e5",
  "null",
  "true",
  "[",
  "{",
  "---",
  "#",
  ":",
  "__proto__",
  "\u001b[0m",
];

/** A source of chance that tells the same story for the same seed, so that a failure can be seen again. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0, smaller than `limit`. Mulberry32: small, and good enough to reach every corner. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  one<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  text(characters: string, length: number): string {
    return Array.from({ length }, () => characters.charAt(this.below(characters.length))).join("");
  }

  /** A value: pieces that are known to be trouble, letters, and any other well-formed Unicode. */
  value(longest: number): string {
    let value = "";
    for (let parts = this.below(8); parts > 0; parts -= 1) {
      const kind = this.below(3);
      const point = this.below(0x11_0000);
      if (kind === 0) value += this.one(PIECES);
      else if (kind === 1) value += this.text(`${PORTABLE} /`, this.below(24));
      else if (point < 0xd800 || point > 0xdfff) value += String.fromCodePoint(point);
    }
    return value.length > longest ? value.slice(0, longest).toWellFormed() : value;
  }

  /** A record as a user may write it. */
  record(longestValue: number): SecretRecord {
    const entries = Array.from({ length: this.below(6) }, (): [string, string] => [
      this.one(["user", "password", "__proto__", "constructor", this.text(KEY_START, 1) + this.text(KEY_REST, this.below(12))]),
      this.value(longestValue),
    ]);
    return recordOf(entries, this.one([undefined, undefined, "mysql", "basic_auth"]));
  }

  /** A portable name of one to three parts, no two alike but for case. */
  name(taken: Set<string>): string {
    for (;;) {
      const parts = Array.from({ length: 1 + this.below(3) }, () => this.part());
      const name = parts.join("/");
      const folded = name.toLowerCase();
      if (taken.has(folded)) continue;
      taken.add(folded);
      return name;
    }
  }

  private part(): string {
    const part = this.text(PORTABLE, 1 + this.below(10));
    return part.startsWith("-") || part === "." || part === ".." ? `x${part}` : part;
  }
}
