import { UnitOfWork } from '@libs/database';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import { InvoiceRecords } from '../invoice/invoice-records.service';
import { SQL_INVARIANTS } from './invariant-sql';
import { VerifyRepository, type Extent } from './verify.repository';

export interface Verdict {
  readonly id: bigint;
  readonly name: string;
  readonly violations: bigint;
  /** The first few violations, in words. */
  readonly examples: readonly string[];
}

const AS_ISSUED = { id: 6n, name: 'every invoice made again from its stored input is the one that was issued' };

/** Judges the books of a month against everything that must hold of them. Reads only. For operators and the engine. */
@Injectable()
export class VerifyService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly repository: VerifyRepository,
    private readonly invoices: InvoiceRecords,
  ) {}

  /** @throws DomainError INVALID_INPUT (period) */
  extent(name: string): Promise<Extent> {
    const period = parsePeriod(name);
    return this.uow.forSystem(() => this.repository.extent(period));
  }

  /**
   * All invariants in the order of their ids. What was never closed has no lines, and nothing to violate.
   * @throws DomainError INVALID_INPUT (period)
   */
  async verify(name: string): Promise<Verdict[]> {
    const period = parsePeriod(name);
    const verdicts: Verdict[] = [];
    for (const invariant of SQL_INVARIANTS) {
      const { count, examples } = await this.uow.forSystem(() => this.repository.violations(invariant, period));
      verdicts.push({ id: invariant.id, name: invariant.name, violations: count, examples });
    }
    const differing = await this.invoices.differing(name);
    const examples = differing.slice(0, 10).map((number) => `invoice ${number}`);
    verdicts.push({ ...AS_ISSUED, violations: BigInt(differing.length), examples });
    return verdicts.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
