import { expect, onTestFinished, test } from "vitest";
import { LoopbackServer } from "../src/loopback.ts";

async function started(): Promise<LoopbackServer> {
  const server = await LoopbackServer.start(async ({ method, body }) => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ method, body: body.toString() }),
    wrote: method === "POST",
  }));
  onTestFinished(() => server.stop());
  return server;
}

test("answers, and counts what has arrived by operation", async () => {
  const server = await started();
  expect(await (await fetch(`${server.url}/a?b=c`)).json()).toEqual({ method: "GET", body: "" });
  await (await fetch(`${server.url}/a`, { method: "POST", body: "x" })).text();
  expect([server.count(), server.count("GET /a"), server.count("POST /a"), server.count("GET /b")]).toEqual([2, 1, 1, 0]);
});

test("breaks before a request, and after a write, as often as it was told", async () => {
  const server = await started();
  server.faults.inject({ kind: "reset_before", times: 1 });
  await expect(fetch(server.url)).rejects.toThrow("fetch failed");
  server.faults.inject({ kind: "reset_after_write", times: 1 });
  expect((await fetch(server.url)).status).toBe(200);
  await expect(fetch(server.url, { method: "POST", body: "x" })).rejects.toThrow("fetch failed");
  expect((await fetch(server.url, { method: "POST", body: "x" })).status).toBe(200);
});

test("something else answers in its place until it is healed: a page, a redirect, half an answer, too much of it", async () => {
  const server = await started();
  server.faults.inject({ kind: "html", status: 502 });
  expect(await (await fetch(server.url)).text()).toContain("<html>");
  server.faults.heal();
  server.faults.inject({ kind: "redirect", to: "http://127.0.0.1:9/", status: 307 });
  expect((await fetch(server.url, { redirect: "manual" })).headers.get("location")).toBe("http://127.0.0.1:9/");
  server.faults.heal();
  server.faults.inject({ kind: "cut_json" });
  await expect((await fetch(server.url)).json()).rejects.toThrow(SyntaxError);
  server.faults.heal();
  server.faults.inject({ kind: "huge", bytes: 1000 });
  expect((await (await fetch(server.url)).text()).length).toBe(1000);
});

test("refuses connections while it is disconnected, and takes them again at the same address", async () => {
  const server = await started();
  const { url } = server;
  await server.disconnect();
  await expect(fetch(url)).rejects.toThrow("fetch failed");
  await server.reconnect();
  expect((await fetch(url)).status).toBe(200);
});

test("hangs, and drips", async () => {
  const server = await started();
  server.faults.inject({ kind: "hang" });
  await expect(fetch(server.url, { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout");
  server.faults.heal();
  server.faults.inject({ kind: "drip", everyMs: 5 });
  expect(await (await fetch(server.url)).json()).toEqual({ method: "GET", body: "" });
});
