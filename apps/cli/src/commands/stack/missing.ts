import { SecretsError } from "@coffer/core";
import { missingSecretsError, openStack, type Stack, type Where } from "@coffer/stack";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";

/** Opens a stack, does the work and closes it again. */
export async function withStack<Result>(name: string, where: Where, work: (stack: Stack) => Promise<Result>): Promise<Result> {
  const stack = await openStack({ name, cwd: where.cwd, env: where.env, registry: where.registry });
  try {
    return await work(stack);
  } finally {
    await stack.close();
  }
}

/**
 * Warns of secret references that lead nowhere: at the time of registering a secret may still be on its way. That they could not be looked up is a warning as
 * well, and no reason not to register the stack.
 */
export async function warnAboutMissing(context: Context, name: string, where: Where): Promise<void> {
  try {
    await withStack(name, where, async (stack) => {
      if (stack.requiredSecrets.length === 0) return;
      const missing = await stack.missingSecrets();
      if (missing.length === 0) return;
      const { message, hint } = missingSecretsError(name, missing);
      context.say(`warning: ${message}${hint === undefined ? "" : `\nhint: ${hint}`}`);
    });
  } catch (error) {
    if (!SecretsError.isInstance(error)) throw error;
    context.say(`warning: Whether the secrets exist that the stack refers to could not be looked up: ${visible(error.message)}`);
  }
}
