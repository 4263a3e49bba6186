import { createMemoryService, type MemoryService } from "@coffer/testkit";

/** Stands for whatever the reader's flavor talks to in tests. */
export interface FakeAcme {
  readonly settings: { readonly url: string; readonly token: string };
  answerWith(status: 403 | 429, times?: number): void;
  neverAnswer(): void;
  put(name: string, text: string): void;
  log(): string;
  stop(): void;
}

const services = new Map<string, MemoryService>();
let started = 0;

export function serviceAt(url: string): MemoryService {
  const service = services.get(url);
  if (service === undefined) throw new RangeError(`Nothing answers at ${url}.`);
  return service;
}

export async function startFakeAcme(): Promise<FakeAcme> {
  started += 1;
  const url = `http://localhost/${started}`;
  const service = createMemoryService();
  services.set(url, service);
  return {
    settings: { url, token: service.credential },
    answerWith: (status, times) => service.inject(status === 403 ? { kind: "deny" } : { kind: "throttle", times: times ?? 1 }),
    neverAnswer: () => service.inject({ kind: "hang" }),
    put: (name, text) => service.plant(name, { text }),
    log: () => `${service.requests} requests`,
    stop: () => void services.delete(url),
  };
}
