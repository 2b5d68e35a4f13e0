import type { Issue } from '@libs/kernel';

const DAY_MS = 86_400_000;

/** How much may wait for one tenant. */
export interface Admission {
  /** Recipients that wait already. */
  readonly waiting: bigint;
  /** The plan's recipients per rolling 24 h; null admits everything. */
  readonly dayCap: bigint | null;
  /** Days of the plan's cap that may wait: beyond, mail would expire before it could go. */
  readonly days: number;
}

/** Decides entry after entry, counting those it admits. */
export function admit(
  admission: Admission,
  recipients: readonly number[],
  nowMs: number,
): readonly (Issue | undefined)[] {
  const { dayCap } = admission;
  if (dayCap === null) return recipients.map(() => undefined);
  const limit = dayCap * BigInt(admission.days);
  let waiting = admission.waiting;
  return recipients.map((count) => {
    // It would wait until it expires, and hold up what is behind it.
    if (BigInt(count) > dayCap) {
      const message = `This message has ${String(count)} recipients, and your plan sends ${String(dayCap)} a day: it could never go. Split it, or choose a larger plan.`;
      return { code: 'PLAN_QUOTA_EXCEEDED', message, path: ['to'] };
    }
    const next = waiting + BigInt(count);
    if (next <= limit) {
      waiting = next;
      return undefined;
    }
    // What is too much drains at the pace of the plan.
    const retryMs = Math.ceil((Number(next - limit) * DAY_MS) / Number(dayCap));
    return {
      code: 'PLAN_QUOTA_EXCEEDED',
      message: `${String(waiting)} recipients of yours wait already, and your plan sends ${String(dayCap)} a day: at most ${String(limit)} may wait. Send less, later, or choose a larger plan.`,
      path: ['to'],
      retryAt: new Date(nowMs + retryMs),
    };
  });
}
