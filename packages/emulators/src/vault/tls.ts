import { generate } from "selfsigned";
import { testCertificate } from "../certificates.ts";

/** The certificates of a service and of its client, and the authority that has signed both. */
export interface TlsMaterial {
  readonly server: { readonly key: string; readonly cert: string };
  readonly client: { readonly key: string; readonly cert: string };
  /** What either side has to trust, in PEM. */
  readonly ca: string;
}

let made: Promise<TlsMaterial> | undefined;

/** One set for all emulators of a process: making one takes longer than most tests. */
export function tlsMaterial(): Promise<TlsMaterial> {
  return (made ??= newMaterial());
}

async function newMaterial(): Promise<TlsMaterial> {
  const { key, cert, ca } = await testCertificate();
  const client = await generate([{ name: "commonName", value: "coffer-tests" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notAfterDate: new Date(Date.now() + 86_400_000),
    ca: { key, cert },
  });
  return { server: { key, cert }, client: { key: client.private, cert: client.cert }, ca };
}
