import { hkdfSync } from "node:crypto";
import type { HeadRow } from "./sealing.ts";

const BYTES = 24;

/**
 * What is known of all heads together: how many there are, and a keyed sum over the name, schema, revision and times of each. It is sealed into
 * one row of the store and kept up in every write, so that a row which was dropped, added or brought back from an older copy is noticed although
 * every single row that is left is authentic.
 */
export interface Census {
  readonly count: number;
  /** The highest last revision of any secret that was deleted: the next one starts above it, so that a revision never comes back. */
  readonly floor: number;
  readonly low: number;
  readonly high: number;
}

export const EMPTY_CENSUS: Census = { count: 0, floor: 0, low: 0, high: 0 };

export function encodeCensus(census: Census): Uint8Array {
  const view = new DataView(new ArrayBuffer(BYTES));
  view.setFloat64(0, census.count);
  view.setFloat64(8, census.floor);
  view.setInt32(16, census.low);
  view.setInt32(20, census.high);
  return new Uint8Array(view.buffer);
}

export function decodeCensus(bytes: Uint8Array | undefined): Census | undefined {
  if (bytes?.length !== BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { count: view.getFloat64(0), floor: view.getFloat64(8), low: view.getInt32(16), high: view.getInt32(20) };
}

/** A sum over heads while it is made. */
export interface Sum {
  count: number;
  low: number;
  high: number;
}

/**
 * Adds heads up. Each contributes the 64 bits of HalfSipHash-2-4 over its words; neither the key nor any of the sums is ever visible in the
 * file, so that a set of rows with the same sum can only be guessed.
 */
export class HeadSum {
  readonly #dataKey: Uint8Array;
  readonly #storeId: string;
  #key: { readonly low: number; readonly high: number } | undefined;

  constructor(dataKey: Uint8Array, storeId: string) {
    this.#dataKey = dataKey;
    this.#storeId = storeId;
  }

  /** The census with a head added and another one taken away. */
  changed(census: Census, added: Contribution | undefined, removed: Contribution | undefined): Census {
    const sum = { count: census.count, low: census.low, high: census.high };
    if (removed !== undefined) this.#count(sum, removed, -1);
    if (added !== undefined) this.#count(sum, added, 1);
    return { floor: census.floor, ...sum };
  }

  add(sum: Sum, head: Contribution): void {
    this.#count(sum, head, 1);
  }

  // One loop over 32-bit words, written out: it runs over every name of a listing.
  #count(sum: Sum, head: Contribution, sign: 1 | -1): void {
    const { low: key0, high: key1 } = (this.#key ??= keyOf(this.#dataKey, this.#storeId));
    const { name, schema, revision, createdAt, updatedAt } = head;
    const nameWords = (name.length + 1) >> 1;
    const schemaLength = schema === null ? 0 : schema.length;
    const schemaWords = (schemaLength + 1) >> 1;
    const words = nameWords + schemaWords + 8;
    let v0 = key0;
    let v1 = key1 ^ 0xee;
    let v2 = 0x6c796765 ^ key0;
    let v3 = 0x74656462 ^ key1;
    let low = 0;
    // After the words two ends: the first gives the low half of the result, the second the high one.
    for (let index = 0; index < words + 2; index += 1) {
      let word = 0;
      let rounds = 2;
      if (index < nameWords) word = pair(name, index);
      else if (index < nameWords + schemaWords) word = pair(schema ?? "", index - nameWords);
      else if (index < words) {
        switch (index - nameWords - schemaWords) {
          case 0:
            word = name.length;
            break;
          case 1:
            word = schema === null ? -1 : schemaLength;
            break;
          case 2:
            word = revision | 0;
            break;
          case 3:
            word = (revision / 4294967296) | 0;
            break;
          case 4:
            word = createdAt | 0;
            break;
          case 5:
            word = (createdAt / 4294967296) | 0;
            break;
          case 6:
            word = updatedAt | 0;
            break;
          default:
            word = (updatedAt / 4294967296) | 0;
        }
      } else if (index === words) {
        v2 ^= 0xee;
        rounds = 4;
      } else {
        low = v1 ^ v3;
        v1 ^= 0xdd;
        rounds = 4;
      }
      v3 ^= word;
      for (; rounds > 0; rounds -= 1) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    sum.count += sign;
    sum.low = (sum.low + sign * low) | 0;
    sum.high = (sum.high + sign * (v1 ^ v3)) | 0;
  }
}

// Derived when it is first needed: a plain read needs it never, and the derivation takes longer than the read.
function keyOf(dataKey: Uint8Array, storeId: string): { readonly low: number; readonly high: number } {
  const key = Buffer.from(hkdfSync("sha256", dataKey, storeId, "coffer local census", 8));
  return { low: key.readInt32BE(0), high: key.readInt32BE(4) };
}

/** Whether a sum is the one that the census tells. */
export function sameSum(sum: Sum, census: Census): boolean {
  return sum.count === census.count && sum.low === census.low && sum.high === census.high;
}

/** The part of a head that the census covers. */
export type Contribution = Omit<HeadRow, "oldest">;

// Two UTF-16 units of a text as one word.
function pair(text: string, index: number): number {
  const at = index * 2;
  return text.charCodeAt(at) | (at + 1 < text.length ? text.charCodeAt(at + 1) << 16 : 0);
}
