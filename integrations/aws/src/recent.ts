const KEPT_MS = 30_000;
const MOST = 1000;

/** Names that this process has just written or deleted: the service may take a moment to notice. */
export class RecentNames {
  readonly #at = new Map<string, number>();

  add(name: string): void {
    this.#at.delete(name);
    this.#at.set(name, performance.now());
    if (this.#at.size > MOST) for (const oldest of this.#at.keys()) return void this.#at.delete(oldest);
  }

  delete(name: string): void {
    this.#at.delete(name);
  }

  has(name: string): boolean {
    const at = this.#at.get(name);
    return at !== undefined && performance.now() - at < KEPT_MS;
  }
}
