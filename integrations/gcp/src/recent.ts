/** How many names are remembered: what a program writes and then reads, not everything that it ever wrote. */
const CAPACITY = 1_000;

/**
 * The versions that this driver has written last. The service answers `latest` late, for minutes at times, and a version by its number at once: so a program
 * reads what it has written itself.
 */
export class RecentVersions {
  readonly #versions = new Map<string, number>();

  /** Remembers the newest version of a secret. */
  wrote(id: string, revision: string): void {
    const number = Number(revision);
    if (!Number.isSafeInteger(number)) return;
    this.#versions.delete(id);
    this.#versions.set(id, number);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > CAPACITY && oldest !== undefined) this.#versions.delete(oldest);
  }

  forget(id: string): void {
    this.#versions.delete(id);
  }

  /** The version that was written here and is newer than the one that the service shows. */
  newerThan(id: string, shown: string | undefined): string | undefined {
    const number = this.#versions.get(id);
    return number === undefined || number <= Number(shown ?? 0) ? undefined : String(number);
  }
}
