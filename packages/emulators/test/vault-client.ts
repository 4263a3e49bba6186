import { onTestFinished } from "vitest";
import { VaultEmulator, type VaultEmulatorOptions } from "../src/vault/server.ts";
import { plainRequest } from "./plain-request.ts";

/** What Vault answered, with its JSON where it has any. */
export interface VaultAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: { readonly data?: unknown; readonly errors?: readonly string[]; readonly [key: string]: unknown };
}

/** What a request may carry besides its method and path. */
export interface VaultRequest {
  readonly body?: unknown;
  /** The root token by default; `undefined` is none. */
  readonly token?: string | undefined;
  readonly namespace?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An emulator for one test, and a client that sends what it is told. */
export async function vault(options: VaultEmulatorOptions = {}) {
  const emulator = await VaultEmulator.start(options);
  onTestFinished(() => emulator.stop());
  const send = async (method: string, path: string, request: VaultRequest = {}): Promise<VaultAnswer> => {
    const token = Object.hasOwn(request, "token") ? request.token : emulator.auth.rootToken;
    const headers = {
      ...(token === undefined ? {} : { "x-vault-token": token }),
      ...(request.namespace === undefined ? {} : { "x-vault-namespace": request.namespace }),
      ...(method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {}),
      ...request.headers,
    };
    const tls = emulator.ca === undefined ? {} : { tls: { ca: emulator.ca, ...emulator.clientCertificate } };
    const answer = await plainRequest(emulator.url, `/v1/${path}`, { method, headers, body: request.body, ...tls });
    return { ...answer, json: answer.text.startsWith("{") ? (JSON.parse(answer.text) as VaultAnswer["json"]) : {} };
  };
  return { emulator, send };
}
