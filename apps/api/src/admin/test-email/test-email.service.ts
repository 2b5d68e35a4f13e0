import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainService, SendingAccountService, type SendingAccount } from '@libs/fleet';
import {
  canonicalAddress,
  DomainError,
  domainOf,
  isSameOrBelow,
  toPublicId,
  type SendingAccountId,
  type TenantId,
} from '@libs/kernel';
import { PlacementService } from '@libs/placement';
import { AcceptService, BacklogService, MessageService, type Message } from '@libs/sending';
import { Injectable } from '@nestjs/common';
import { invalidField, renamed } from '../../graphql/payload';
import { OperationsTenant } from './operations-tenant';
import { mailboxAddress, mailboxOf, testVerdict } from './test-email.policy';
import type { TestEmail, TestMailbox } from './test-email.type';

/** How long to wait for the route and the identity to be ready before asking the operator to come back. */
const READY_WITHIN_MS = 20_000;
const POLL_MS = 250;
/** How often SES is asked again whether the domain is verified there; the worker does the asking. */
const ASK_AGAIN_MS = 2_000;

export interface TestEmailWish {
  readonly sendingAccountId: SendingAccountId;
  readonly from: string;
  readonly mailbox: TestMailbox;
}

/**
 * A test message is an ordinary message of the operators' own tenant, placed on the account to be tested: it goes the
 * whole way that customers' mail goes, and its proof is the same event.
 */
@Injectable()
export class TestEmailService {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly operations: OperationsTenant,
    private readonly accounts: SendingAccountService,
    private readonly domains: DomainService,
    private readonly placements: PlacementService,
    private readonly backlog: BacklogService,
    private readonly accepting: AcceptService,
    private readonly messages: MessageService,
    private readonly audit: AuditService,
  ) {}

  /** @throws DomainError INVALID_INPUT, NOT_FOUND, CONFLICT, DOMAIN_NOT_VERIFIED, ACCOUNT_NOT_READY */
  async send(wish: TestEmailWish, by: Author): Promise<TestEmail> {
    const from = canonicalAddress(wish.from);
    if (from === undefined) throw invalidField('from', 'Expected an address such as test@operator.example.');
    const account = await this.accounts.get(wish.sendingAccountId);
    const tenant = await this.prepare(account, domainOf(from), by);
    await this.awaitReady(tenant, account, domainOf(from));
    const to = mailboxAddress(wish.mailbox);
    await this.uow.forSystem(() =>
      this.audit.record({
        ...by,
        action: 'test-email.send',
        subject: toPublicId('sendingAccount', account.id),
        detail: { mailbox: wish.mailbox },
      }),
    );
    const call = {
      idempotencyKey: `test-email/${randomUUID()}`,
      email: {
        from: { email: from },
        to: [{ email: to }],
        content: {
          inline: {
            subject: 'Postfleet test message',
            text: 'This message tests the way from Postfleet through SES and back.',
          },
        },
      },
    };
    const { result } = await this.accepting.acceptOne({ tenantId: tenant, mode: account.mode }, call);
    if ('message' in result) return toTestEmail(result.message);
    DomainError.throwIfAny(
      result.issues.map((issue) => ({ ...issue, path: issue.path?.[1] === 'from' ? ['from'] : ['sendingAccountId'] })),
    );
    throw new Error('a test message was neither accepted nor refused');
  }

  async find(id: string): Promise<TestEmail | null> {
    const tenant = await this.operations.find();
    if (tenant === undefined) return null;
    const [message] = await this.messages.findByIds(tenant, [id]);
    return message ? toTestEmail(message) : null;
  }

  /** Puts the operators' tenant on the account, with the sender's domain. */
  private async prepare(account: SendingAccount, domain: string, by: Author): Promise<TenantId> {
    const tenant = await this.operations.ensure(account.tier, by);
    const placed = (await this.placements.currentFor([tenant])).filter((placement) => placement.mode === account.mode);
    const here = placed.length > 0 && placed.every((placement) => placement.sendingAccountId === account.id);
    if (!here && (await this.backlog.count(tenant)).messages > 0n) {
      throw new DomainError({
        code: 'CONFLICT',
        message: 'A test through another sending account still waits to be sent. Try again when it is out.',
        path: ['sendingAccountId'],
      });
    }
    await this.uow.forSystem(async () => {
      const known = await this.domains.list(tenant);
      if (!known.some(({ name }) => isSameOrBelow(domain, name))) {
        await renamed(['domains', '0'], ['from'], this.domains.add(tenant, [domain], by)).catch(whoseDomain(domain));
      }
      if (here) await this.placements.requestProvisioning(tenant);
      else await this.placements.placeTenantOn({ tenantId: tenant, sendingAccountId: account.id }, by);
    });
    return tenant;
  }

  private async awaitReady(tenant: TenantId, account: SendingAccount, domain: string): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    let askAgainAt = performance.now() + ASK_AGAIN_MS;
    for (;;) {
      const ready = (await this.domains.readyFor(tenant)).filter(({ name }) => isSameOrBelow(domain, name));
      const identities = await this.domains.identities(tenant);
      const verified = identities.some(
        ({ domainId, sendingAccountId, state }) =>
          state === 'VERIFIED' && sendingAccountId === account.id && ready.some(({ id }) => id === domainId),
      );
      if (verified) return;
      if (performance.now() > deadline) {
        throw new DomainError({
          code: 'DOMAIN_NOT_VERIFIED',
          message: `${domain} is not verified on that account yet. It was set up there: publish its DNS records, then send the test again.`,
          path: ['from'],
        });
      }
      if (performance.now() > askAgainAt) {
        askAgainAt = performance.now() + ASK_AGAIN_MS;
        await this.uow.forSystem(() => this.placements.requestProvisioning(tenant));
      }
      await sleep(POLL_MS);
    }
  }
}

/** A tenant's domain is not borrowed: the test would stand among that tenant's mail and usage. */
function whoseDomain(domain: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof DomainError) || error.code !== 'CONFLICT') throw error;
    throw new DomainError({
      code: 'CONFLICT',
      message: `${domain} belongs to a tenant. Test mail is the operators' own: send it from a domain that no tenant has.`,
      path: ['from'],
    });
  };
}

function toTestEmail(message: Message): TestEmail {
  const to = message.to[0]?.email ?? '';
  return {
    id: toPublicId('message', message.id),
    to,
    createdAt: message.createdAt,
    ...testVerdict(mailboxOf(to) ?? 'SUCCESS', message),
  };
}
