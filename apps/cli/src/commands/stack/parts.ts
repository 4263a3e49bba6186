import type { StackParts } from "@coffer/stack";
import type { Call } from "../../command.ts";

/** The components that a command line names for a stack. */
export function partsOf({ options }: Call): StackParts {
  const secretsManager = options.value("secrets-manager");
  const orchestrator = options.value("orchestrator");
  return { ...(secretsManager === undefined ? {} : { secretsManager }), ...(orchestrator === undefined ? {} : { orchestrator }) };
}
