import type { CommandEntry, OptionEntry } from "../../command.ts";
import { EVERYWHERE, FLAVOR, INTERACTIVE, NAMESPACE, PROJECT, required, SCOPE, STACK, YES } from "../../options.ts";

/** The commands for one type of component: they are the same for each. */
export function componentCommands(word: "secrets-manager" | "orchestrator", what: string): readonly CommandEntry[] {
  const a = word === "orchestrator" ? "an" : "a";
  const completes = word === "orchestrator" ? "orchestrator" : "secrets_manager";
  const name = { ...required("NAME", `The name of the ${what}.`), completes } as const;
  const optionalName = { name: "NAME", required: false, completes, sentence: `The name; that of the active stack unless given.` } as const;
  const newName = required("NEW_NAME", "The new name, which must be free.");
  const place: readonly OptionEntry[] = word === "orchestrator" ? [] : [SCOPE, NAMESPACE];
  const example = word === "orchestrator" ? "runner --flavor=pgboss" : "production --flavor=aws --region=eu-central-1";
  return [
    {
      words: [word, "register"],
      arguments: [required("NAME", `The name of the ${what}, which must be free.`)],
      pairs: true,
      options: [FLAVOR, ...place, INTERACTIVE, PROJECT, ...EVERYWHERE],
      sentence: `Define a new ${what}.`,
      examples: [`coffer ${word} register ${example}`],
      also: ["create", "add", "new"],
      load: () => import("./register.ts"),
    },
    {
      words: [word, "list"],
      arguments: [],
      options: [STACK, ...EVERYWHERE],
      sentence: `List the ${what}s that are defined.`,
      examples: [`coffer ${word} list`],
      also: ["ls"],
      load: () => import("./list.ts"),
    },
    {
      words: [word, "describe"],
      arguments: [optionalName],
      options: [STACK, ...EVERYWHERE],
      sentence: `Show ${a} ${what}, secrets masked.`,
      examples: [`coffer ${word} describe`],
      also: ["show"],
      load: () => import("./describe.ts"),
    },
    {
      words: [word, "get"],
      arguments: [],
      options: [STACK, ...EVERYWHERE],
      sentence: `Print the name of the ${what} of the active stack.`,
      examples: [`coffer ${word} get`],
      also: ["active", "current"],
      load: () => import("./get.ts"),
    },
    {
      words: [word, "update"],
      arguments: [optionalName],
      pairs: true,
      options: [...place, PROJECT, ...EVERYWHERE],
      sentence: `Change settings of ${a} ${what} and keep the others.`,
      examples: [
        word === "orchestrator"
          ? "coffer orchestrator update runner --schema=jobs"
          : "coffer secrets-manager update production --region=eu-west-1",
      ],
      also: ["change", "edit"],
      load: () => import("./update.ts"),
    },
    {
      words: [word, "remove-attribute"],
      arguments: [name, { ...required("ATTRIBUTE", "What to remove: settings, or namespace."), several: true }],
      options: [PROJECT, ...EVERYWHERE],
      sentence: `Remove settings of ${a} ${what}.`,
      examples: [
        word === "orchestrator"
          ? "coffer orchestrator remove-attribute runner schema"
          : "coffer secrets-manager remove-attribute production kms_key",
      ],
      also: ["unset"],
      load: () => import("./remove-attribute.ts"),
    },
    {
      words: [word, "rename"],
      arguments: [name, newName],
      options: [PROJECT, ...EVERYWHERE],
      sentence: `Give ${a} ${what} another name; its id stays.`,
      examples: [`coffer ${word} rename ${word === "orchestrator" ? "runner jobs" : "production live"}`],
      also: ["mv", "move"],
      load: () => import("./rename.ts"),
    },
    {
      words: [word, "copy"],
      arguments: [name, newName],
      options: [PROJECT, ...EVERYWHERE],
      sentence: `Copy the definition of ${a} ${what}, with a new id.`,
      examples: [`coffer ${word} copy ${word === "orchestrator" ? "runner spare" : "production staging"}`],
      also: ["cp", "clone"],
      load: () => import("./copy.ts"),
    },
    {
      words: [word, "delete"],
      arguments: [name],
      options: [YES, PROJECT, ...EVERYWHERE],
      sentence: `Delete the definition of ${a} ${what}.`,
      examples: [`coffer ${word} delete ${word === "orchestrator" ? "runner" : "staging"}`],
      also: ["remove", "rm"],
      load: () => import("./delete.ts"),
    },
  ];
}
