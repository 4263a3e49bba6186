import { conformanceCases, type ConformanceSubject, type OpenedSubject } from "@coffer/testkit";
import { afterAll, beforeAll, describe, test } from "vitest";
import { AZURE_CAPABILITIES, openAzureDriver } from "../src/driver.ts";
import type { AzureSettings } from "../src/settings-types.ts";
import { GAPS, type RealServer, startRealServer } from "./real-server.ts";

let server: RealServer | undefined;
let notRun: string | undefined;
beforeAll(async () => {
  const started = await startRealServer();
  if ("notRun" in started) ({ notRun } = started);
  else server = started;
}, 400_000);
afterAll(() => server?.stop());

const settings = (): AzureSettings => ({
  vault_url: server?.url,
  ca_file: server?.caFile,
  // The server looks at no token, and knows no newer interface.
  access_token: "any-token-will-do",
  verify_challenge: false,
  api_version: "7.6",
});

const subject: ConformanceSubject<OpenedSubject> = {
  flavor: "azure_key_vault",
  capabilities: AZURE_CAPABILITIES,
  open: async () => ({ driver: await openAzureDriver(settings()) }),
  second: () => openAzureDriver(settings()),
  listingSize: 60,
};

describe("azure_key_vault on Lowkey Vault", () => {
  for (const { name, skip, run } of conformanceCases(subject)) {
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
    test(name, async (context) => {
      const reason = notRun ?? (skip === false ? GAPS[name] : skip);
      if (reason !== undefined) context.skip(reason);
      await run();
    });
  }
});
