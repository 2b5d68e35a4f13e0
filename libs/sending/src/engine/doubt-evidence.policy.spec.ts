import type { AttemptId, MessageId, SendingAccountId, TenantId } from '@libs/kernel';
import { groupDoubts, watermarkOf } from './doubt-evidence.policy';
import type { DoubtRow, SentThrough } from './resolver.repository';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const [account, other] = ['a1', 'a2'] as [SendingAccountId, SendingAccountId];
const [tenant, neighbour] = ['t1', 't2'] as [TenantId, TenantId];

const doubt = (startedMs: number, endedMs = startedMs + 40): DoubtRow => ({
  tenantId: tenant,
  messageId: 'm' as MessageId,
  attemptId: 'x' as AttemptId,
  sendingAccountId: account,
  stream: 'TRANSACTIONAL',
  policy: 'AT_LEAST_ONCE',
  startedAt: new Date(NOON + startedMs),
  endedAt: new Date(NOON + endedMs),
  expiresAt: new Date(NOON + 3_600_000),
});

it('doubts of one minute are judged by one span that covers every moment SES may have taken them', () => {
  const around = { beforeMs: 30_000, afterMs: 30_000, until: new Date(NOON + 600_000) };
  const groups = groupDoubts([doubt(1_000), doubt(59_000, 74_000), doubt(61_000)], around);
  expect(groups.map(({ from, to, doubts }) => [from.getTime() - NOON, to.getTime() - NOON, doubts.length])).toEqual([
    [1_000 - 30_000, 74_000 + 30_000, 2],
    [61_000 - 30_000, 61_040 + 30_000, 1],
  ]);
});

it('what is too young to be confirmed is nobody’s neighbour', () => {
  const [group] = groupDoubts([doubt(0, 40)], { beforeMs: 5_000, afterMs: 600_000, until: new Date(NOON + 90_000) });
  expect(group?.to).toEqual(new Date(NOON + 90_000));
});

it('neighbours count for their configuration set and their account, and for no other account', () => {
  const sent = (sendingAccountId: SendingAccountId, tenantId: TenantId, n: number, confirmed: number): SentThrough => ({
    sendingAccountId,
    tenantId,
    stream: 'TRANSACTIONAL',
    sent: n,
    confirmed,
  });
  const around = [
    sent(account, tenant, 5, 4),
    { ...sent(account, tenant, 7, 7), stream: 'MARKETING' as const },
    sent(account, neighbour, 20, 19),
    sent(other, tenant, 1_000, 0),
  ];
  expect(watermarkOf(doubt(0), around)).toEqual({
    setSent: 5,
    setConfirmed: 4,
    accountSent: 32,
    accountConfirmed: 30,
  });
});
