/** What the service keeps beside a secret: free text, up to 16 KiB in all. */
export type Annotations = Readonly<Record<string, string>>;

const MANAGED_BY = "managed-by";
const COFFER = "coffer";
const NAME = "coffer-name";
const REGISTER = "coffer-register";
const SWAP = "coffer-swap";

/** The trace of a register: which operation it was, and until when it wanted to be done. */
export interface RegisterTrace {
  readonly operationId: string;
  /** Milliseconds since 1970, on the clock of whoever registered. */
  readonly until: number;
}

/** What `CreateSecret` writes down: that the secret is ours, which register has made it, and its name where the id does not tell. */
export function annotationsFor(trace: RegisterTrace, name: string | undefined): Annotations {
  return {
    [MANAGED_BY]: COFFER,
    [REGISTER]: `${trace.operationId} ${new Date(trace.until).toISOString()}`,
    ...(name === undefined ? {} : { [NAME]: name }),
  };
}

/** The same annotations with our marker among them. */
export function marked(annotations: Annotations): Annotations {
  return { ...annotations, [MANAGED_BY]: COFFER };
}

export function isMarked(annotations: Annotations): boolean {
  return annotations[MANAGED_BY] === COFFER;
}

/** The real name of a secret with a hashed id. */
export function writtenName(annotations: Annotations): string | undefined {
  return annotations[NAME];
}

/** The register that has made a secret; `undefined` when it was not ours. */
export function registerTrace(annotations: Annotations): RegisterTrace | undefined {
  const [, operationId, time] = /^(\S+) (\S+)$/.exec(annotations[REGISTER] ?? "") ?? [];
  const until = Date.parse(time ?? "");
  return !isMarked(annotations) || operationId === undefined || Number.isNaN(until) ? undefined : { operationId, until };
}

/** A writer that compares and swaps: which revision it replaces, and until when it wants to be done. */
export interface SwapLock extends RegisterTrace {
  readonly base: string;
}

/** The same annotations with a writer announced in them. */
export function locked(annotations: Annotations, { base, operationId, until }: SwapLock): Annotations {
  return { ...annotations, [SWAP]: `${base} ${operationId} ${new Date(until).toISOString()}` };
}

/** The same annotations without an announced writer. */
export function unlocked(annotations: Annotations): Annotations {
  const { [SWAP]: _lock, ...rest } = annotations;
  return rest;
}

/** The writer that is announced; `undefined` when there is none. */
export function swapLock(annotations: Annotations): SwapLock | undefined {
  const [, base, operationId, time] = /^(\S+) (\S+) (\S+)$/.exec(annotations[SWAP] ?? "") ?? [];
  const until = Date.parse(time ?? "");
  return base === undefined || operationId === undefined || Number.isNaN(until) ? undefined : { base, operationId, until };
}
