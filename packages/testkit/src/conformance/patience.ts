import assert from "node:assert/strict";

/** Waits for a promise, but not for longer than so many milliseconds. */
export function within<Result>(milliseconds: number, what: string, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new assert.AssertionError({ message: `${what} after ${milliseconds} ms.` })), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
