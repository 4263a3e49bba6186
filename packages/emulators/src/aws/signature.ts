import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { LoopbackRequest } from "../loopback.ts";
import { AwsError } from "./wire.ts";

/** A pair of keys that the emulator accepts, and the session token that must come with it, if any. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const SERVICE = "secretsmanager";
const TOLERATED_SKEW_MS = 5 * 60_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks the signature of a request as AWS does (Signature Version 4): it is computed again from what has arrived. Answers the region that was signed for.
 * @throws AwsError in the words of the service
 */
export function checkSignature(request: LoopbackRequest, keys: AwsKeys, now: Date): string {
  const authorization = single(request, "authorization");
  if (authorization === undefined) throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  const [, accessKeyId = "", day = "", region = "", service = "", signedHeaders = "", signature = ""] =
    AUTHORIZATION.exec(authorization) ?? [];
  if (signature === "") throw new AwsError("IncompleteSignatureException", "Authorization header requires 'Signature' parameter.");
  const time = single(request, "x-amz-date") ?? "";
  const [, year, month, date, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? [];
  if (!time.startsWith(day) || second === undefined)
    throw new AwsError("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.");
  const sentAt = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
  if (accessKeyId !== keys.accessKeyId || single(request, "x-amz-security-token") !== keys.sessionToken)
    throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (Math.abs(sentAt - now.getTime()) > TOLERATED_SKEW_MS)
    throw new AwsError("InvalidSignatureException", `Signature expired: ${time} is now earlier than the time of the service (5 min.)`);
  const names = signedHeaders.split(";");
  const unsigned = ["host", "x-amz-date", "x-amz-target", ...(keys.sessionToken === undefined ? [] : ["x-amz-security-token"])].filter(
    (name) => !names.includes(name),
  );
  if (unsigned.length > 0)
    throw new AwsError("InvalidSignatureException", `'${unsigned[0]}' must be a 'SignedHeader' in the AWS Authorization.`);
  if (service !== SERVICE) throw new AwsError("InvalidSignatureException", `Credential should be scoped to correct service: '${SERVICE}'.`);
  const expected = Buffer.from(signatureOf(request, keys, { names, day, region, time }));
  if (!timingSafeEqual(expected, Buffer.from(signature)))
    throw new AwsError(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    );
  return region;
}

interface Scope {
  readonly names: readonly string[];
  readonly day: string;
  readonly region: string;
  readonly time: string;
}

function signatureOf(request: LoopbackRequest, keys: AwsKeys, { names, day, region, time }: Scope): string {
  const headers = names.map((name) => `${name}:${(single(request, name) ?? "").trim().replaceAll(/ +/g, " ")}\n`).join("");
  const canonical = [request.method, request.path, "", headers, names.join(";"), sha256(request.body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, `${day}/${region}/${SERVICE}/aws4_request`, sha256(canonical)].join("\n");
  const key = [day, region, SERVICE, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${keys.secretAccessKey}`,
  );
  return hmac(key, text).toString("hex");
}

function single(request: LoopbackRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
