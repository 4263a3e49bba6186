// Does one operation on one store: `node victim.ts FOLDER OPERATION [again]`. It says "done" the moment the operation is acknowledged.
// With `again` it tries once more, in the same process, what has failed.
import crypto from "node:crypto";
import { writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { ADDED, type OperationName, REGISTERED, settingsIn, UUID } from "./operations.ts";

crypto.randomUUID = () => UUID;
syncBuiltinESMExports();

const { createSecretsManager, SecretsError } = await import("@coffer/core");
const { local, rekey } = await import("../../src/index.ts");
const [folder = "", operation, again] = process.argv.slice(2);
const settings = settingsIn(folder);
const manager = createSecretsManager(local, settings);

const work: Record<OperationName, () => Promise<unknown>> = {
  "first register": () => manager.registerSecret({ name: "delta", values: REGISTERED }),
  register: () => manager.registerSecret({ name: "delta", values: REGISTERED }),
  update: () => manager.updateSecret("beta", { values: ADDED }),
  "update after a killed writer": () => manager.updateSecret("beta", { values: ADDED }),
  "update with a long log": () => manager.updateSecret("beta", { values: ADDED }),
  delete: () => manager.deleteSecret("gamma"),
  cleanup: () => manager.deleteAllSecrets(),
  rekey: () => rekey(settings),
  "rekey to a passphrase": () => rekey(settings, { protection: "passphrase" }),
};

async function attempt(): Promise<boolean> {
  try {
    await work[operation as OperationName]();
    writeSync(1, "done\n");
    return true;
  } catch (error) {
    if (!SecretsError.isInstance(error)) throw error;
    const { code, outcome, message, hint } = error;
    writeSync(2, `${JSON.stringify({ code, outcome, message, hint })}\n`);
    return false;
  }
}

const done = (await attempt()) || (again === "again" && (await attempt()));
await manager.close();
process.exitCode = done ? 0 : 1;
