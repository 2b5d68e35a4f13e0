import { UnitOfWork } from '@libs/database';
import { isBackwards, toPage, type AwsAccountId, type Mode, type Page, type PageRequest } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import type { VerificationFailure } from './verification-failure.policy';

export type AwsAccountState = 'VERIFYING' | 'ACTIVE' | 'FAILED';

/** A 12-digit account that joined, or is joining. */
export interface AwsAccount {
  readonly id: AwsAccountId;
  /** 12 digits. */
  readonly accountId: string;
  readonly name: string;
  readonly tier: string;
  readonly mode: Mode;
  readonly regions: readonly string[];
  /** Made by us, one per account; not a secret, but nobody else's business. */
  readonly externalId: string;
  readonly sendRoleArn: string;
  readonly manageRoleArn: string;
  readonly state: AwsAccountState;
  /** With FAILED: the step, what AWS said, and how to mend it. */
  readonly failedStep: string | null;
  readonly failure: string | null;
  readonly fix: string | null;
  readonly createdAt: Date;
  readonly verifiedAt: Date | null;
}

const COLUMNS = `id, account_id AS "accountId", name, tier, mode, regions, external_id AS "externalId",
  send_role_arn AS "sendRoleArn", manage_role_arn AS "manageRoleArn", state, failed_step AS "failedStep", failure, fix,
  created_at AS "createdAt", verified_at AS "verifiedAt"`;
const FIND = `SELECT ${COLUMNS} FROM aws_account WHERE id = ANY($1::uuid[]) ORDER BY id`;
const BETWEEN = `SELECT ${COLUMNS} FROM aws_account WHERE ($1::uuid IS NULL OR id > $1) AND ($2::uuid IS NULL OR id < $2)`;
const PAGE_FORWARDS = `${BETWEEN} ORDER BY id LIMIT $3`;
const PAGE_BACKWARDS = `${BETWEEN} ORDER BY id DESC LIMIT $3`;

@Injectable()
export class AwsAccountRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** False when the account is in the fleet already. */
  async insert(account: AwsAccount): Promise<boolean> {
    const rows = await this.uow.query(
      `INSERT INTO aws_account (id, account_id, name, tier, mode, regions, external_id, send_role_arn, manage_role_arn,
                                state, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (account_id) DO NOTHING RETURNING id`,
      [
        account.id,
        account.accountId,
        account.name,
        account.tier,
        account.mode,
        account.regions,
        account.externalId,
        account.sendRoleArn,
        account.manageRoleArn,
        account.state,
        account.createdAt,
      ],
    );
    return rows.length > 0;
  }

  findByIds(ids: readonly AwsAccountId[]): Promise<AwsAccount[]> {
    return this.uow.query<AwsAccount>(FIND, [ids]);
  }

  async exists(accountId: string): Promise<boolean> {
    return (await this.uow.query('SELECT 1 FROM aws_account WHERE account_id = $1', [accountId])).length > 0;
  }

  /** In order of creation; cursors are ids. */
  async page(request: PageRequest): Promise<Page<AwsAccount>> {
    const sql = isBackwards(request) ? PAGE_BACKWARDS : PAGE_FORWARDS;
    const rows = await this.uow.query<AwsAccount>(sql, [
      request.after ?? null,
      request.before ?? null,
      request.limit + 1,
    ]);
    return toPage(rows, request);
  }

  async setVerifying(id: AwsAccountId): Promise<void> {
    await this.uow.query(
      `UPDATE aws_account SET state = 'VERIFYING', failed_step = NULL, failure = NULL, fix = NULL WHERE id = $1`,
      [id],
    );
  }

  async setActive(id: AwsAccountId, at: Date): Promise<void> {
    await this.uow.query(
      `UPDATE aws_account SET state = 'ACTIVE', failed_step = NULL, failure = NULL, fix = NULL, verified_at = $2
        WHERE id = $1`,
      [id, at],
    );
  }

  async setFailed(id: AwsAccountId, { step, failure, fix }: VerificationFailure): Promise<void> {
    await this.uow.query(
      `UPDATE aws_account SET state = 'FAILED', failed_step = $2, failure = $3, fix = $4 WHERE id = $1`,
      [id, step, failure, fix],
    );
  }
}
