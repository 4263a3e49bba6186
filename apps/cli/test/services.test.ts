// The command line on a service, from the sources as a developer of an integration runs it: the whole way from argv to the wire and back.
import { join } from "node:path";
import { AwsEmulator } from "@coffer/emulators/aws/server";
import { expect, onTestFinished, test } from "vitest";
import { Home, runProcess, type Finished } from "./support/home.ts";

const ENTRY = join(import.meta.dirname, "../src/dev.ts");
const CANARY = "cAnArY-5d1c77-service";

test("a stack on AWS: register, read, list, change, copy to this machine and back, delete and restore", { timeout: 120_000 }, async () => {
  const emulator = await AwsEmulator.start();
  onTestFinished(() => emulator.stop());
  const home = new Home();
  const { accessKeyId, secretAccessKey } = emulator.keys;
  const env = { ...home.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const coffer = async (...args: string[]): Promise<Finished> => {
    const finished = await runProcess([process.execPath, "--conditions=@coffer/source", ENTRY, ...args], { env, cwd: home.path });
    expect(finished.stderr).not.toContain(secretAccessKey);
    return finished;
  };
  const succeed = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await coffer(...args);
    expect({ args, status, stderr: status === 0 ? "" : stderr }).toEqual({ args, status: 0, stderr: "" });
    return stdout;
  };
  const settings = [`--region=${emulator.region}`, `--endpoint=${emulator.server.url}`, "--scope=namespace", "--namespace=team-a"];
  await succeed("secrets-manager", "register", "production", "--flavor=aws", ...settings);
  await succeed("stack", "register", "live", "-x", "production");
  await succeed("stack", "set", "live");
  await succeed("secret", "register", "db", "--schema=mysql", `--password=${CANARY}`, "--ssl_verify_server_cert=yes", "--no-warn");
  const content = { password: CANARY, ssl_verify_server_cert: true };
  expect(JSON.parse(await succeed("secret", "get", "db", "--output=json"))).toMatchObject({ schema: "mysql", content });
  expect(JSON.parse(await succeed("secret", "list", "--output=json"))).toMatchObject([{ name: "db", schema: "mysql" }]);
  await succeed("secret", "copy", "db", "--to=default");
  await succeed("secret", "copy", "db", "back", "--stack=default", "--to=production");
  expect(JSON.parse(await succeed("secret", "get", "back", "--output=json"))).toMatchObject({ schema: "mysql", content });
  await succeed("secret", "update", "db", "--user=etl", "--no-warn");
  await succeed("secret", "delete", "db", "--yes");
  const taken = await coffer("secret", "register", "db", "--k=v", "--no-warn");
  expect(taken.status).toBe(4);
  expect(taken.stderr).toContain("coffer secret restore db");
  await succeed("secret", "restore", "db");
  expect(await succeed("secret", "get", "db", "--key=user")).toBe("etl");
  expect((await coffer("secret", "get", "nothing")).status).toBe(3);
  expect((await coffer("doctor")).status).toBe(0);
  emulator.server.faults.inject({ kind: "deny" });
  const denied = await coffer("secret", "get", "db");
  expect({ status: denied.status, stdout: denied.stdout }).toEqual({ status: 6, stdout: "" });
});
