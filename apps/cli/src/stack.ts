import { printable, SecretsError } from "@coffer/core";
import { type Component, type Configuration, currentStack, findComponent, ignoredProject, readConfiguration } from "@coffer/stack/read";
import type { Call } from "./command.ts";
import type { Context } from "./context.ts";

/** What is configured on this machine and in this project. A project that does not count is told once, on stderr. */
export function configurationOf(context: Context): Configuration {
  const configuration = readConfiguration({ cwd: context.cwd, env: context.env });
  const ignored = ignoredProject(configuration);
  if (ignored !== undefined) context.sayOnce(`note: ${ignored}`);
  return configuration;
}

/**
 * The secrets manager that a command works on: the one that `--secrets-manager` names, or that of the stack that `--stack` or `COFFER_STACK` names, or of the
 * active one.
 * @throws SecretsError `not_found`, `no_secrets_manager`, `untrusted`
 */
export function managerOf(call: Call, configuration: Configuration): Component {
  const named = call.options.value("secrets-manager");
  if (named !== undefined) return findComponent(configuration, "secrets_manager", named);
  const { name, secretsManager } = currentStack(configuration, call.options.value("stack"));
  if (secretsManager !== undefined) return secretsManager;
  throw new SecretsError("no_secrets_manager", `The stack "${printable(name)}" has no secrets manager.`, {
    hint: `coffer stack update ${printable(name)} --secrets-manager=NAME adds one; coffer secrets-manager list shows them.`,
  });
}
