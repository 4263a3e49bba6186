import { createServer, connect, type Server as TcpServer, type Socket, type AddressInfo } from "node:net";
import {
  Metadata,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import type { LoopbackServer } from "../loopback.ts";
import type { SecretEntry, SecretInput, VersionEntry } from "./resources.ts";
import { ServiceError, STATUSES } from "./service-error.ts";
import type { Named, PageRequest, SecretManagerState } from "./state.ts";
import { makeTrouble, pageOf, writes } from "./trouble.ts";

const SERVICE = "google.cloud.secretmanager.v1.SecretManagerService";

interface GrpcRequest {
  readonly parent?: string;
  readonly name?: string;
  readonly secretId?: string;
  readonly secret?: SecretInput;
  readonly updateMask?: { readonly paths?: readonly string[] };
  readonly etag?: string;
  readonly payload?: { readonly data?: Buffer; readonly dataCrc32c?: string };
  readonly filter?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** The same service over gRPC, in clear text on a free port of loopback. */
export interface GrpcFront {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Serves a state over gRPC. Requests are counted where those of REST are, and the faults are the same ones. In front of the server lies
 * a relay of plain bytes, because only a socket can be broken in the middle of a call.
 */
export async function startGrpcFront(
  protos: object,
  state: SecretManagerState,
  rest: LoopbackServer,
  pageLimit: number | undefined,
): Promise<GrpcFront> {
  const definition = fromJSON(protos, { longs: String, enums: String, defaults: false, oneofs: true })[SERVICE];
  if (definition === undefined || "format" in definition) throw new TypeError(`The protos do not define ${SERVICE}.`);
  const server = new Server();
  const relay = new Relay();
  const implementation: UntypedServiceImplementation = {};
  for (const method of Object.keys(definition)) {
    const answer = (call: ServerUnaryCall<GrpcRequest, object>, callback: sendUnaryData<object>): void => {
      if (rest.faults.take("reset_before") !== undefined) return relay.reset();
      if (rest.faults.get("hang") !== undefined) return;
      try {
        const { request } = call;
        const resource = request.parent ?? request.name ?? request.secret?.name ?? "";
        const page = method.startsWith("List") ? pageOf(request.pageToken ?? "", pageLimit) : undefined;
        const sent = `${JSON.stringify(call.metadata.getMap())} ${JSON.stringify(request)} ${request.payload?.data?.toString("utf8") ?? ""}`;
        makeTrouble(rest.faults, { method, resource, page, sent });
        const answered = answerGrpc(state, method, request);
        if (writes(method) && rest.faults.take("reset_after_write") !== undefined) return relay.reset();
        const repeated = page !== undefined && rest.faults.get("repeat_token") !== undefined;
        callback(null, repeated ? { ...answered, nextPageToken: "token-0" } : answered);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        const refusal: Partial<StatusObject> = { details: error.message, metadata: new Metadata() };
        callback(Object.assign(refusal, { code: STATUSES[error.status].grpc }));
      }
    };
    implementation[method] = (call: ServerUnaryCall<GrpcRequest, object>, callback: sendUnaryData<object>): void => {
      rest.requests.set(method, (rest.requests.get(method) ?? 0) + 1);
      const over = rest.underWay();
      call.on("cancelled", over);
      const callbackOnce: sendUnaryData<object> = (...answered) => {
        over();
        callback(...answered);
      };
      if (rest.latencyMs > 0) setTimeout(() => answer(call, callbackOnce), rest.latencyMs);
      else answer(call, callbackOnce);
    };
  }
  server.addService(definition, implementation);
  const inner = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)));
  });
  const port = await relay.start(inner);
  return {
    port,
    async stop() {
      await relay.stop();
      server.forceShutdown();
    },
  };
}

function answerGrpc(state: SecretManagerState, method: string, request: GrpcRequest): object {
  const { name = "", parent = "", etag } = request;
  const page: PageRequest = { parent, filter: request.filter ?? "", pageSize: request.pageSize ?? 0, pageToken: request.pageToken ?? "" };
  switch (method) {
    case "CreateSecret":
      return secretMessage(state.createSecret(parent, request.secretId, request.secret));
    case "AddSecretVersion":
      return versionMessage(state.addSecretVersion(parent, request.payload?.data, request.payload?.dataCrc32c));
    case "AccessSecretVersion": {
      const accessed = state.accessSecretVersion(name);
      return { name: accessed.name, payload: { data: accessed.data, dataCrc32c: accessed.checksum } };
    }
    case "GetSecret":
      return secretMessage(state.getSecret(name));
    case "GetSecretVersion":
      return versionMessage(state.getSecretVersion(name));
    case "UpdateSecret":
      return secretMessage(state.updateSecret(request.secret ?? {}, request.updateMask?.paths ?? []));
    case "DeleteSecret":
      state.deleteSecret(name, etag);
      return {};
    case "ListSecrets": {
      const { items, nextPageToken, totalSize } = state.listSecrets(page);
      return { secrets: items.map(secretMessage), nextPageToken, totalSize };
    }
    case "ListSecretVersions": {
      const { items, nextPageToken, totalSize } = state.listSecretVersions(page);
      return { versions: items.map(versionMessage), nextPageToken, totalSize };
    }
    default:
      throw new ServiceError("UNIMPLEMENTED", `${method} is not implemented.`);
  }
}

function secretMessage({ name, entry }: Named<SecretEntry>): object {
  const { createTime, etag, labels, annotations, replication, customerManagedEncryption } = entry;
  return { name, createTime: timestamp(createTime), etag, labels, annotations, replication, customerManagedEncryption };
}

function versionMessage({ name, entry }: Named<VersionEntry>): object {
  return { name, createTime: timestamp(entry.createTime), state: entry.state, etag: entry.etag };
}

function timestamp(date: Date): object {
  return { seconds: String(Math.floor(date.getTime() / 1000)), nanos: (date.getTime() % 1000) * 1_000_000 };
}

/** Passes bytes on, until it breaks every connection that it holds. */
class Relay {
  readonly #sockets = new Set<Socket>();
  #server: TcpServer | undefined;

  async start(to: number): Promise<number> {
    const server = createServer((incoming) => {
      const outgoing = connect(to, "127.0.0.1");
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#sockets.add(socket);
        // Held back bytes would add 40 ms to every call.
        socket.setNoDelay(true);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      incoming.pipe(outgoing);
      outgoing.pipe(incoming);
    });
    this.#server = server;
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined || !server.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
