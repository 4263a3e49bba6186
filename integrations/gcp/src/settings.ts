// zod/mini, and only here and in the schema: this module is imported when settings are checked, never when the package is.
import * as z from "zod/mini";
import { isLoopbackEndpoint, parseEndpoint } from "./endpoint.ts";
import { type ExistingAuth, type ExistingClient, type GcpSettings, LOCATION, PROJECT_ID } from "./settings-types.ts";

const project = z.string().check(z.regex(PROJECT_ID, "the id or number of a project"));
const location = z.string().check(z.regex(LOCATION, "a location, like europe-west3"));
const kmsKey = z
  .string()
  .check(
    z.regex(
      /^projects\/[^/\s]+\/locations\/[^/\s]+\/keyRings\/[^/\s]+\/cryptoKeys\/[^/\s]+$/,
      "the full name of a key, projects/…/cryptoKeys/…",
    ),
  );

/** The settings of the flavor `gcp_secrets_manager`; GcpSettings says what each is for. */
export const settingsSchema = z
  .strictObject({
    project: z.optional(project),
    location: z.optional(location),
    replication: z.optional(z.union([z.literal("automatic"), z.readonly(z.array(location).check(z.minLength(1)))])),
    kms_key: z.optional(z.union([kmsKey, z.record(location, kmsKey)])),
    labels: z.optional(
      z.record(
        z.string().check(z.regex(/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u)),
        z.string().check(z.regex(/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u)),
      ),
    ),
    credentials_file: z.optional(z.string().check(z.regex(/^[^\0]+$/))),
    quota_project: z.optional(project),
    transport: z.optional(z.enum(["rest", "grpc"])),
    endpoint: z.optional(z.string().check(z.refine((text) => parseEndpoint(text) !== undefined, "https://host:port, or host:port"))),
    allow_plain_http: z.optional(z.boolean()),
    anonymous: z.optional(z.boolean()),
    universe_domain: z.optional(z.string().check(z.regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, "a domain, like googleapis.com"))),
    max_retries: z.optional(z.int().check(z.gte(0), z.lte(20))),
    client: z.optional(z.custom<ExistingClient>((value) => hasMethods(value, ["initialize", "accessSecretVersion", "createSecret"]))),
    auth: z.optional(
      z.custom<ExistingAuth>((value) => hasMethods(value, ["getClient"]) || hasMethods(value, ["getRequestHeaders", "request"])),
    ),
  })
  .check(
    z.refine(plainHttpIsMeant, {
      path: ["endpoint"],
      message: "plain http leaves this machine: allow_plain_http must say that this is meant",
    }),
    z.refine(({ location: region, replication }) => region === undefined || replication === undefined, {
      path: ["replication"],
      message: "regional secrets are not replicated",
    }),
    z.refine(keysFitReplication, { path: ["kms_key"], message: "one key for automatic replication or a location; one for each of a list" }),
    z.refine((settings) => credentialSources(settings) <= 1, {
      path: ["auth"],
      message: "only one of client, auth, credentials_file and anonymous can say who is calling",
    }),
  );

function plainHttpIsMeant({ endpoint = "", allow_plain_http: allowed }: GcpSettings): boolean {
  return parseEndpoint(endpoint)?.protocol !== "http" || isLoopbackEndpoint(endpoint) || allowed === true;
}

function keysFitReplication({ kms_key: key, replication }: GcpSettings): boolean {
  if (key === undefined) return true;
  if (replication === undefined || replication === "automatic") return typeof key === "string";
  return typeof key === "object" && replication.every((place) => place in key) && Object.keys(key).length === replication.length;
}

function credentialSources({ client, auth, credentials_file: file, anonymous }: GcpSettings): number {
  return [client !== undefined, auth !== undefined, file !== undefined, anonymous === true].filter(Boolean).length;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === "object" && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === "function")
  );
}
