/** Tells how far a step is: so many done of so many. */
export type Progress = (done: bigint, total: bigint) => Promise<void>;

/** Brings usage up to date: every day that is over is rolled up. Doing it twice is doing it once. */
export abstract class UsageUpToDate {
  abstract rollUpThrough(now: Date, onProgress: Progress): Promise<void>;
}

/** The invoices of a month. Both can be broken off anywhere and run again. */
export abstract class PeriodInvoices {
  abstract draftAll(period: string, onProgress: Progress): Promise<void>;
  abstract finaliseAll(period: string, onProgress: Progress): Promise<void>;
}

/** Passed at the end of each step of a close: a rehearsal of a crash ends the process here. */
export class CloseFailpoints {
  constructor(readonly reach: (place: string) => void = () => undefined) {}
}
