import type { RequestOptions } from "node:https";
import type { SecureContext } from "node:tls";

/** How a connection proves itself, and whom it trusts. Texts in PEM. */
export interface TlsOptions {
  /** Authorities besides those that Node trusts. */
  readonly ca?: readonly string[] | undefined;
  /** The certificate of the client, and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the server's certificate has to carry, where it is not the one of the address. */
  readonly serverName?: string | undefined;
  /** Any certificate will do: whoever is on the way can read everything. */
  readonly skipVerify?: boolean | undefined;
}

/**
 * The same in Node's words.
 * @throws Error of OpenSSL when a certificate or a key is none, or when the two do not belong together
 */
export function secureOptions({ ca, cert, key, serverName, skipVerify = false }: TlsOptions): RequestOptions & {
  readonly secureContext?: SecureContext;
} {
  const tls = process.getBuiltinModule("node:tls");
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  // A text that holds no authority would be passed over without a word.
  ca?.forEach((text) => void new X509Certificate(text));
  const own = ca !== undefined || cert !== undefined || key !== undefined;
  return {
    // Said here, it holds whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: !skipVerify,
    ...(serverName === undefined ? {} : { servername: serverName }),
    // Given one by one, the key of the client would become part of the name by which connections are told apart, which NODE_DEBUG=http prints.
    ...(own && {
      secureContext: tls.createSecureContext({
        ...(ca === undefined ? {} : { ca: [...tls.getCACertificates("default"), ...ca] }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      }),
    }),
  };
}
