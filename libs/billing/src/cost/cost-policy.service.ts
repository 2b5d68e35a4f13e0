import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { parsePeriod } from '../billing-period.policy';
import type { CostPolicy } from './cost-policy';
import { CostPolicyRepository } from './cost-policy.repository';

/** What is agreed about fees and idle capacity, month by month. */
@Injectable()
export class CostPolicyService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly policies: CostPolicyRepository,
    private readonly audit: AuditService,
  ) {}

  /** @throws DomainError INVALID_INPUT (period) */
  async of(period: string): Promise<CostPolicy> {
    const { name } = parsePeriod(period);
    return this.uow.forSystem(() => this.policies.of(name));
  }

  /**
   * Holds from that month on, until another one is set for a later month. For operators.
   * @throws DomainError INVALID_INPUT (period); CONFLICT (period) when it, or a later one, is final
   */
  set(period: string, policy: CostPolicy, by: Author): Promise<CostPolicy> {
    const { name } = parsePeriod(period);
    return this.uow.forSystem(async () => {
      if (await this.policies.isClosedFrom(name)) {
        throw new DomainError({ code: 'CONFLICT', message: 'This month, or a later one, is final.', path: ['period'] });
      }
      const before = await this.policies.of(name);
      await this.policies.set(name, policy);
      const detail = { from: before, to: policy };
      await this.audit.record({ ...by, action: 'cost-policy.set', subject: `period:${name}`, detail });
      return policy;
    });
  }
}
