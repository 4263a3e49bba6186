import { randomUUID } from "node:crypto";
import { moment, type Moment } from "./moment.ts";

/** What a token may do: everything; nothing; everything but metadata and listings; only reading; writing only what is not there yet. */
export type Policy = "all" | "deny" | "no_metadata" | "read_only" | "create_only";

/** The ways of logging in that the emulator has. */
export type AuthMethod = "approle" | "kubernetes" | "jwt" | "userpass";

/** What a token that is issued may be like. */
export interface TokenOptions {
  /** Seconds; without them the token does not end by itself. */
  readonly ttlSeconds?: number;
  /** Seconds from the start that no renewal goes beyond. */
  readonly maxTtlSeconds?: number;
  readonly renewable?: boolean;
  readonly policy?: Policy;
  /** The namespace that the token belongs to; it is good in those below as well. */
  readonly namespace?: string;
}

/** A token that has been issued. */
export interface IssuedToken {
  readonly id: string;
  readonly accessor: string;
  readonly namespace: string;
  readonly policy: Policy;
  readonly renewable: boolean;
  readonly ttlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly issued: Moment;
  /** Undefined for a token that does not end. */
  expires: Moment | undefined;
}

/** The tokens of a service, and what gets new ones. Tests change what is not `readonly`. */
export class VaultAuth {
  readonly rootToken: string;
  readonly approle = { roleId: randomUUID(), secretId: randomUUID(), mount: "approle" };
  readonly kubernetes = { role: "coffer", jwt: `kubernetes.${randomUUID()}.jwt` };
  readonly jwt = { role: "coffer", jwt: `federated.${randomUUID()}.jwt` };
  readonly userpass = { username: "coffer", password: `password~${randomUUID()}` };
  /** How long the token of a login lives, in seconds. */
  loginTtlSeconds = 3_600;
  /** How long it can be renewed for, in seconds. */
  loginMaxTtlSeconds = 86_400;
  loginRenewable = true;
  /** What the token of a login may do. */
  loginPolicy: Policy = "all";
  /** Every login that went well, oldest first. */
  readonly logins: { readonly method: AuthMethod; readonly mount: string; readonly namespace: string; readonly token: string }[] = [];
  readonly #tokens = new Map<string, IssuedToken>();
  readonly #wrapped = new Map<string, object>();
  readonly #methods = new Map<string, AuthMethod>();

  constructor() {
    this.rootToken = this.issue();
    for (const method of ["approle", "kubernetes", "jwt", "userpass"] as const) this.enable(method, method);
  }

  /** Mounts a way of logging in at another path, or in a namespace. The credentials are the same everywhere. */
  enable(method: AuthMethod, path: string, namespace = ""): void {
    this.#methods.set(JSON.stringify([namespace, path]), method);
  }

  /** The way of logging in that is mounted at a path. */
  methodAt(path: string, namespace: string): AuthMethod | undefined {
    return this.#methods.get(JSON.stringify([namespace, path]));
  }

  /** Every namespace that a login is mounted in. */
  get namespaces(): readonly string[] {
    return [...this.#methods.keys()].map((key) => (JSON.parse(key) as [string, string])[0]);
  }

  /** A new token. */
  issue({ ttlSeconds = 0, maxTtlSeconds = 0, renewable = true, policy = "all", namespace = "" }: TokenOptions = {}): string {
    const id = `hvs.${randomUUID().replaceAll("-", "")}`;
    this.#tokens.set(id, {
      id,
      accessor: randomUUID().replaceAll("-", ""),
      namespace,
      policy,
      renewable: renewable && ttlSeconds > 0,
      ttlSeconds,
      maxTtlSeconds,
      issued: moment(),
      expires: ttlSeconds > 0 ? moment(Date.now() + ttlSeconds * 1_000) : undefined,
    });
    return id;
  }

  /** The token with this text, if it is still good. */
  tokenOf(id: string): IssuedToken | undefined {
    const token = this.#tokens.get(id);
    return token?.expires !== undefined && token.expires.at <= Date.now() ? undefined : token;
  }

  /** Ends a token. */
  revoke(id: string): void {
    this.#tokens.delete(id);
  }

  /** Lets a token's time be over. */
  expire(id: string): void {
    const token = this.#tokens.get(id);
    if (token !== undefined) token.expires = moment(Date.now() - 1);
  }

  /** Wraps data into a token that unwraps it once. */
  wrap(data: object): string {
    const id = `hvs.wrapping.${randomUUID().replaceAll("-", "")}`;
    this.#wrapped.set(id, data);
    return id;
  }

  /** Wraps the secret id of AppRole, as whoever hands it over would. */
  wrapSecretId(): string {
    return this.wrap({ secret_id: this.approle.secretId, secret_id_accessor: randomUUID(), secret_id_num_uses: 0, secret_id_ttl: 0 });
  }

  /** What is wrapped in a token, which is used up by it. */
  unwrap(id: string): object | undefined {
    const data = this.#wrapped.get(id);
    this.#wrapped.delete(id);
    return data;
  }
}
