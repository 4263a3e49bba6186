import { conformanceCases } from "@coffer/testkit";
import { afterAll, beforeAll, beforeEach, describe, test } from "vitest";
import { credentialTests } from "./real-credentials.ts";
import { enableLogins } from "./real-logins.ts";
import { meaningTests } from "./real-meanings.ts";
import { namespaceTests } from "./real-namespaces.ts";
import { GAPS, type RealServer, startRealServer } from "./real-server.ts";
import { realSubject } from "./real-subject.ts";
import { tlsTests } from "./real-tls.ts";
import { wordTests } from "./real-words.ts";

let server: RealServer | undefined;
let notRun: string | undefined;
beforeAll(async () => {
  const started = await startRealServer();
  if ("notRun" in started) ({ notRun } = started);
  else {
    server = started;
    await enableLogins(server);
    await server.tell("POST", "sys/mounts/kv1", { body: { type: "kv", options: { version: "1" } } });
  }
}, 400_000);
afterAll(() => server?.stop());
beforeEach((context) => {
  if (notRun !== undefined) context.skip(notRun);
});

const running = (): RealServer => {
  if (server === undefined) throw new Error("The server does not run.");
  return server;
};

const subjects = {
  "OpenBao, KV version 2": realSubject(running, 2),
  "OpenBao, KV version 2 with soft delete and markers": realSubject(running, 2, { soft_delete: true, custom_metadata: true }),
  "OpenBao, KV version 1": realSubject(running, 1),
};

// oxlint-disable vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
for (const [title, subject] of Object.entries(subjects)) {
  describe.concurrent(title, () => {
    for (const { name, skip, run } of conformanceCases(subject)) {
      test(name, async (context) => {
        const reason = skip === false ? GAPS[name] : skip;
        if (reason !== undefined) context.skip(reason);
        await run();
      });
    }
  });
}

credentialTests(running);
namespaceTests(running);
tlsTests(running);
wordTests(running);
meaningTests(running);
