import { randomUUID } from "node:crypto";
import type { LoopbackAnswer } from "../loopback.ts";
import { answered, bare, counted, VaultRefusal } from "./answers.ts";
import type { VaultAuth } from "./auth.ts";
import type { CallWithBody } from "./body.ts";
import type { KvMount } from "./kv.ts";

const PREFLIGHT = "sys/internal/ui/mounts/";
const CLUSTER = randomUUID();

/** The path that a client asks about before it reads or writes; `undefined` when a request is about something else. */
export function preflightPath(path: string): string | undefined {
  return path.startsWith(PREFLIGHT) ? path.slice(PREFLIGHT.length).replaceAll(/^\/+|\/+$/g, "") : undefined;
}

/** Answers which engine is mounted over a path. A missing mount and a missing permission look the same. */
export function answerPreflight(path: string, mount: KvMount | undefined, isOpenBao: boolean): LoopbackAnswer {
  if (mount === undefined)
    throw new VaultRefusal(403, [
      `preflight capability check returned 403, please ensure client's policies grant access to path ${JSON.stringify(`${path}/`)}`,
    ]);
  // An engine of version 1 that was mounted without options has none.
  const options = mount.version === 2 ? { version: "2" } : isOpenBao ? { version: "1" } : null;
  return answered({
    data: {
      accessor: `kv_${mount.path.replaceAll("/", "_")}`,
      config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
      description: "",
      external_entropy_access: false,
      local: false,
      options,
      path: `${mount.path}/`,
      seal_wrap: false,
      type: "kv",
      uuid: randomUUID(),
    },
  });
}

/** What a server too old for the preflight answers to it. */
export function preflightMissing(): VaultRefusal {
  return new VaultRefusal(404, [counted("unsupported path")]);
}

/** Answers `sys/health`, for anybody: the status says how the server is. */
export function answerHealth(sealed: boolean, isOpenBao: boolean): LoopbackAnswer {
  return bare(sealed ? 503 : 200, {
    initialized: true,
    sealed,
    standby: sealed,
    ...(isOpenBao ? {} : { performance_standby: false, replication_performance_mode: "disabled", replication_dr_mode: "disabled" }),
    server_time_utc: Math.floor(Date.now() / 1_000),
    version: isOpenBao ? "2.7.2" : "1.21.1",
    ...(sealed ? {} : { cluster_name: "vault-cluster-loopback", cluster_id: CLUSTER }),
  });
}

/** Answers `sys/wrapping/unwrap`. The wrapping token is the token of the request, or in its body beside another one. */
export function answerUnwrap(call: CallWithBody, auth: VaultAuth): LoopbackAnswer {
  const { token = call.token } = call.body;
  const data = typeof token === "string" ? auth.unwrap(token) : undefined;
  if (data === undefined) throw new VaultRefusal(400, ["wrapping token is not valid or does not exist"]);
  return answered({ data, wrote: true });
}
