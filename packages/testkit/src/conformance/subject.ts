import type { DriverCapabilities, SecretsManagerDriver } from "@coffer/core";

/** What `open` hands to a case. Add whatever your faults need to reach the service. */
export interface OpenedSubject {
  /** The driver under test. */
  readonly driver: SecretsManagerDriver;
  /** Releases what `open` made; called once, after the drivers were closed. */
  dispose?(): Promise<void> | void;
}

/**
 * Trouble that the suite asks for. Each is switched on by its call and lasts until the subject is disposed of, unless it says otherwise.
 * Cases for a fault that is missing are skipped, with a reason that names it.
 */
export interface ConformanceFaults<Opened extends OpenedSubject> {
  /** The service refuses every request for lack of permission. */
  deny?(opened: Opened): Promise<void> | void;
  /** The service does not accept the credential. */
  unauthenticated?(opened: Opened): Promise<void> | void;
  /** Connections are refused: no request reaches the service. */
  unreachable?(opened: Opened): Promise<void> | void;
  /** The service throttles so many requests, then answers again. */
  throttle?(opened: Opened, times: number): Promise<void> | void;
  /** The service takes requests and never answers. */
  hang?(opened: Opened): Promise<void> | void;
  /** The page of a listing with this number, counted from 1, fails; earlier pages are fine. */
  failPage?(opened: Opened, page: number): Promise<void> | void;
  /** The next write is carried out, then the connection breaks before its answer arrives. */
  loseAnswer?(opened: Opened): Promise<void> | void;
  /** Writes are refused, with an error text that repeats the request: values, and the credential if the service would. */
  echo?(opened: Opened): Promise<void> | void;
  /** Something else answers in place of the service: HTML, cut JSON, a captive portal. */
  garble?(opened: Opened): Promise<void> | void;
  /** The service refuses requests about this secret alone. The name is the one that the driver was given, in full. */
  refuse?(opened: Opened, name: string): Promise<void> | void;
}

/** Secrets made by other hands than the driver's. Names are what the driver will be given with scope `none`, unless a call says otherwise. */
export interface OutOfBand<Opened extends OpenedSubject> {
  /** Stores keys and values without our marker, as another tool would. */
  values?(opened: Opened, name: string, values: Readonly<Record<string, string>>): Promise<void> | void;
  /** Stores a bare text. */
  text?(opened: Opened, name: string, text: string): Promise<void> | void;
  /** Stores bytes. */
  bytes?(opened: Opened, name: string, bytes: Uint8Array): Promise<void> | void;
  /** Makes a secret that has no value, the trace of an interrupted write. */
  empty?(opened: Opened, name: string): Promise<void> | void;
  /**
   * Stores keys and values without our marker in the place of a secret that the driver knows by this name, in full: under the name that the
   * driver would make of it.
   */
  within?(opened: Opened, name: string, values: Readonly<Record<string, string>>): Promise<void> | void;
  /** Disables the secret that the driver knows by this name. */
  disable?(opened: Opened, name: string): Promise<void> | void;
}

/** A flavor, as the conformance suite needs it. */
export interface ConformanceSubject<Opened extends OpenedSubject = OpenedSubject> {
  /** The flavor's id. */
  readonly flavor: string;
  /** What the driver declares: it chooses the cases, and a case holds the opened driver against it. */
  readonly capabilities: DriverCapabilities;
  /**
   * Opens a driver for one case. Names are made unique for every case, so cases may share a service;
   * a service of its own is faster and needs no cleaning.
   */
  open(): Promise<Opened>;
  /** Opens another driver on the same service, as another process would; races run against it too. */
  second?(opened: Opened): Promise<SecretsManagerDriver>;
  /** For flavors that cannot write: opens a driver that fills the same service. */
  writer?(opened: Opened): Promise<SecretsManagerDriver>;
  readonly faults?: ConformanceFaults<Opened>;
  readonly outOfBand?: OutOfBand<Opened>;
  /** The credentials in use (tokens, keys, passwords): no error may show them. Pass a function when they are made by `open`. */
  readonly credentials?: readonly string[] | ((opened: Opened) => readonly string[]);
  /** How many secrets the long listing has: more than one page of the service. 250 by default. */
  readonly listingSize?: number;
  /** How many secrets the random cases write; 200 by default. A service that takes its time, or money, may do with fewer. */
  readonly randomSize?: number;
  /** Where the random cases start: the same number, the same secrets. 1 by default; a failing case tells it. */
  readonly seed?: number;
  /**
   * How many milliseconds one call may take before a case gives up on it; 10,000 by default. A whole case gets ten times as much.
   * What a case lets hang on purpose it lets hang for a hundredth of this, and for no longer than 100 ms.
   */
  readonly patienceMs?: number;
}

/** One demand of the contract, for any test runner. */
export interface ConformanceCase {
  /** A sentence, unique in the suite. */
  readonly name: string;
  /** Why the case does not apply to this subject, or `false`. */
  readonly skip: string | false;
  /** Passes or throws. Opens its own driver and closes it. */
  run(): Promise<void>;
}
