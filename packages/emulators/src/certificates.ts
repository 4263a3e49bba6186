import { generate } from "selfsigned";

/** A certificate that servers on loopback may use, and the authority that has signed it. Made anew in every process; nothing of it is trusted by the system. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
  /** What a client has to trust, in PEM. */
  readonly ca: string;
}

/** Makes a certificate for `localhost` and 127.0.0.1, good for a day. */
export async function testCertificate(): Promise<TestCertificate> {
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    curve: "P-256",
    notAfterDate: new Date(Date.now() + 86_400_000),
    extensions: [
      { name: "basicConstraints", cA: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert, ca: made.cert };
}
