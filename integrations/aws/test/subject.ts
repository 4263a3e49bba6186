import { AwsEmulator } from "@coffer/emulators/aws/server";
import type { ConformanceSubject, OpenedSubject } from "@coffer/testkit";
import { AWS_CAPABILITIES } from "../src/capabilities.ts";
import { openAwsDriver } from "../src/driver.ts";
import { encodeName } from "../src/names.ts";
import type { AwsSettings } from "../src/settings-types.ts";

/** A driver on an emulator of its own. */
export interface OpenedAws extends OpenedSubject {
  readonly emulator: AwsEmulator;
  readonly settings: AwsSettings;
}

/** What a manager needs to find an emulator. */
export function settingsFor({ server, region, keys }: AwsEmulator): AwsSettings {
  return { region, endpoint: server.url, credentials: keys };
}

/** An emulator for every case. */
export const awsSubject: ConformanceSubject<OpenedAws> = {
  flavor: "aws",
  capabilities: AWS_CAPABILITIES,
  async open() {
    const emulator = await AwsEmulator.start();
    // The waits between attempts are the SDK's; one of them is enough here.
    const settings = { ...settingsFor(emulator), max_attempts: 2 };
    return { emulator, settings, driver: await openAwsDriver(settings), dispose: () => emulator.stop() };
  },
  second: ({ settings }) => openAwsDriver(settings),
  credentials: ({ emulator: { keys } }) => [keys.secretAccessKey, keys.sessionToken ?? ""].filter((secret) => secret !== ""),
  faults: {
    deny: ({ emulator }) => emulator.server.faults.inject({ kind: "deny" }),
    unauthenticated: ({ emulator }) => emulator.server.faults.inject({ kind: "unauthenticated" }),
    unreachable: ({ emulator }) => emulator.server.disconnect(),
    throttle: ({ emulator }, times) => emulator.server.faults.inject({ kind: "throttle", times }),
    hang: ({ emulator }) => emulator.server.faults.inject({ kind: "hang" }),
    failPage: ({ emulator }, page) => emulator.server.faults.inject({ kind: "fail_page", page }),
    // As often as the SDK tries: after a single loss it finds out by itself (faults.test.ts).
    loseAnswer: ({ emulator }) => emulator.server.faults.inject({ kind: "reset_after_write", times: 2 }),
    echo: ({ emulator }) => emulator.server.faults.inject({ kind: "echo" }),
    garble: ({ emulator }) => emulator.server.faults.inject({ kind: "html", status: 200 }),
    refuse: ({ emulator }, name) => void emulator.deniedNames.add(encodeName(name)),
  },
  outOfBand: {
    values: ({ emulator }, name, values) => void emulator.plant(name, JSON.stringify(values)),
    text: ({ emulator }, name, text) => void emulator.plant(name, text),
    bytes: ({ emulator }, name, bytes) => void emulator.plant(name, bytes),
    empty: ({ emulator }, name) => void emulator.plant(name, undefined),
    within: ({ emulator }, name, values) => void emulator.plant(encodeName(name), JSON.stringify(values)),
  },
};
