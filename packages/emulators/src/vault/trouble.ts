import type { Fault, Faults } from "../faults.ts";
import { counted, permissionDenied, VaultRefusal } from "./answers.ts";
import type { VaultCall } from "./call.ts";
import type { KvCall } from "./kv-call.ts";

/** Says the trouble that is switched on in the words of Vault. */
export class VaultTrouble {
  readonly #faults: Faults;
  #failing: Fault | undefined;
  /** The listings since `fail_page` was switched on, each with its number. The same request again is the same page. */
  readonly #pages = new Map<string, number>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** Trouble that comes before anything is looked at. */
  atTheDoor(call: VaultCall): void {
    const throttle = this.#faults.take("throttle");
    if (throttle !== undefined)
      throw new VaultRefusal(
        429,
        [`request path "${call.path}": rate limit quota exceeded`],
        throttle.retryAfterSeconds === undefined ? {} : { headers: { "retry-after": String(throttle.retryAfterSeconds) } },
      );
    if (this.#faults.take("broken") !== undefined) throw new VaultRefusal(500, ["internal error"]);
    if (this.#faults.get("echo") !== undefined && call.request.method !== "GET")
      throw new VaultRefusal(400, [`not understood: ${call.token ?? ""} ${call.request.body.toString("utf8")}`]);
  }

  /** No credential is accepted. */
  get refusesCredentials(): boolean {
    return this.#faults.get("unauthenticated") !== undefined;
  }

  /** The next page of every listing is the first one again. */
  get repeatsPages(): boolean {
    return this.#faults.get("repeat_token") !== undefined;
  }

  /** The caller has no permission for anything. */
  get deniesAll(): boolean {
    const deny = this.#faults.get("deny");
    return deny !== undefined && deny.name === undefined && deny.permission === undefined;
  }

  /** Trouble with one key, or with the page of a listing. */
  atTheKey({ call, mount, area, name }: KvCall): void {
    const deny = this.#faults.get("deny");
    // As a policy grants it: a capability on a path, here without the name.
    const needed = `${call.operation === "update" ? "create or update" : call.operation} on ${[mount.path, area].filter(Boolean).join("/")}`;
    const { name: only = name, permission = needed } = deny ?? {};
    if (deny !== undefined && only === name && permission === needed) throw permissionDenied();
    const failing = this.#faults.get("fail_page");
    if (failing === undefined || (call.operation !== "list" && call.operation !== "scan")) return;
    if (this.#pageOf(call, failing) === failing.page) throw new VaultRefusal(500, [counted("internal error")]);
  }

  #pageOf(call: VaultCall, failing: Fault): number {
    if (this.#failing !== failing) this.#pages.clear();
    this.#failing = failing;
    const key = JSON.stringify([call.namespace, call.path, call.request.query.get("after")]);
    const page = this.#pages.get(key) ?? this.#pages.size + 1;
    this.#pages.set(key, page);
    return page;
  }
}
