import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface PackedPackage {
  readonly manifest: Manifest;
  readonly file: string;
  readonly bytes: Buffer;
}

/**
 * A read-only npm registry on loopback: it serves the tarballs of a folder, and sends whoever asks for another name to `upstream`.
 * With it an installation resolves our packages by name and range, as a user's does, which installing the files themselves would not show.
 */
export async function startLoopbackRegistry(
  directory: string,
  upstream: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const packages = new Map<string, PackedPackage>();
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".tgz"))) {
    const bytes = readFileSync(join(directory, file));
    const manifest = manifestOf(bytes);
    packages.set(manifest.name, { manifest, file, bytes });
  }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://loopback").pathname.slice(1));
    const tarball = [...packages.values()].find(({ file }) => path === `-/${file}`);
    if (tarball !== undefined) {
      response.end(tarball.bytes);
      return;
    }
    // pnpm asks for a version or a tag by itself: `name/latest`.
    const known = packages.get(path) ?? packages.get(path.replace(/\/[^/]+$/, ""));
    if (known === undefined) {
      // The package manager goes there itself, with whatever certificates and proxies it is set up with.
      response.writeHead(302, { location: `${upstream.replace(/\/$/, "")}/${path.replace(/^(@[^/]+)\//, "$1%2f")}` }).end();
      return;
    }
    const versions = packument(known, `http://${request.headers.host ?? ""}`);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(path === known.manifest.name ? versions : versions.versions[known.manifest.version]));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A listening TCP server has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

interface Packument {
  readonly name: string;
  readonly "dist-tags": Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, unknown>>;
}

function packument({ manifest, file, bytes }: PackedPackage, origin: string): Packument {
  const digest = (algorithm: string, encoding: "hex" | "base64"): string => createHash(algorithm).update(bytes).digest(encoding);
  const dist = { tarball: `${origin}/-/${file}`, integrity: `sha512-${digest("sha512", "base64")}`, shasum: digest("sha1", "hex") };
  return { name: manifest.name, "dist-tags": { latest: manifest.version }, versions: { [manifest.version]: { ...manifest, dist } } };
}

/** The package.json inside a tarball. A tar archive is a row of 512-byte headers (name at 0, size in octal at 124), each before its content. */
function manifestOf(tarball: Buffer): Manifest {
  const tar = gunzipSync(tarball);
  for (let offset = 0; offset < tar.length;) {
    const name = tar
      .toString("utf8", offset, offset + 100)
      .split("\0", 1)
      .join("");
    const size = Number.parseInt(tar.toString("utf8", offset + 124, offset + 136), 8) || 0;
    // npm writes the manifest that we packed: it has a name and a version.
    if (name === "package/package.json") return JSON.parse(tar.toString("utf8", offset + 512, offset + 512 + size)) as Manifest;
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error("A tarball without a package.json.");
}
