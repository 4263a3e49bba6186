import { ServiceError } from "@coffer/emulators/gcp/service-error";
import { expect, test } from "vitest";
import { failureOf, managerOn, startServer } from "./laboratory.ts";

test("T83: a compare-and-swap that changes nothing and is lost before it is carried out does not bring back the value before", async () => {
  const server = await startServer();
  const manager = managerOn(server);
  await manager.registerSecret({ name: "db", values: { a: "old" } });
  const { revision } = await manager.replaceSecret({ name: "db", schema: "arbitrary", values: { a: "new" } });
  const add = server.state.addSecretVersion.bind(server.state);
  server.state.addSecretVersion = () => {
    server.state.addSecretVersion = add;
    throw new ServiceError("INTERNAL", "An internal error has occurred.");
  };
  const change = { name: "db", schema: "arbitrary", values: { a: "new" }, expected: revision ?? "" } as const;
  expect(await failureOf(manager.replaceSecret(change))).toMatchObject({ code: "unavailable", outcome: "unknown" });
  expect((await manager.getSecret("db")).text).toEqual({ a: "new" });
  await manager.close();
  await server.stop();
});
