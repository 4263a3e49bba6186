import type { LoopbackAnswer } from "../loopback.ts";
import { answered, counted, notThere, silent, unsupportedOperation, VaultRefusal } from "./answers.ts";
import type { KvData } from "./entry.ts";
import { type KvCall, listed } from "./kv-call.ts";
import { secondsIn } from "./moment.ts";

const DEFAULT_LEASE_SECONDS = 2_764_800;

/** Answers for an engine of version 1: a path is a key, and nothing else. */
export function answerVersion1(kv: KvCall): LoopbackAnswer {
  const { call, mount, name } = kv;
  if (name.includes("..") && !kv.isOpenBao) throw relative(kv);
  switch (call.operation) {
    case "read":
      return read(kv);
    case "update":
      if (name === "") throw new VaultRefusal(400, ["missing path"]);
      mount.write(name, fieldsOf(call.body));
      return silent(204, true);
    case "delete":
      mount.deleteMetadata(name);
      return silent(204, true);
    case "list":
      return list(kv);
    case "scan":
      if (kv.isOpenBao) return list(kv);
      throw unsupportedOperation();
    default:
      throw unsupportedOperation();
  }
}

function read({ mount, name, isStale }: KvCall): LoopbackAnswer {
  const data = mount.read(name, undefined, { stale: isStale() })?.data;
  if (data === undefined || data === null) throw notThere();
  const leaseSeconds = secondsIn(data["ttl"] ?? data["lease"]) ?? DEFAULT_LEASE_SECONDS;
  return answered({ data, leaseSeconds });
}

function list(kv: KvCall): LoopbackAnswer {
  const keys = listed(kv);
  if (keys.length === 0) throw notThere();
  return answered({ data: { keys } });
}

function fieldsOf(body: KvData): KvData {
  if (Object.keys(body).length === 0) throw new VaultRefusal(400, ["missing data fields"]);
  return body;
}

/** Version 1 keeps names as they are, and the storage of Vault takes no two dots in a row anywhere; each operation passes that on in its own way. */
function relative({ call }: KvCall): VaultRefusal {
  const why = "relative paths not supported";
  if (call.operation === "read") return new VaultRefusal(500, [counted(`read failed: ${why}`)]);
  if (call.operation === "update") return new VaultRefusal(500, ["internal error"]);
  return new VaultRefusal(400, [counted(why)]);
}
