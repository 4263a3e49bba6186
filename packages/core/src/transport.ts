/**
 * HTTP for flavors whose SDK lets its transport be replaced, or that have no SDK: requests with deadlines, answers of bounded size, no redirects, and nothing of a
 * request in an error or in a debug log. At `@coffer/core/transport`.
 */
export { retried, type RetryRules } from "./transport/retries.ts";
export {
  isLoopbackAddress,
  Transport,
  TransportError,
  type TransportOptions,
  type TransportTrouble,
  type WireAnswer,
  type WireRequest,
} from "./transport/transport.ts";
export type { TlsOptions } from "./transport/tls.ts";
