// Fills the local store of the environment with so many secrets of about 200 bytes, and one typed one.
import { createSecretsManager } from "@coffer/core";
import { local } from "@coffer/local";

const count = Number(process.argv[2]);
await using manager = createSecretsManager(local, {}, { timeoutMs: 600_000 });
const value = "x".repeat(160);
for (let index = 0; index < count - 1; index += 1)
  await manager.registerSecret({ name: `secret-${String(index).padStart(6, "0")}`, values: { user: "etl", value } });
await manager.registerSecret({ name: "typed", schema: "mysql", values: { user: "etl", password: value, ssl_verify_server_cert: "true" } });
