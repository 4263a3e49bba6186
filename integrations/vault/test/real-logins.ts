import type { RealServer } from "./real-server.ts";

/** The policy of the tokens that the tests sign in for. */
export const POLICY = "coffer-tests";
const RULES = 'path "secret/*" { capabilities = ["create", "read", "update", "delete", "list"] }';

/** Sets up the policy, and AppRole and passwords to sign in with. */
export async function enableLogins(server: RealServer, namespace?: string): Promise<void> {
  const within = namespace === undefined ? {} : { namespace };
  await server.tell("POST", `sys/policies/acl/${POLICY}`, { body: { policy: RULES }, ...within });
  for (const type of ["approle", "userpass"]) await server.tell("POST", `sys/auth/${type}`, { body: { type }, ...within });
}

/** A role of AppRole. */
export interface Role {
  readonly name: string;
  readonly roleId: string;
}

/** Makes a role whose tokens may use the engine at `secret`. */
export async function roleWith(server: RealServer, options: Readonly<Record<string, unknown>>, namespace?: string): Promise<Role> {
  const name = `role-${crypto.randomUUID()}`;
  const within = namespace === undefined ? {} : { namespace };
  await server.tell("POST", `auth/approle/role/${name}`, { body: { token_policies: [POLICY], ...options }, ...within });
  const answer = await server.tell("GET", `auth/approle/role/${name}/role-id`, within);
  return { name, roleId: (answer["data"] as { readonly role_id: string }).role_id };
}

/** A secret that belongs to a role. */
export async function secretIdOf(server: RealServer, { name }: Role, namespace?: string): Promise<string> {
  const answer = await server.tell("POST", `auth/approle/role/${name}/secret-id`, namespace === undefined ? {} : { namespace });
  return (answer["data"] as { readonly secret_id: string }).secret_id;
}

/** What the server knows of every token that AppRole has issued for a role and that is still good. */
export async function tokensOf(
  server: RealServer,
  { name }: Role,
): Promise<readonly { readonly accessor: string; readonly last_renewal_time?: number }[]> {
  const { data } = await server.tell("GET", "auth/token/accessors/?list=true");
  const { keys } = data as { readonly keys: readonly string[] };
  const answers = await Promise.all(keys.map((accessor) => server.ask("POST", "auth/token/lookup-accessor", { body: { accessor } })));
  return answers.flatMap(({ status, body }) => {
    const known = body["data"] as { readonly accessor: string; readonly meta: { readonly role_name?: string } | null } | undefined;
    return status === 200 && known?.meta?.role_name === name ? [known] : [];
  });
}

/** Revokes every token of a role. */
export async function revokeAll(server: RealServer, role: Role): Promise<void> {
  for (const { accessor } of await tokensOf(server, role)) await server.tell("POST", "auth/token/revoke-accessor", { body: { accessor } });
}
