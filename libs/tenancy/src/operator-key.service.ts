import { AuditService, type Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import { DomainError, EngineClock, newId, notFound, toPublicId, type Issue, type OperatorId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { digestOf, mintKey, parseKey, shownPrefix } from './key-format.policy';
import { KeyPepper } from './key-pepper';
import { isName } from './new-api-key.policy';
import {
  OPERATOR_ROLES,
  OperatorKeyRepository,
  type FoundOperatorKey,
  type OperatorRole,
} from './operator-key.repository';
import { RecentLookups } from './recent-lookups.service';

/** An operator who has shown a key. */
export interface OperatorPrincipal {
  readonly kind: 'operator';
  readonly operatorId: OperatorId;
  readonly name: string;
  readonly role: OperatorRole;
}

export interface NewOperatorKey {
  readonly name: string;
  readonly role: string;
  readonly expiresAt?: Date | null;
}

/** Operators' keys, `pf_adm_...`: the way into the admin endpoint. */
@Injectable()
export class OperatorKeyService {
  private readonly recent = new RecentLookups<FoundOperatorKey>();

  constructor(
    private readonly uow: UnitOfWork,
    private readonly keys: OperatorKeyRepository,
    private readonly audit: AuditService,
    private readonly clock: EngineClock,
    private readonly pepper: KeyPepper,
  ) {}

  /**
   * Makes an operator's key and answers it this one time.
   * @throws DomainError INVALID_INPUT (name, role, expiresAt)
   */
  create(input: NewOperatorKey, by: Author): Promise<{ id: OperatorId; key: string }> {
    return this.uow.forSystem(async () => {
      const now = this.clock.now();
      const role = OPERATOR_ROLES.find((one) => one === input.role);
      const issues: Issue[] = [];
      const refuse = (field: keyof NewOperatorKey, message: string) => {
        issues.push({ code: 'INVALID_INPUT', message, path: [field] });
      };
      if (!isName(input.name)) refuse('name', 'Expected 1 to 120 printable characters.');
      if (!role) refuse('role', `Expected one of ${OPERATOR_ROLES.join(', ')}.`);
      if (input.expiresAt && !(input.expiresAt.getTime() > now.getTime())) {
        refuse('expiresAt', 'Expected a time in the future, or nothing for a key that does not expire.');
      }
      DomainError.throwIfAny(issues);

      const key = mintKey('ADMIN');
      const stored = {
        id: newId<OperatorId>(),
        name: input.name,
        role: role ?? 'viewer',
        expiresAt: input.expiresAt ?? null,
      };
      await this.keys.insert(stored, shownPrefix(key), digestOf(key, this.pepper.value), now);
      await this.audit.record({
        ...by,
        action: 'operator-key.create',
        subject: toPublicId('operator', stored.id),
        detail: { name: stored.name, role: stored.role, expiresAt: stored.expiresAt },
      });
      return { id: stored.id, key };
    });
  }

  /** @throws DomainError NOT_FOUND */
  revoke(id: OperatorId, by: Author): Promise<void> {
    return this.uow.forSystem(async () => {
      const outcome = await this.keys.revoke(id, this.clock.now());
      if (outcome === 'unknown') throw notFound('The operator key', ['id']);
      if (outcome === 'already') return;
      await this.audit.record({ ...by, action: 'operator-key.revoke', subject: toPublicId('operator', id) });
      this.uow.onCommit(() => {
        this.recent.clear();
      });
    });
  }

  /** As ApiKeyService.authenticate, for operators' keys only. */
  async authenticate(text: string): Promise<OperatorPrincipal | undefined> {
    const parsed = parseKey(text);
    if (parsed?.kind !== 'ADMIN') return undefined;
    const digest = digestOf(parsed.key, this.pepper.value);
    const found = await this.recent.find(digest, () => this.uow.forEdge(() => this.keys.findByDigest(digest)));
    if (!found || found.revokedAt) return undefined;
    if (found.expiresAt && found.expiresAt.getTime() <= this.clock.nowMs()) return undefined;
    return { kind: 'operator', operatorId: found.id, name: found.name, role: found.role };
  }
}
