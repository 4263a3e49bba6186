import type * as Sqlite from "node:sqlite";

let loaded: typeof Sqlite | undefined;

/**
 * SQLite as Node brings it, loaded when a store is first opened. Node 22 calls the module experimental in a warning; that one sentence is
 * swallowed, because it would stand in the output of every command, and no other is.
 */
export function sqlite(): typeof Sqlite {
  if (loaded !== undefined) return loaded;
  const { emitWarning } = process;
  const filtered = (warning: string | Error, ...rest: unknown[]): void => {
    if (!/SQLite is an experimental feature/.test(String(warning))) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  process.emitWarning = filtered;
  try {
    return (loaded = process.getBuiltinModule("node:sqlite"));
  } finally {
    process.emitWarning = emitWarning;
  }
}
