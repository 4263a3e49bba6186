// What a command loads, seen from outside: with every integration installed, a command on the local flavor pays for none of them.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Home, runProcess } from "./support/home.ts";
import { SERVICES } from "./support/services.ts";

const ENTRY = join(import.meta.dirname, "../src/dev.ts");
const TRACE = join(import.meta.dirname, "support/module-trace.ts");
// Whatever an integration brings: its own files, and packages that nothing else of this repository runs on.
const OWN_FILES = /\/integrations\/[^/]+\/src\//;
const SDK = /\/node_modules\/(?:@aws-sdk|@smithy|@azure|@azure-rest|@google-cloud|google-[a-z-]+|@grpc|protobufjs|node-vault)\//;

/** Runs a command from the sources, and answers what it has printed and every module that it has loaded. */
async function traced(
  home: Home,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly stdout: string; readonly loaded: readonly string[] }> {
  const trace = join(home.path, "modules");
  rmSync(trace, { force: true });
  const command = [process.execPath, "--conditions=@coffer/source", `--import=${TRACE}`, ENTRY, ...args];
  const { status, stdout, stderr } = await runProcess(command, { env: { ...home.env, ...env, MODULE_TRACE: trace }, cwd: home.path });
  if (status !== 0) throw new Error(`coffer ${args.join(" ")} ended with ${status}: ${stderr}`);
  return { stdout, loaded: readFileSync(trace, "utf8").trim().split("\n") };
}

const ofIntegrations = (loaded: readonly string[]): readonly string[] => loaded.filter((url) => OWN_FILES.test(url) || SDK.test(url));

test("commands on the local flavor load no integration and no SDK, and naming the flavors loads none either", async () => {
  const home = new Home();
  await traced(home, ["secret", "register", "db", "--k=v", "--no-warn"]);
  for (const args of [
    ["secret", "list"],
    ["secret", "get", "db", "--key=k"],
    ["secrets-manager", "flavor", "list"],
    ["schema", "list"],
  ]) {
    const { stdout, loaded } = await traced(home, args);
    expect(stdout, args.join(" ")).not.toBe("");
    expect(ofIntegrations(loaded), args.join(" ")).toEqual([]);
  }
  const { stdout } = await traced(home, ["secrets-manager", "flavor", "list", "--output=json"]);
  const flavors = (JSON.parse(stdout) as readonly { readonly flavor: string }[]).map(({ flavor }) => flavor);
  expect(flavors).toEqual(expect.arrayContaining(SERVICES.map(({ flavor }) => flavor)));
});

test.each(SERVICES)("a listing on $flavor loads its SDK, and no other integration", async ({ flavor, start }) => {
  const home = new Home();
  const service = await start(home.path);
  onTestFinished(() => service.stop());
  const settings = Object.entries(service.settings).map(([name, value]) => `--${name}=${value}`);
  await traced(home, ["secrets-manager", "register", "m", `--flavor=${flavor}`, ...settings], service.env);
  const { loaded } = await traced(home, ["secret", "list", "--secrets-manager=m"], service.env);
  const folders = new Set(loaded.flatMap((url) => /\/integrations\/([^/]+)\/src\//.exec(url)?.[1] ?? []));
  expect(folders.size).toBe(1);
  expect(loaded.some((url) => SDK.test(url))).toBe(true);
});
