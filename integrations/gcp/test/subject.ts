import type { ConformanceSubject, OpenedSubject } from "@coffer/testkit";
import type { GcpServer } from "@coffer/emulators/gcp/server";
import { GCP_CAPABILITIES, openGcpDriver } from "../src/driver.ts";
import { serviceName } from "../src/names.ts";
import type { GcpSettings } from "../src/settings-types.ts";
import { grpcSettingsFor, keyLines, sdkProtos, settingsFor, startServer } from "./laboratory.ts";

export interface OpenedGcp extends OpenedSubject {
  readonly server: GcpServer;
  readonly settings: GcpSettings;
}

/** Few pages and few retries: what they do has tests of its own, and here they would only take time. */
const PAGE_LIMIT = 100;
const RETRIES = 1;

/** The flavor on the emulator, over one of its transports. */
export function gcpSubject(transport: "rest" | "grpc"): ConformanceSubject<OpenedGcp> {
  const plant = ({ server }: OpenedGcp, id: string, data: Uint8Array | undefined): void => {
    const parent = `projects/${server.project}`;
    server.state.createSecret(parent, id, { replication: { automatic: {} }, labels: { team: "other" } });
    if (data !== undefined) server.state.addSecretVersion(`${parent}/secrets/${id}`, Buffer.from(data), undefined);
  };
  return {
    flavor: "gcp_secrets_manager",
    capabilities: GCP_CAPABILITIES,
    async open() {
      const server = await startServer({ pageLimit: PAGE_LIMIT, ...(transport === "grpc" ? { protos: sdkProtos() } : {}) });
      const settings = (transport === "grpc" ? grpcSettingsFor : settingsFor)(server, { max_retries: RETRIES });
      return { server, settings, driver: await openGcpDriver(settings), dispose: () => server.stop() };
    },
    second: ({ settings }) => openGcpDriver(settings),
    credentials: keyLines,
    faults: {
      deny: ({ server }) => server.faults.inject({ kind: "deny" }),
      refuse: ({ server }, name) => server.faults.inject({ kind: "deny", name: serviceName(name, "namespace").id }),
      ...(transport === "grpc" ? {} : { unauthenticated: ({ server }: OpenedGcp) => server.faults.inject({ kind: "unauthenticated" }) }),
      unreachable: ({ server }) => server.disconnect(),
      throttle: ({ server }, times) => server.faults.inject({ kind: "throttle", times }),
      hang: ({ server }) => server.faults.inject({ kind: "hang" }),
      failPage: ({ server }, page) => server.faults.inject({ kind: "fail_page", page }),
      loseAnswer: ({ server }) => server.faults.inject({ kind: "reset_after_write", times: 1 }),
      echo: ({ server }) => server.faults.inject({ kind: "echo" }),
      ...(transport === "grpc" ? {} : { garble: ({ server }: OpenedGcp) => server.faults.inject({ kind: "html", status: 200 }) }),
    },
    outOfBand: {
      values: (opened, name, values) => plant(opened, name, Buffer.from(JSON.stringify(values))),
      text: (opened, name, text) => plant(opened, name, Buffer.from(text)),
      bytes: (opened, name, bytes) => plant(opened, name, bytes),
      empty: (opened, name) => plant(opened, name, undefined),
      within: (opened, name, values) => plant(opened, serviceName(name, "namespace").id, Buffer.from(JSON.stringify(values))),
      disable: ({ server }, name) => {
        const secret = `projects/${server.project}/secrets/${serviceName(name, "namespace").id}`;
        server.state.setVersionState(`${secret}/versions/latest`, "DISABLED", undefined);
      },
    },
  };
}
