import type { LoopbackAnswer } from "../loopback.ts";
import { answered, silent, unsupportedOperation, VaultRefusal } from "./answers.ts";
import type { IssuedToken, VaultAuth } from "./auth.ts";
import type { CallWithBody } from "./body.ts";
import { goDuration, moment, secondsIn } from "./moment.ts";

/** What a token is told about itself in the part `auth` of an answer. */
export function authOf(token: IssuedToken, metadata: Readonly<Record<string, string>> | null = null): object {
  return {
    client_token: token.id,
    accessor: token.accessor,
    policies: policiesOf(token),
    token_policies: policiesOf(token),
    metadata,
    lease_duration: secondsLeft(token),
    renewable: token.renewable,
    entity_id: "",
    token_type: "service",
    orphan: true,
    mfa_requirement: null,
    num_uses: 0,
  };
}

/** Answers `auth/token/…` for the token that asks. */
export function answerToken(call: CallWithBody, endpoint: string, token: IssuedToken, auth: VaultAuth): LoopbackAnswer | undefined {
  if (endpoint !== "lookup-self" && endpoint !== "renew-self" && endpoint !== "revoke-self") return undefined;
  if (call.operation !== "update" && (call.operation !== "read" || endpoint !== "lookup-self")) throw unsupportedOperation();
  if (endpoint === "lookup-self") return answered({ data: lookedUp(token) });
  if (endpoint === "renew-self") return renewed(call, token);
  auth.revoke(token.id);
  return silent(204, true);
}

function policiesOf({ policy, expires }: IssuedToken): string[] {
  return policy === "all" && expires === undefined ? ["root"] : ["default", policy];
}

function secondsLeft({ expires }: IssuedToken): number {
  return expires === undefined ? 0 : Math.ceil((expires.at - Date.now()) / 1_000);
}

function lookedUp(token: IssuedToken): object {
  return {
    accessor: token.accessor,
    creation_time: Math.floor(token.issued.at / 1_000),
    creation_ttl: token.ttlSeconds,
    display_name: "token",
    entity_id: "",
    expire_time: token.expires?.text ?? null,
    explicit_max_ttl: 0,
    id: token.id,
    issue_time: token.issued.text,
    meta: null,
    namespace_path: token.namespace === "" ? "" : `${token.namespace}/`,
    num_uses: 0,
    orphan: true,
    path: "auth/token/create",
    policies: policiesOf(token),
    renewable: token.renewable,
    ttl: secondsLeft(token),
    type: "service",
  };
}

function renewed(call: CallWithBody, token: IssuedToken): LoopbackAnswer {
  const increment = secondsIn(call.body["increment"]) ?? 0;
  if (!token.renewable) throw new VaultRefusal(400, ["lease is not renewable"]);
  const wanted = increment > 0 ? increment : token.ttlSeconds;
  const most = token.maxTtlSeconds > 0 ? Math.floor((token.issued.at + token.maxTtlSeconds * 1_000 - Date.now()) / 1_000) : wanted;
  const granted = Math.max(0, Math.min(wanted, most));
  token.expires = moment(Date.now() + granted * 1_000);
  const warnings =
    granted < wanted
      ? [`TTL of "${goDuration(wanted)}" exceeded the effective max_ttl of "${goDuration(granted)}"; TTL value is capped accordingly`]
      : null;
  return answered({ auth: authOf(token), warnings, wrote: true });
}
