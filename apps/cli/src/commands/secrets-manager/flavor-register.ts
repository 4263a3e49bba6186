import { registerModule } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { whereOf } from "../where.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const where = whereOf(call, context);
  // What is installed must be known, so that nothing is registered twice.
  await where.registry.discover();
  const report = await registerModule(call.arguments.get("SOURCE") ?? "", where);
  const brought = [...report.flavors.map(({ name }) => `the flavor ${name}`), ...report.schemas.map((type) => `the schema ${type}`)];
  await printDone(call, context, `Registered ${visible(report.module)}: ${brought.map(visible).join(", ")}.`, report);
}
