import { conformanceCases } from "@coffer/testkit";
import { afterAll, beforeAll, describe, test } from "vitest";
import { GAPS, type RealServer, startRealServer } from "./real-server.ts";
import { realSubject } from "./real-subject.ts";

let server: RealServer | undefined;
let notRun: string | undefined;
beforeAll(async () => {
  const started = await startRealServer();
  if ("notRun" in started) ({ notRun } = started);
  else server = started;
}, 400_000);
afterAll(() => server?.stop());

const running = (): RealServer => {
  if (server === undefined) throw new Error("The server does not run.");
  return server;
};

const subjects = {
  "OpenBao, KV version 2": realSubject(running, 2),
  "OpenBao, KV version 2 with soft delete and markers": realSubject(running, 2, { soft_delete: true, custom_metadata: true }),
  "OpenBao, KV version 1": realSubject(running, 1),
};

for (const [title, subject] of Object.entries(subjects)) {
  describe.concurrent(title, () => {
    for (const { name, skip, run } of conformanceCases(subject)) {
      // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
      test(name, async (context) => {
        const reason = notRun ?? (skip === false ? GAPS[name] : skip);
        if (reason !== undefined) context.skip(reason);
        await run();
      });
    }
  });
}
