import type { LoopbackRequest } from "../loopback.ts";
import { VaultRefusal } from "./answers.ts";
import { PRINTABLE } from "./custom-metadata.ts";

const TRUE = /^(?:1|t|T|TRUE|true|True)$/;
const FALSE = /^(?:0|f|F|FALSE|false|False)$/;

/** What Vault understands by a method; `POST` and `PUT` are the same to it. */
export type Operation = "read" | "list" | "scan" | "update" | "patch" | "delete";

/** A request as the core of Vault sees it. */
export interface VaultCall {
  readonly operation: Operation;
  /** The decoded path behind `/v1/`: an encoded slash is a slash. Listings end in a slash. */
  readonly path: string;
  /** The header, without slashes at its ends. */
  readonly namespace: string;
  readonly token: string | undefined;
  readonly request: LoopbackRequest;
}

/** Reads a request. Throws a {@link VaultRefusal} for what the front of the service does not let through. */
export function callFrom(request: LoopbackRequest): VaultCall {
  const whole = decodedPath(request.path);
  if (!PRINTABLE.test(whole)) throw new VaultRefusal(400, [], { text: "" });
  if (whole.includes("//")) throw moved(whole, request);
  if (!whole.startsWith("/v1/")) throw new VaultRefusal(404, [], { text: "404 page not found\n" });
  const segments = whole.split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) throw new VaultRefusal(400, ["relative paths not supported"]);
  const operation = operationOf(request);
  const path = whole.slice("/v1/".length);
  const isFolder = (operation === "list" || operation === "scan") && !path.endsWith("/");
  return {
    operation,
    path: isFolder ? `${path}/` : path,
    namespace: headerOf(request, "x-vault-namespace").replaceAll(/^\/+|\/+$/g, ""),
    token: tokenOf(request),
    request,
  };
}

/** The token of a request, from either of the headers that may carry it. */
export function tokenOf(request: LoopbackRequest): string | undefined {
  const token = headerOf(request, "x-vault-token") || (/^Bearer (.+)$/.exec(headerOf(request, "authorization"))?.[1] ?? "");
  return token === "" ? undefined : token;
}

/** A header as text; empty when it is missing. */
export function headerOf(request: LoopbackRequest, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? "";
}

/** The front of the service sends whoever has two slashes in a row to the path with one. */
function moved(whole: string, { query }: LoopbackRequest): VaultRefusal {
  const path = encodeURI(whole.replaceAll(/\/{2,}/g, "/"));
  return new VaultRefusal(301, [], { headers: { location: query.size > 0 ? `${path}?${query.toString()}` : path }, text: "" });
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new VaultRefusal(400, [], { text: "400 Bad Request" });
  }
}

function operationOf({ method, query }: LoopbackRequest): Operation {
  switch (method) {
    case "GET":
      return listingOf(query) ?? "read";
    case "POST":
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return "delete";
    default:
      throw new VaultRefusal(405, []);
  }
}

function listingOf(query: URLSearchParams): "list" | "scan" | undefined {
  const list = flag(query.get("list"));
  const scan = flag(query.get("scan"));
  if (list && scan) throw new VaultRefusal(400, []);
  if (list) return "list";
  return scan ? "scan" : undefined;
}

function flag(value: string | null): boolean {
  if (value === null || value === "" || FALSE.test(value)) return false;
  if (TRUE.test(value)) return true;
  throw new VaultRefusal(400, []);
}
