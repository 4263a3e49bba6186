import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What stands beside a sealed head in clear text, and is sealed with it: a row that differs in any of this does not open. */
export interface HeadRow {
  readonly name: string;
  /** `null` when the secret has no schema. */
  readonly schema: string | null;
  readonly revision: number;
  /** When the secret was created, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When this revision was written. */
  readonly updatedAt: number;
  /** The oldest revision that is kept. */
  readonly oldest: number;
}

/** The same for a revision that is no longer the current one. */
export interface RevisionRow {
  readonly name: string;
  readonly schema: string | null;
  readonly revision: number;
  readonly createdAt: number;
}

/**
 * Seals and opens what lies in a store: AES-256-GCM under the data key, with a label as associated data that says what it is
 * and where it belongs. A sealed text is the nonce, the ciphertext and the tag.
 */
export class Sealer {
  readonly storeId: string;
  readonly #key: KeyObject;

  constructor(storeId: string, dataKey: Uint8Array) {
    this.storeId = storeId;
    // One KeyObject for all calls: on some releases of Node a key given as bytes costs more than the encryption itself.
    this.#key = createSecretKey(dataKey);
  }

  seal(label: string, plain: string | Uint8Array): Uint8Array {
    return sealWith(this.#key, label, plain);
  }

  /** The plain text, or `undefined` when any bit of it or of its label is not what was sealed. */
  open(label: string, sealed: unknown): Buffer | undefined {
    return openWith(this.#key, label, sealed);
  }

  // Labels are unambiguous: the kind, then numbers, then the length of the schema, the schema, and the name as the rest.
  headLabel(row: HeadRow): string {
    return `${this.storeId} head ${row.revision} ${row.createdAt} ${row.updatedAt} ${row.oldest} ${row.schema === null ? "-" : row.schema.length} ${row.schema ?? ""} ${row.name}`;
  }

  revisionLabel(row: RevisionRow): string {
    return `${this.storeId} revision ${row.revision} ${row.createdAt} ${row.schema === null ? "-" : row.schema.length} ${row.schema ?? ""} ${row.name}`;
  }

  get censusLabel(): string {
    return `${this.storeId} census`;
  }
}

export function sealWith(key: KeyObject, label: string, plain: string | Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(label));
  const first = typeof plain === "string" ? cipher.update(plain, "utf8") : cipher.update(plain);
  const last = cipher.final();
  return Buffer.concat([nonce, first, last, cipher.getAuthTag()]);
}

export function openWith(key: KeyObject, label: string, sealed: unknown): Buffer | undefined {
  if (!(sealed instanceof Uint8Array) || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const body = sealed.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(label));
    decipher.setAuthTag(sealed.subarray(body));
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, body));
    // In this mode the last block is empty; what it does is to check the tag. Nothing is looked at before.
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
