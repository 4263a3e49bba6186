import { describe, expect, test } from "vitest";
import type { VaultSettings } from "../src/settings-types.ts";
import { managersOn, type Running } from "./real-managers.ts";

/** Certificates of either side. */
export function tlsTests(running: Running): void {
  describe("TLS of OpenBao", () => {
    const managerOn = managersOn(running);
    const tlsSettings = (): VaultSettings => ({
      address: running().tls.url,
      token: running().rootToken,
      ca_file: running().tls.ca,
      client_cert_file: running().tls.clientCertificate,
      client_key_file: running().tls.clientKey,
    });

    test("with the authority and a certificate of the client", async () => {
      const manager = managerOn(tlsSettings());
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
    });

    test("without the authority nothing is sent, and the host is named", async () => {
      await expect(managerOn({ ...tlsSettings(), ca_file: undefined }).getSecret("warehouse")).rejects.toMatchObject({
        code: "unavailable",
        retryable: false,
        message: expect.stringMatching(/certificate of localhost:\d+ is not trusted/) as string,
      });
    });

    test("without the certificate that the server demands", async () => {
      const settings = { ...tlsSettings(), client_cert_file: undefined, client_key_file: undefined };
      await expect(managerOn(settings).getSecret("warehouse")).rejects.toMatchObject({ code: "unavailable" });
    });

    test("another name than that of the certificate is not trusted, unless it is said which to look for", async () => {
      const settings = { ...tlsSettings(), address: running().tls.url.replace("localhost", "127.0.0.1") };
      await managerOn({ ...settings, tls_server_name: "localhost" }).registerSecret({ name: "warehouse", values: { user: "etl" } });
      await expect(managerOn({ ...settings, tls_server_name: "vault.example" }).getSecret("warehouse")).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("is not trusted") as string,
      });
    });
  });
}
