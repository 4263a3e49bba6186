import type { CallOptions, SecretsManagerDriver } from "../spec.ts";
import { Call, callWith, DEFAULT_TIMEOUT_MS, type RequestOptions } from "./call.ts";
import { guard } from "./guard.ts";

/** What a call beside the contract is called in errors, and who explains them. */
export interface GuardedOperation {
  /** The function, as the user called it. */
  readonly name: string;
  /** The flavor's id. */
  readonly flavor: string;
  readonly classify: SecretsManagerDriver["classify"];
}

/**
 * Runs something that a flavor offers beside the contract (to change a key, say) as a manager runs its own operations: within a deadline, and with
 * its error wrapped in the same one place.
 * @throws SecretsError
 */
export function guardedCall<Result>(
  operation: GuardedOperation,
  options: RequestOptions,
  run: (call: CallOptions) => Promise<Result>,
): Promise<Result> {
  const call = new Call("none", options, DEFAULT_TIMEOUT_MS);
  return guard(call, "open", { method: operation.name, flavor: operation.flavor }, operation, () => run(callWith(call, {})));
}
