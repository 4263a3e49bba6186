import { type CallOptions, type CreateOptions, DriverError, type ReplaceOptions, type SecretRecord, type StoredSecret } from "@coffer/core";
import { isNothing } from "./answers.ts";
import { type Engine, type EngineCalls, isSameRecord, pathOf, payloadOf, recordIn, refuseForeign } from "./engine.ts";
import { foldersOf } from "./listing.ts";
import { writeOnce } from "./writing.ts";

/** The calls of a driver on an engine of version 1: no versions, and no conditions. */
export function kv1Calls(engine: Engine): EngineCalls {
  return {
    read: (name, options) => read(engine, name, options),
    create: (name, record, options) => create(engine, name, record, options),
    replace: (name, record, options) => replace(engine, name, record, options),
    delete: (name, options) => remove(engine, name, options),
    listPages: (options) => foldersOf(engine, engine.mount, options),
  };
}

/** What stands under a name of an engine of version 1; `undefined` when nothing does. */
async function read(engine: Engine, name: string, options: CallOptions): Promise<StoredSecret | undefined> {
  try {
    const answer = await engine.connection.request({ method: "GET", path: pathOf(engine, undefined, name, options.scope) }, options);
    return { state: "value", managed: null, record: recordIn(answer["data"]) };
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/** Looks, then writes: version 1 has no condition, so of two who create at the same time the later one stands. */
async function create(engine: Engine, name: string, record: SecretRecord, options: CreateOptions): Promise<undefined> {
  const payload = payloadOf(engine, record);
  if ((await read(engine, name, options)) !== undefined) throw new DriverError("already_exists");
  await write(engine, name, { record, payload }, options);
}

async function replace(engine: Engine, name: string, record: SecretRecord, options: ReplaceOptions): Promise<undefined> {
  const payload = payloadOf(engine, record);
  if ((await read(engine, name, options)) === undefined) throw new DriverError("not_found");
  refuseForeign(null, options);
  await write(engine, name, { record, payload }, options);
}

async function remove(engine: Engine, name: string, options: CallOptions): Promise<void> {
  if ((await read(engine, name, options)) === undefined) throw new DriverError("not_found");
  await writeOnce(
    async () => void (await engine.connection.request({ method: "DELETE", path: pathOf(engine, undefined, name, options.scope) }, options)),
    async () => ((await read(engine, name, options)) === undefined ? { result: undefined } : undefined),
  );
}

interface Written {
  readonly record: SecretRecord;
  readonly payload: Readonly<Record<string, unknown>>;
}

async function write(engine: Engine, name: string, { record, payload }: Written, options: CallOptions): Promise<void> {
  const path = pathOf(engine, undefined, name, options.scope);
  // Version 1 refuses a map without keys. What this one says is what its absence says.
  const body = Object.keys(payload).length === 0 ? { $type: "arbitrary" } : payload;
  await writeOnce(
    async () => void (await engine.connection.request({ method: "POST", path, body }, options)),
    async () => {
      const stored = await read(engine, name, options);
      return stored?.state === "value" && isSameRecord(stored.record, record) ? { result: undefined } : undefined;
    },
  );
}
