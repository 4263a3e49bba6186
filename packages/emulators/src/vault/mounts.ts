import type { KvMount } from "./kv.ts";

/** Where a path leads: the namespace that it is in, and the path below it. */
export interface Place {
  readonly namespace: string;
  readonly path: string;
}

/** The KV engines of a service, over all its namespaces. */
export class Mounts {
  readonly #mounts: KvMount[] = [];

  /** Mounts an engine, in place of one at the same path. */
  add(mount: KvMount): void {
    const at = this.#mounts.findIndex((each) => each.path === mount.path && each.namespace === mount.namespace);
    if (at >= 0) this.#mounts.splice(at, 1);
    this.#mounts.push(mount);
  }

  /** The engine with exactly this path. */
  at(path: string, namespace: string): KvMount | undefined {
    return this.#mounts.find((each) => each.path === path && each.namespace === namespace);
  }

  /** The engine that a place is in: of several the one with the longest path. */
  over({ namespace, path }: Place): KvMount | undefined {
    return this.#mounts
      .filter((each) => each.namespace === namespace && (path.startsWith(`${each.path}/`) || path === each.path))
      .toSorted((a, b) => b.path.length - a.path.length)[0];
  }

  /**
   * Where a path leads. A namespace may stand in the header, at the start of the path, or partly in either. `undefined` when the header names one
   * that does not exist.
   */
  placeOf(header: string, path: string, others: readonly string[]): Place | undefined {
    const known = new Set(["", ...[...this.#mounts.map(({ namespace }) => namespace), ...others].flatMap(withParents)]);
    if (!known.has(header)) return undefined;
    const whole = header === "" ? path : `${header}/${path}`;
    const namespace = [...known]
      .filter((each) => each !== "" && whole.startsWith(`${each}/`))
      .reduce((longest, each) => (each.length > longest.length ? each : longest), header);
    return { namespace, path: namespace === "" ? whole : whole.slice(namespace.length + 1) };
  }
}

/** Whether a namespace is another one or lies below it. */
export function isWithin(namespace: string, other: string): boolean {
  return other === "" || namespace === other || namespace.startsWith(`${other}/`);
}

function withParents(namespace: string): string[] {
  const segments = namespace.split("/");
  return segments.map((_segment, index) => segments.slice(0, index + 1).join("/"));
}
