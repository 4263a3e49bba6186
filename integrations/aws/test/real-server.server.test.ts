import { createSecretsManager } from "@coffer/core";
import { conformanceCases, type ConformanceSubject, type OpenedSubject } from "@coffer/testkit";
import { afterAll, describe, expect, test } from "vitest";
import { AWS_CAPABILITIES } from "../src/capabilities.ts";
import { openAwsDriver } from "../src/driver.ts";
import { aws } from "../src/flavor.ts";
import { encodeName } from "../src/names.ts";
import type { AwsSettings } from "../src/settings-types.ts";
import { startRealServer } from "./real-server.ts";

/** What moto 5.2 does otherwise than the service does or is documented to do: the case, and why it cannot pass there. */
const GAPS: Readonly<Record<string, string>> = {
  "create: a name that a soft delete left reserved is refused with recently_deleted":
    "moto says ResourceExistsException where AWS says InvalidRequestException and names the deletion",
  "create: onDeleted restore brings a reserved name back with the new content": "the same",
  "replace: a deleted name is refused with not_found": "moto lets PutSecretValue change a secret that waits to be deleted",
  "history: newest first, all of them, the first one current":
    "moto knows the times of versions in whole seconds only, and gives no other order",
  "history: a missing name is refused with not_found": "moto's ListSecretVersionIds fails inside (500) for a name that does not exist",
  "empty: a secret without a value is there, and says that it is empty":
    "asked for a staging label of a secret without versions, moto says that there is no such secret",
};

const server = await startRealServer();
const notRun = "notRun" in server ? server.notRun : undefined;
const url = "url" in server ? server.url : "http://127.0.0.1:1";
afterAll(async () => {
  if ("stop" in server) await server.stop();
});

const settings: AwsSettings = {
  region: "eu-central-1",
  endpoint: url,
  credentials: { accessKeyId: "AKIACOFFERMOTOTEST01", secretAccessKey: "not-a-secret-moto-takes-any" },
};

/** Calls the server as another tool would. It checks no signature. */
async function call(operation: string, input: object): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `secretsmanager.${operation}`,
      authorization: "AWS4-HMAC-SHA256 Credential=AKIACOFFERMOTOTEST01/20260101/eu-central-1/secretsmanager/aws4_request",
    },
    body: JSON.stringify(input),
  });
  if (!answer.ok) throw new Error(`${operation} failed with ${answer.status}`);
}

const subject: ConformanceSubject<OpenedSubject> = {
  flavor: "aws",
  capabilities: AWS_CAPABILITIES,
  randomSize: 40,
  async open() {
    return { driver: await openAwsDriver(settings) };
  },
  second: () => openAwsDriver(settings),
  credentials: ["not-a-secret-moto-takes-any"],
  outOfBand: {
    values: (_opened, Name, values) => call("CreateSecret", { Name, SecretString: JSON.stringify(values) }),
    text: (_opened, Name, SecretString) => call("CreateSecret", { Name, SecretString }),
    bytes: (_opened, Name, bytes) => call("CreateSecret", { Name, SecretBinary: Buffer.from(bytes).toString("base64") }),
    empty: (_opened, Name) => call("CreateSecret", { Name }),
    within: (_opened, name, values) => call("CreateSecret", { Name: encodeName(name), SecretString: JSON.stringify(values) }),
  },
};

describe(`moto${notRun === undefined ? "" : ` (not run: ${notRun})`}`, () => {
  // oxlint-disable vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
  for (const { name, skip, run } of conformanceCases(subject))
    test.skipIf(skip !== false || notRun !== undefined || Object.hasOwn(GAPS, name))(name, run);

  test.skipIf(notRun !== undefined)("a secret lives from its registration to its end", async () => {
    const manager = createSecretsManager(aws, settings, { scope: "namespace", namespace: `moto-${crypto.randomUUID().slice(0, 8)}` });
    const { revision } = await manager.registerSecret({ name: "warehouse", values: { user: "etl", password: "first" } });
    expect(revision).toMatch(/^[0-9a-f]{32}-coffer$/);
    await manager.updateSecret("warehouse", { values: { password: "second" } });
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl", password: "second" });
    await manager.deleteSecret("warehouse");
    expect(await manager.hasSecret("warehouse")).toBe(false);
    await manager.restoreSecret("warehouse");
    await manager.deleteSecret("warehouse", { immediate: true });
    await manager.registerSecret({ name: "warehouse", values: { user: "again" } });
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "again" });
    await manager.close();
  });
});
