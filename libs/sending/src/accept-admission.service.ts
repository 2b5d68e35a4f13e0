import { EngineClock, Timers, type Issue } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { admit } from './accept-admission.policy';
import { AcceptRepository } from './accept.repository';
import type { Submitter } from './accepted';
import { SendingSettings } from './sending.settings';

interface Count {
  /** Recipients that waited when they were counted, and those accepted here since. */
  waiting: bigint;
  readonly atMs: number;
}

/** Real milliseconds for which a count may be used to admit. Nobody is refused on one: then it is counted anew. */
const FRESH_MS = 2_000;
const MAX_COUNTS = 10_000;

/**
 * How much of a tenant's mail may wait. Counting a backlog of days with every call would cost more than the call, so a
 * count serves for two seconds; other processes may have accepted that much more.
 */
@Injectable()
export class AcceptAdmission {
  private readonly counts = new Map<string, Count>();

  constructor(
    private readonly rows: AcceptRepository,
    private readonly settings: SendingSettings,
    private readonly clock: EngineClock,
    private readonly timers: Timers,
  ) {}

  /**
   * Why each entry may not wait, or undefined where it may. Inside the unit of the call.
   * @param costs recipients of each entry
   */
  async refusals(
    by: Submitter,
    dayCap: bigint | null,
    costs: readonly number[],
  ): Promise<readonly (Issue | undefined)[]> {
    if (dayCap === null || costs.every((cost) => cost === 0)) return [];
    const decide = (waiting: bigint) =>
      admit({ waiting, dayCap, days: this.settings.admissionDays }, costs, this.clock.nowMs());
    const known = this.counts.get(nameOf(by));
    if (known && this.timers.monotonicMs() - known.atMs < FRESH_MS) {
      const verdicts = decide(known.waiting);
      if (verdicts.every((verdict) => verdict === undefined)) return verdicts;
    }
    return decide(await this.count(by, dayCap));
  }

  /** So many recipients more wait. */
  took(by: Submitter, recipients: number): void {
    const known = this.counts.get(nameOf(by));
    if (known) known.waiting += BigInt(recipients);
  }

  private async count(by: Submitter, dayCap: bigint): Promise<bigint> {
    const waiting = await this.rows.waiting(by.tenantId, by.mode, dayCap * BigInt(this.settings.admissionDays));
    if (this.counts.size >= MAX_COUNTS) this.counts.clear();
    this.counts.set(nameOf(by), { waiting, atMs: this.timers.monotonicMs() });
    return waiting;
  }
}

function nameOf(by: Submitter): string {
  return `${by.mode} ${by.tenantId}`;
}
