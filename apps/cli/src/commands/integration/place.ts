import { join } from "node:path";
import type { Context } from "../../context.ts";
import { UsageError } from "../../stop.ts";
import { visible } from "../../output/visible.ts";

/** Where integrations are installed for this CLI, and with what. */
export interface Place {
  readonly folder: string;
  readonly program: string;
  readonly install: readonly string[];
  readonly uninstall: readonly string[];
}

// By the lockfile that lies beside the package.json of the application.
const MANAGERS: readonly (readonly [lockfile: string, program: string, install: string, uninstall: string])[] = [
  ["pnpm-lock.yaml", "pnpm", "add", "remove"],
  ["yarn.lock", "yarn", "add", "remove"],
  ["bun.lock", "bun", "add", "remove"],
  ["bun.lockb", "bun", "add", "remove"],
  ["package-lock.json", "npm", "install", "uninstall"],
];

/**
 * The project that this CLI runs from, with its own package manager; beside a CLI that was installed globally, there; and else the user's folder. The current
 * directory does not matter.
 */
export function placeOf(context: Context): Place {
  for (const { folder, application } of context.ownNodeModules()) {
    if (application === undefined)
      return { folder, program: "npm", install: ["install", "--global"], uninstall: ["uninstall", "--global"] };
    const found = MANAGERS.find(([lockfile]) => context.exists(join(application, lockfile)));
    const [, program, install, uninstall] = found ?? ["", "npm", "install", "uninstall"];
    return { folder: application, program, install: [install], uninstall: [uninstall] };
  }
  const folder = join(context.configFolder, "integrations");
  return { folder, program: "npm", install: ["install"], uninstall: ["uninstall"] };
}

const PACKAGE = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/**
 * The npm name of an integration: `aws` is Coffer's own, anything else is a package by its full name.
 * @throws UsageError for what is no name of a package
 */
export function packageOf(name: string): string {
  // Nothing else may reach the package manager: a path or an address would be installed, too.
  if (!PACKAGE.test(name))
    throw new UsageError(
      `"${visible(name)}" is not the name of an integration.`,
      "Write: coffer integration install aws, or the full name of a package",
    );
  return /^[a-z0-9]+$/.test(name) ? `@coffer/${name}` : name;
}
