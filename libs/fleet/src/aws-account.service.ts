import { randomUUID } from 'node:crypto';
import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import {
  DomainError,
  EngineClock,
  newId,
  notFound,
  toPublicId,
  type AwsAccountId,
  type Issue,
  type Page,
  type PageRequest,
  checkCursors,
  isUuid,
} from '@libs/kernel';
import { PlanService } from '@libs/plans';
import { Outbox } from '@libs/queueing';
import { Injectable } from '@nestjs/common';
import { AwsAccountRepository, type AwsAccount } from './aws-account.repository';
import { verifyAwsAccount } from './fleet.jobs';
import { FleetSettings } from './fleet.settings';
import { defaultRoleArn, newAwsAccountIssues, type NewAwsAccount } from './new-aws-account.policy';
import { roleTemplates, type RoleTemplates } from './role-template.policy';

/** Accounts of the fleet, as operators see them. Talks to AWS never: that is the worker's (see AccountVerification). */
@Injectable()
export class AwsAccountService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly accounts: AwsAccountRepository,
    private readonly plans: PlanService,
    private readonly outbox: Outbox,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
    private readonly settings: FleetSettings,
  ) {}

  /**
   * Takes the account in as VERIFYING, with an external id of its own; a job of the worker checks it at once.
   * @throws DomainError INVALID_INPUT or CONFLICT (accountId), every wrong field at once
   */
  register(input: NewAwsAccount, by: Author): Promise<AwsAccount> {
    return this.uow.forSystem(async () => {
      const tiers = await this.plans.tiers();
      const issues = newAwsAccountIssues(
        input,
        tiers.map(({ code }) => code),
      );
      const isId = !issues.some(({ path }) => path?.[0] === 'accountId');
      if (isId && (await this.accounts.exists(input.accountId))) issues.push(alreadyThere(input.accountId));
      DomainError.throwIfAny(issues);

      const account: AwsAccount = {
        id: newId<AwsAccountId>(),
        accountId: input.accountId,
        name: input.name,
        tier: input.tier,
        mode: input.mode ?? 'LIVE',
        regions: input.regions,
        externalId: randomUUID(),
        sendRoleArn: input.sendRoleArn ?? defaultRoleArn(input.accountId, 'send'),
        manageRoleArn: input.manageRoleArn ?? defaultRoleArn(input.accountId, 'manage'),
        state: 'VERIFYING',
        failedStep: null,
        failure: null,
        fix: null,
        createdAt: this.clock.now(),
        verifiedAt: null,
      };
      if (!(await this.accounts.insert(account))) throw new DomainError(alreadyThere(input.accountId));
      await this.outbox.add(verifyAwsAccount, { awsAccountId: account.id });
      await this.audit.record({
        ...by,
        action: 'aws-account.register',
        subject: toPublicId('awsAccount', account.id),
        detail: { accountId: account.accountId, tier: account.tier, regions: account.regions, mode: account.mode },
      });
      return account;
    });
  }

  /** Checks the account again, also one that is ACTIVE. @throws DomainError NOT_FOUND */
  retry(id: AwsAccountId, by: Author): Promise<AwsAccount> {
    return this.uow.forSystem(async () => {
      await this.get(id);
      await this.accounts.setVerifying(id);
      await this.outbox.add(verifyAwsAccount, { awsAccountId: id });
      await this.audit.record({ ...by, action: 'aws-account.verify', subject: toPublicId('awsAccount', id) });
      return this.get(id);
    });
  }

  /** @throws DomainError NOT_FOUND */
  async get(id: AwsAccountId): Promise<AwsAccount> {
    const [account] = await this.findByIds([id]);
    if (!account) throw notFound('The AWS account', ['awsAccountId']);
    return account;
  }

  async findByIds(ids: readonly AwsAccountId[]): Promise<AwsAccount[]> {
    const known = ids.filter(isUuid);
    return known.length === 0 ? [] : this.uow.forSystem(() => this.accounts.findByIds(known));
  }

  /** In order of creation; a cursor is the id of an account. */
  list(page: PageRequest): Promise<Page<AwsAccount>> {
    checkCursors(page);
    return this.uow.forSystem(() => this.accounts.page(page));
  }

  /** The texts that make the account's two roles. @throws DomainError NOT_FOUND */
  async roleTemplates(id: AwsAccountId): Promise<RoleTemplates> {
    const account = await this.get(id);
    return roleTemplates({ ...account, ...this.settings.principals });
  }
}

function alreadyThere(accountId: string): Issue {
  return { code: 'CONFLICT', message: `Account ${accountId} is in the fleet already.`, path: ['accountId'] };
}
