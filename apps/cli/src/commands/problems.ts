import type { DiscoveryProblem } from "@coffer/core/discovery";
import type { Context } from "../context.ts";
import { visible } from "../output/visible.ts";

/** Says which packages call themselves integrations and cannot be used. */
export function sayProblems(context: Context, problems: readonly DiscoveryProblem[]): void {
  for (const problem of problems)
    context.say(
      `warning: The package ${visible(problem.package)} was left out: ${visible(problem.reason)}. Update it, or tell its author.`,
    );
}
