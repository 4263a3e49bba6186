import type { RevisionInfo } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/list.ts";
import { moment } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { secretName } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const revisions: RevisionInfo[] = [];
    for await (const { revision, createdAt, current, schema } of manager.history(secretName(call, manager), { signal: context.signal })) {
      revisions.push({ revision, createdAt, current, schema });
    }
    await printList(call, context, [revisions], {
      headings: ["REVISION", "CREATED", "CURRENT", "SCHEMA"],
      cells: ({ revision, createdAt, current, schema }) => [revision, moment(createdAt), current ? "*" : "", schema ?? ""],
    });
  });
}
