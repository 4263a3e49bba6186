/** Groups of so many items; the last one may be smaller. */
export async function* batched<Item>(items: AsyncIterable<Item>, size: number): AsyncGenerator<readonly Item[]> {
  let batch: Item[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/**
 * Works on several items at a time and hands out their results as they come. Items are taken as places become free, also while results wait to be
 * taken: whatever feeds them is not run ahead of. An error of theirs ends it all; `run` answers errors, it throws none.
 */
export async function* pipelined<Item, Result>(
  items: AsyncGenerator<Item>,
  places: number,
  run: (item: Item) => Promise<readonly Result[]>,
): AsyncGenerator<Result> {
  const running = new Set<Promise<void>>();
  const results: (readonly Result[])[] = [];
  const source: { asking?: Promise<void> | undefined; ended: boolean; failure?: { readonly reason: unknown } } = { ended: false };

  const start = (item: Item): void => {
    const work = finish(item).finally(() => running.delete(work));
    running.add(work);
  };
  const finish = async (item: Item): Promise<void> => {
    results.push(await run(item));
  };
  const ask = async (): Promise<void> => {
    try {
      const next = await items.next();
      if (next.done === true) source.ended = true;
      else start(next.value);
    } catch (reason) {
      source.failure = { reason };
    }
    source.asking = undefined;
  };
  try {
    for (;;) {
      if (source.failure !== undefined) throw source.failure.reason;
      if (source.asking === undefined && !source.ended && running.size + results.length < places) source.asking = ask();
      const result = results.shift();
      if (result !== undefined) yield* result;
      else if (source.ended && running.size === 0) return;
      else await Promise.race([...running, ...(source.asking === undefined ? [] : [source.asking])]);
    }
  } finally {
    // Not waited for: a source that hangs would hang here, too.
    if (!source.ended) void items.return(undefined).catch(() => undefined);
  }
}
