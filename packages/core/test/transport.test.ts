import { execFile } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { inspect, promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { isLoopbackAddress, retried, Transport, TransportError, type WireRequest } from "../src/transport.ts";

const CANARY = "cAnArY-header-9f2b";

let server: Server;
let url = "";
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const sockets = new Set<Socket>();
const transports: Transport[] = [];
beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const transport of transports.splice(0)) transport.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

function open(options: ConstructorParameters<typeof Transport>[0] = {}): Transport {
  const transport = new Transport(options);
  transports.push(transport);
  return transport;
}

function request(more: Partial<WireRequest> = {}): WireRequest {
  return { url: `${url}/path`, method: "GET", headers: {}, body: undefined, signal: undefined, plain: true, ...more };
}

async function troubleOf(promise: Promise<unknown>): Promise<TransportError> {
  const error: unknown = await promise.then(
    () => new Error("it succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof TransportError)) throw new Error("no TransportError", { cause: error });
  return error;
}

describe("a transport", () => {
  test("sends method, headers and body, and hands over the whole answer", async () => {
    answer = (incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        response.writeHead(201, { "x-two": ["a", "b"] });
        response.end(`${incoming.method} ${incoming.headers["x-own"]} ${incoming.headers["accept-encoding"]} ${Buffer.concat(chunks)}`);
      });
    };
    const answered = await open().send(request({ method: "PUT", headers: { "X-Own": "yes" }, body: "body" }));
    expect(answered).toMatchObject({ status: 201, text: "PUT yes identity body", headers: { "x-two": "a, b" } });
  });

  test("T94: follows no redirect, and the answer says where it would have led", async () => {
    let requests = 0;
    answer = (_incoming, response) => {
      requests += 1;
      response.writeHead(307, { location: `${url}/elsewhere` }).end();
    };
    expect(await open().send(request())).toMatchObject({ status: 307 });
    expect(requests).toBe(1);
  });

  test("T93: sends nothing in clear text unless that is meant", async () => {
    expect(await troubleOf(open().send(request({ plain: undefined })))).toMatchObject({ code: "PLAIN_HTTP", sent: false });
    expect(await troubleOf(open().send(request({ url: "ftp://127.0.0.1/", plain: true })))).toMatchObject({ code: "PLAIN_HTTP" });
    expect(sockets.size).toBe(0);
  });

  test("T95: reads no more of an answer than it may have", async () => {
    answer = (_incoming, response) => void response.end("x".repeat(2_000));
    expect(await troubleOf(open({ largestAnswer: 1_000 }).send(request()))).toMatchObject({
      trouble: "foreign",
      code: "TOO_LARGE",
      sent: true,
    });
    expect((await open({ largestAnswer: 2_000 }).send(request())).text).toHaveLength(2_000);
  });

  test("T80: ends with its signal, before and during an answer, and says whether the request was sent", async () => {
    const controller = new AbortController();
    answer = (_incoming, response) => {
      response.write("half");
      controller.abort();
    };
    expect(await troubleOf(open().send(request({ signal: controller.signal })))).toMatchObject({ trouble: "slow", sent: true });
    expect(await troubleOf(open().send(request({ signal: AbortSignal.abort() })))).toMatchObject({ trouble: "slow", sent: false });
  });

  test("T97: a connection that is refused was not sent, one that breaks was; neither error holds anything of the request", async () => {
    answer = (incoming) => incoming.socket.destroy();
    const secret = request({ method: "POST", headers: { authorization: CANARY }, body: CANARY });
    const broken = await troubleOf(open().send(secret));
    expect(broken).toMatchObject({ trouble: "network", code: "ECONNRESET", sent: true, host: new URL(url).host });
    const refused = await troubleOf(open().send({ ...secret, url: "http://127.0.0.1:1/" }));
    expect(refused).toMatchObject({ trouble: "network", code: "ECONNREFUSED", sent: false });
    for (const error of [broken, refused]) {
      expect(Object.keys(error).toSorted()).toEqual(["code", "host", "name", "sent", "trouble"]);
      expect(`${error.message}${JSON.stringify(error)}${String(error.stack)}`).not.toContain(CANARY);
    }
  });

  test("a header that cannot be sent is an error of its request, and nothing of that request is left", async () => {
    await new Promise((resolve) => server.close(resolve));
    const crashes: unknown[] = [];
    const onCrash = (error: unknown): void => void crashes.push(error);
    process.on("uncaughtException", onCrash);
    onTestFinished(() => void process.off("uncaughtException", onCrash));
    const transport = open();
    const error = await troubleOf(transport.send(request({ headers: { authorization: `${CANARY}\n` } })));
    expect(error).toMatchObject({ code: "ERR_INVALID_CHAR", sent: false });
    expect(inspect(error)).not.toContain(CANARY);
    // By then the connection for the first one has been refused as well.
    expect(await troubleOf(transport.send(request()))).toMatchObject({ code: "ECONNREFUSED" });
    expect(crashes).toEqual([]);
  });

  test("T25: the debug log of Node shows no header", async () => {
    answer = (_incoming, response) => void response.end("{}");
    const program = `import { Transport } from ${JSON.stringify(new URL("../src/transport.ts", import.meta.url).href)};
      const transport = new Transport();
      const headers = { authorization: ${JSON.stringify(CANARY)} };
      console.log((await transport.send({ url: ${JSON.stringify(url)}, method: "GET", headers, body: undefined, plain: true })).status);
      transport.close();`;
    const env = { ...process.env, NODE_DEBUG: "http,https,net,tls" };
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--conditions=@coffer/source", "-e", program], { env });
    const { stdout, stderr } = await run;
    expect(stdout).toBe("200\n");
    expect(stderr).toContain("HTTP");
    expect(stderr).not.toContain(CANARY);
  });

  test("closing ends the requests under way and those that wait for a connection, and nothing is sent after it, nor again", async () => {
    let arrived = 0;
    const many = new Promise<void>((resolve) => {
      answer = () => void ((arrived += 1) === 64 && resolve());
    });
    const transport = open();
    const send = (): Promise<TransportError> =>
      troubleOf(retried((one) => transport.send(one), request(), { attempts: 3, deadline: performance.now() + 10_000 }));
    const pending = Array.from({ length: 70 }, send);
    await many;
    transport.close();
    const ended = await Promise.all(pending);
    expect(new Set(ended.map(({ code }) => code))).toEqual(new Set(["CLOSED"]));
    expect(ended.filter(({ sent }) => sent)).toHaveLength(64);
    expect(await send()).toMatchObject({ code: "CLOSED", sent: false });
    expect(arrived).toBe(64);
  });

  test("a certificate or a key that is none is refused before anything is sent", () => {
    expect(() => new Transport({ tls: { cert: "none", key: "none" } })).toThrow(/PEM/);
    expect(() => new Transport({ tls: { ca: ["none"] } })).toThrow(/PEM/);
  });
});

test("this machine is told from every other", () => {
  for (const here of ["http://127.0.0.1:8200", "http://localhost", "http://[::1]:1", "http://127.3.2.1"])
    expect(isLoopbackAddress(here)).toBe(true);
  for (const there of ["http://127.0.0.1.example", "http://localhost.example", "http://128.0.0.1", "http://[::2]"])
    expect(isLoopbackAddress(there)).toBe(false);
});

describe("retries", () => {
  const attempts = async (method: string, outcome: number | { readonly sent: boolean }, limit = 3): Promise<number> => {
    let count = 0;
    const send = async (): Promise<{ status: number; headers: Record<string, string>; text: string }> => {
      count += 1;
      if (typeof outcome === "number") return { status: outcome, headers: { "retry-after": "0" }, text: "" };
      throw new TransportError("network", "x", { code: "ECONNRESET", sent: outcome.sent });
    };
    await retried(send, request({ method }), { attempts: limit, deadline: performance.now() + 60_000 }).catch(() => undefined);
    return count;
  };

  test("T79: a request goes out again where that is safe, and no more often than it may", async () => {
    for (const [outcome, reads, writes] of [
      [200, 1, 1],
      [400, 1, 1],
      [404, 1, 1],
      [408, 3, 1],
      [429, 3, 3],
      [500, 3, 1],
      [501, 1, 1],
      [503, 3, 1],
      [{ sent: false }, 3, 3],
      [{ sent: true }, 3, 1],
    ] as const)
      expect([outcome, await attempts("GET", outcome), await attempts("POST", outcome)]).toEqual([outcome, reads, writes]);
    expect(await attempts("GET", 503, 1)).toBe(1);
  });

  test("T79: what the service asks to wait is not waited for beyond the deadline: its refusal is the answer", async () => {
    let count = 0;
    const send = async (): Promise<{ status: number; headers: Record<string, string>; text: string }> => {
      count += 1;
      return { status: 429, headers: { "retry-after": "3600" }, text: "" };
    };
    expect(await retried(send, request(), { attempts: 5, deadline: performance.now() + 1_000 })).toMatchObject({ status: 429 });
    expect(count).toBe(1);
  });

  test("a wait ends with the signal", async () => {
    const controller = new AbortController();
    const send = async (): Promise<{ status: number; headers: Record<string, string>; text: string }> => {
      queueMicrotask(() => controller.abort());
      return { status: 429, headers: { "retry-after": "30" }, text: "" };
    };
    const rules = { attempts: 5, deadline: performance.now() + 60_000 };
    await expect(retried(send, request({ signal: controller.signal }), rules)).rejects.toMatchObject({ name: "AbortError" });
  });
});
