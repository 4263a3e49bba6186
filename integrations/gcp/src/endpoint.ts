/** Where the service is spoken to. */
export interface Endpoint {
  readonly protocol: "https" | "http";
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads an endpoint as users write it: `https://host:port`, or `host:port`, which is TLS too.
 * @returns `undefined` for text that is no endpoint: another protocol, a path, a user name in it
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const written = text.includes("://") ? text : `https://${text}`;
  // `new URL` drops line ends and tabs instead of refusing them.
  if (/\s/.test(written) || !URL.canParse(written)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(written);
  if ((protocol !== "https:" && protocol !== "http:") || username + password + search + hash !== "" || pathname !== "/") return undefined;
  const name = protocol === "https:" ? "https" : "http";
  return { protocol: name, host: hostname, port: port === "" ? (name === "https" ? 443 : 80) : Number(port) };
}

/** Whether an endpoint never leaves this machine: the one case where plain http needs no permission. */
export function isLoopbackEndpoint(text: string): boolean {
  return LOOPBACK.test(parseEndpoint(text)?.host ?? "");
}

/** The endpoint of the service itself: the global one, or that of a location, where regional secrets live. */
export function serviceEndpoint(location: string | undefined, universe: string): Endpoint {
  const host = location === undefined ? `secretmanager.${universe}` : `secretmanager.${location}.rep.${universe}`;
  return { protocol: "https", host, port: 443 };
}
