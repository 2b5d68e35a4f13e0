import type { Issue, SendingAccountId } from '@libs/kernel';
import { fitsTier, headroom, isUsable, utilisationPermille, type Candidate } from './account-choice.policy';

interface AccountUtilisation {
  readonly sendingAccountId: SendingAccountId;
  /** Share of the daily quota that plans have claimed, in per mille; above 1,000 when promised beyond the quota. */
  readonly beforePermille: number;
  readonly afterPermille: number;
}

/** What a move would do. Nothing is changed by asking. */
export interface MovePreview {
  readonly utilisation: readonly AccountUtilisation[];
  readonly tierFits: boolean;
  /** Domains that must be verified on the new account before anything switches. */
  readonly domainsToVerify: readonly string[];
  /** What would refuse the move. */
  readonly problems: readonly Issue[];
  /** What an operator should know and may accept. */
  readonly warnings: readonly string[];
}

export interface MoveFacts {
  readonly tier: string;
  /** Recipients a day the plan allows; null = no limit. */
  readonly demand: bigint | null;
  /** Where the tenant is now, in the mode of the target. */
  readonly from: readonly Candidate[];
  readonly to: Candidate;
  readonly domainsToVerify: readonly string[];
  /** A move of the same mode that has not ended. */
  readonly moving: boolean;
}

export function previewMove(facts: MoveFacts): MovePreview {
  const { from, to } = facts;
  const demand = facts.demand ?? 0n;
  const stays = from.length > 0 && from.every(({ id }) => id === to.id);
  const arrives = !from.some(({ id }) => id === to.id);
  const after = arrives ? to.committed + demand : to.committed;
  const leaving = from.filter(({ id }) => id !== to.id);
  const tierFits = fitsTier(to, facts.tier);

  const problems: Issue[] = [];
  const refuse = (code: Issue['code'], message: string) => {
    problems.push({ code, message, path: ['sendingAccountId'] });
  };
  if (!tierFits)
    refuse('INVALID_INPUT', `${to.label} is of tier ${to.tier}; the tenant’s plan is of tier ${facts.tier}.`);
  if (!isUsable(to, to.mode)) refuse('NO_CAPACITY', `${to.label} takes no tenants now: its state is ${to.state}.`);
  if (stays) refuse('CONFLICT', `The tenant sends through ${to.label} already.`);
  if (facts.moving) {
    problems.push({ code: 'CONFLICT', message: 'A move of this tenant is under way.', path: ['tenantId'] });
  }

  const free = headroom({ quota: to.quota, committed: after });
  return {
    utilisation: [
      ...leaving.map((account) => ({
        sendingAccountId: account.id,
        beforePermille: utilisationPermille(account.quota, account.committed),
        afterPermille: utilisationPermille(account.quota, account.committed - demand),
      })),
      {
        sendingAccountId: to.id,
        beforePermille: utilisationPermille(to.quota, to.committed),
        afterPermille: utilisationPermille(to.quota, after),
      },
    ],
    tierFits,
    domainsToVerify: facts.domainsToVerify,
    problems,
    warnings:
      free !== undefined && free < 0n
        ? [`${to.label} would be promised ${-free} recipients a day beyond its quota.`]
        : [],
  };
}
