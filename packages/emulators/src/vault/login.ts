import type { LoopbackAnswer } from "../loopback.ts";
import { answered, unsupportedOperation, VaultRefusal } from "./answers.ts";
import type { AuthMethod, IssuedToken, VaultAuth } from "./auth.ts";
import type { Body, CallWithBody } from "./body.ts";
import { authOf } from "./tokens.ts";

/** Where a login goes: which way of logging in, mounted where, and who is named in the path. */
export interface Login {
  readonly method: AuthMethod;
  readonly mount: string;
  readonly username: string;
}

/** The login that a path stands for; `undefined` for every other path. Mounts may have slashes in their paths. */
export function loginAt(path: string, namespace: string, auth: VaultAuth): Login | undefined {
  const [, mount = "", username = ""] = /^auth\/(.+)\/login(?:\/([^/]+))?$/.exec(path) ?? [];
  const method = auth.methodAt(mount, namespace);
  if (method === undefined || (method === "userpass") !== (username !== "")) return undefined;
  return { method, mount, username };
}

/** Logs in. Throws a {@link VaultRefusal} in the words of the method when a credential is wrong, or when `refuse` says that none is right. */
export function logIn(call: CallWithBody, login: Login, namespace: string, auth: VaultAuth, refuse: boolean): LoopbackAnswer {
  if (call.operation !== "update") throw unsupportedOperation();
  const { body } = call;
  CHECKS[login.method](body, login, auth, refuse);
  const id = auth.issue({
    ttlSeconds: auth.loginTtlSeconds,
    maxTtlSeconds: auth.loginMaxTtlSeconds,
    renewable: auth.loginRenewable,
    policy: auth.loginPolicy,
    namespace,
  });
  auth.logins.push({ method: login.method, mount: login.mount, namespace, token: id });
  return answered({ auth: authOf(auth.tokenOf(id) as IssuedToken, metadataOf(body, login)), wrote: true });
}

type Check = (body: Body, login: Login, auth: VaultAuth, refuse: boolean) => void;

const CHECKS: Readonly<Record<AuthMethod, Check>> = {
  approle(body, _login, { approle }, refuse) {
    // Whoever signs in is looked up first, and without an id that fails on the side of the server.
    required(body, "role_id", "missing role_id", 500);
    const wrong = new VaultRefusal(400, ["invalid role or secret ID"]);
    if (body["role_id"] !== approle.roleId) throw wrong;
    required(body, "secret_id", "missing secret_id");
    if (refuse || body["secret_id"] !== approle.secretId) throw wrong;
  },
  kubernetes(body, _login, { kubernetes }, refuse) {
    required(body, "role", "missing role");
    required(body, "jwt", "missing jwt");
    if (body["role"] !== kubernetes.role) throw new VaultRefusal(400, [`invalid role name "${String(body["role"])}"`]);
    if (refuse || body["jwt"] !== kubernetes.jwt) throw new VaultRefusal(403, ["permission denied"]);
  },
  jwt(body, _login, { jwt }, refuse) {
    required(body, "role", "missing role");
    if (body["role"] !== jwt.role) throw new VaultRefusal(400, [`role "${String(body["role"])}" could not be found`]);
    required(body, "jwt", "missing token");
    if (refuse || body["jwt"] !== jwt.jwt)
      throw new VaultRefusal(400, [
        "error validating token: error verifying token signature: no known key successfully validated the token signature",
      ]);
  },
  userpass(body, { username }, { userpass }, refuse) {
    required(body, "password", "missing password", 500);
    if (refuse || username !== userpass.username || body["password"] !== userpass.password)
      throw new VaultRefusal(400, ["invalid username or password"]);
  },
};

function required(body: Body, key: string, message: string, status = 400): void {
  if (typeof body[key] !== "string" || body[key] === "") throw new VaultRefusal(status, [message]);
}

function metadataOf(body: Body, { method, username }: Login): Readonly<Record<string, string>> {
  if (method === "userpass") return { username };
  return method === "approle" ? { role_name: "coffer" } : { role: String(body["role"]) };
}
