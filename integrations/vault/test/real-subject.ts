import type { ConformanceSubject, OpenedSubject } from "@coffer/testkit";
import { capabilitiesOf } from "../src/capabilities.ts";
import { openVaultDriver } from "../src/driver.ts";
import { encodePath, secretPath } from "../src/names.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import type { RealServer } from "./real-server.ts";

/** An engine of its own on the server, and a token with a policy of its own. */
export interface OpenedReal extends OpenedSubject {
  readonly server: RealServer;
  readonly mount: string;
  readonly policy: string;
  readonly token: string;
  readonly settings: VaultSettings;
}

/** A policy that allows everything below a mount, but what is refused. */
function policyText(mount: string, refused: readonly string[] = []): string {
  const rule = (path: string, capabilities: readonly string[]): string =>
    `path ${JSON.stringify(path)} { capabilities = ${JSON.stringify(capabilities)} }`;
  return [rule(`${mount}/*`, ["create", "read", "update", "delete", "list"]), ...refused.map((path) => rule(path, ["deny"]))].join("\n");
}

/** Mounts an engine and opens a driver on it, with a token that may do whatever there is to do below it. */
export async function openReal(server: RealServer, version: 1 | 2, settings: VaultSettings = {}): Promise<OpenedReal> {
  const mount = `kv-${crypto.randomUUID()}`;
  await server.tell("POST", `sys/mounts/${mount}`, { body: { type: "kv", options: { version: String(version) } } });
  await server.tell("POST", `sys/policies/acl/${mount}`, { body: { policy: policyText(mount) } });
  const token = await tokenFor(server, { policies: [mount] });
  const all: VaultSettings = { address: server.url, token, mount, max_retries: 1, ...settings };
  const driver = await openVaultDriver(all);
  const dispose = async (): Promise<void> => void (await server.tell("DELETE", `sys/mounts/${mount}`));
  return { server, mount, policy: mount, token, settings: all, driver, dispose };
}

/** A token as the server issues it. */
export async function tokenFor(server: RealServer, body: Readonly<Record<string, unknown>>, namespace?: string): Promise<string> {
  const answer = await server.tell("POST", "auth/token/create", { body, ...(namespace === undefined ? {} : { namespace }) });
  return (answer["auth"] as { readonly client_token: string }).client_token;
}

/** The flavor on the server, as the conformance suite needs it. Its troubles are real ones: a policy that changes, a token that is revoked. */
export function realSubject(server: () => RealServer, version: 1 | 2, settings: VaultSettings = {}): ConformanceSubject<OpenedReal> {
  const area = version === 2 ? "/data" : "";
  const plant = (opened: OpenedReal, path: string, values: Readonly<Record<string, string>>): Promise<unknown> =>
    opened.server.tell("POST", `${opened.mount}${area}/${encodePath(path)}`, { body: version === 2 ? { data: values } : values });
  const allow = (opened: OpenedReal, policy: string): Promise<unknown> =>
    opened.server.tell("POST", `sys/policies/acl/${opened.policy}`, { body: { policy } });
  return {
    flavor: "vault",
    capabilities: capabilitiesOf(version, settings),
    open: () => openReal(server(), version, settings),
    second: (opened) => openVaultDriver(opened.settings),
    credentials: ({ token }) => [token],
    listingSize: 60,
    randomSize: 60,
    faults: {
      deny: async (opened) => void (await allow(opened, policyText(opened.mount, [`${opened.mount}/*`]))),
      refuse: async (opened, name) => {
        const path = secretPath(name, "global", version);
        const areas = version === 2 ? ["data", "metadata"].map((each) => `${opened.mount}/${each}/${path}`) : [`${opened.mount}/${path}`];
        await allow(opened, policyText(opened.mount, areas));
      },
      unauthenticated: async ({ server: one, token }) => void (await one.tell("POST", "auth/token/revoke", { body: { token } })),
    },
    outOfBand: {
      values: async (opened, name, values) => void (await plant(opened, name, values)),
      within: async (opened, name, values) => void (await plant(opened, secretPath(name, "global", version), values)),
    },
  };
}
