import { type ConformanceSubject, conformanceCases, type OpenedSubject } from "@coffer/testkit";
import { afterAll, describe, expect, test } from "vitest";
import { createSecretsManager } from "@coffer/core";
import { GCP_CAPABILITIES, openGcpDriver } from "../src/driver.ts";
import { gcp } from "../src/flavor.ts";
import type { GcpSettings } from "../src/settings-types.ts";
import { GAPS, startRealServer } from "./real-server.ts";

const server = await startRealServer();
const notRun = "notRun" in server ? server.notRun : false;
afterAll(async () => {
  if ("stop" in server) await server.stop();
});

const settings: GcpSettings = {
  project: "test-project",
  anonymous: true,
  transport: "grpc",
  endpoint: `http://127.0.0.1:${"port" in server ? server.port : 1}`,
};

const subject: ConformanceSubject<OpenedSubject> = {
  flavor: "gcp_secrets_manager",
  capabilities: GCP_CAPABILITIES,
  open: async () => ({ driver: await openGcpDriver(settings) }),
  second: () => openGcpDriver(settings),
};

describe("on a server that somebody else has written", () => {
  for (const { name, skip, run } of conformanceCases(subject)) {
    const gap = GAPS.find(([cases]) => cases.test(name))?.[1];
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
    test(name, async (context) => (notRun || skip || gap ? context.skip(notRun || skip || gap) : run()));
  }

  // oxlint-disable-next-line vitest/expect-expect -- a server that is not there is told as skipped, not as passed
  test("a secret is written, listed, read and deleted", async (context) => {
    if (notRun) context.skip(notRun);
    const manager = createSecretsManager(gcp, settings, { scope: "namespace", namespace: crypto.randomUUID() });
    await manager.registerSecret({ name: "a/b", values: { password: "one" } });
    expect((await manager.getSecret("a/b")).text).toEqual({ password: "one" });
    expect(await manager.deleteAllSecrets()).toEqual({ deleted: 1 });
    await manager.close();
  });
});
