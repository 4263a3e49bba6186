// zod/mini and only here: this module is imported when a file is written or checked as a whole, never when one is read.
import * as z from "zod/mini";
import { COMPONENT_TYPES, FILE_VERSION, NAME_PATTERN } from "./model.ts";

/** What the fields mean, for the JSON Schemas. A registry of its own: zod's global one belongs to the program. */
export const about = z.registry<{ title?: string; description?: string }>();

const name = z.string().check(z.regex(NAME_PATTERN));
const uuid = z.string().check(z.regex(/^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$/));

const componentSchema = z
  .looseObject({
    type: z.enum(COMPONENT_TYPES).register(about, { description: "What the component is in a stack." }),
    name: name.register(about, { description: "The name, one of its kind among the components of a type." }),
    id: uuid.register(about, { description: "Stays over renames. Secrets of the scope component belong to it." }),
    flavor: z
      .string()
      .check(z.regex(/^[a-z][a-z0-9_]*$/))
      .register(about, { description: "The flavor: local, aws, gcp_secrets_manager, azure_key_vault, vault, …" }),
    scope: z.optional(z.enum(["none", "global", "namespace", "component"])).register(about, {
      description: "Of a secrets manager: which part of the service's name space it owns; global when left out.",
    }),
    namespace: z.optional(z.string()).register(about, { description: "The name of the part, for the scope namespace." }),
    settings: z._default(z.record(z.string(), z.unknown()), {}).register(about, {
      description: "The settings of the flavor. Those of an orchestrator may refer to secrets: {{secret.key}} or {{secret#key}}.",
    }),
  })
  .register(about, { description: "A component: a secrets manager or an orchestrator, with a name and settings." });

const stackSchema = z
  .looseObject({
    name,
    secrets_manager: z.optional(name).register(about, { description: "The name of its secrets manager." }),
    orchestrator: z.optional(name).register(about, { description: "The name of its orchestrator." }),
  })
  .register(about, { description: "A named set of components, at most one of each type." });

/** What the files of the user and of a project have in common. Fields that this version does not know are allowed, and kept. */
const shape = {
  $schema: z.optional(z.string()),
  version: z.literal(FILE_VERSION),
  components: z.optional(z.array(componentSchema)),
  stacks: z.optional(z.array(stackSchema)),
};

/** `config.json` in the user's configuration directory. */
export const configSchema = z
  .looseObject({
    ...shape,
    modules: z.optional(z.array(z.string())).register(about, { description: "Absolute paths of modules that bring flavors and schemas." }),
  })
  .register(about, { title: "Coffer: the components and stacks of a user" });

/** `coffer.json` in a project. */
export const projectSchema = z
  .looseObject({
    ...shape,
    modules: z
      .optional(z.array(z.string().check(z.regex(/^\.\/(?:(?!\.{1,2}\/)[^/\\:%?#]+\/)*[^/\\:%?#]+\.(?:mjs|mts)$/))))
      .register(about, {
        description: "Modules inside the project that bring schemas and flavors: ./coffer.schemas.mjs",
      }),
  })
  .register(about, { title: "Coffer: the components and stacks of a project" });

/** `state.json` in the user's state directory. */
const choice = z.looseObject({ stack: name, origin: z.enum(["project", "user", "default"]) });
export const stateSchema = z.looseObject({
  version: z.literal(FILE_VERSION),
  active: z.optional(choice),
  projects: z.optional(
    z.array(
      z.looseObject({
        path: z.string(),
        trusted: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
        active: z.optional(choice),
      }),
    ),
  ),
});

/** What `coffer stack export` writes. Unknown fields are dropped: they are not of this user. */
export const exportSchema = z.object({
  version: z.literal(FILE_VERSION),
  stack: z.object({ name, secrets_manager: z.optional(name), orchestrator: z.optional(name) }),
  components: z.array(z.object(componentSchema.shape)),
});
