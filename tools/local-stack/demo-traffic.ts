import { SEED_TENANTS, type SeedTenant } from './fleet-plan';
import { seededChance } from './seeded-chance';

/** One message of the demo day, in the shape the customer API takes. */
export interface DemoEmail {
  readonly from: { readonly email: string; readonly name: string };
  readonly to: readonly { readonly email: string }[];
  readonly content: { readonly inline: { readonly subject: string; readonly text: string; readonly html?: string } };
  readonly stream: 'TRANSACTIONAL' | 'MARKETING';
  readonly tags: readonly { readonly name: string; readonly value: string }[];
}

/** What one tenant does that day: addresses it had suppressed before, and its messages in the order it hands them in. */
export interface DemoTraffic {
  readonly tenant: SeedTenant;
  readonly suppressed: readonly string[];
  readonly emails: readonly DemoEmail[];
}

/** Share of recipients that are gone, that complain, that were suppressed before; the rest is delivered. */
const GONE = 0.02;
const ANGRY = 0.003;
const SUPPRESSED = 0.01;
/** Share of messages with more than one recipient, so that counting messages instead of recipients would show. */
const SEVERAL = 0.03;

/**
 * The demo day: exactly `messages` messages, divided by the tenants' shares, the same for the same seed and day.
 * @param day part of every address, so that whom a day's bounces suppress is not asked for on the next one
 */
export function planTraffic(messages: number, seed: number, day: string): DemoTraffic[] {
  const counts = divide(
    messages,
    SEED_TENANTS.flatMap((tenant) => [tenant.transactional, tenant.marketing]),
  );
  return SEED_TENANTS.map((tenant, i) => {
    const chance = seededChance(seed * 1_000 + i);
    const streams = interleave(counts[2 * i] ?? 0, counts[2 * i + 1] ?? 0, chance);
    const slug = `${tenant.domain.split('.')[0] ?? tenant.domain}-${day}`;
    const suppressed = Array.from({ length: 5 }, (_, n) => `left-${n}@${slug}-readers.inbox.example`);
    const emails = streams.map((stream, n) => email(tenant, stream, recipientsOf(slug, n, suppressed, chance), n));
    return { tenant, suppressed, emails };
  });
}

/** Splits `total` in proportion to `shares`, by largest remainder, so that nothing is left over. */
function divide(total: number, shares: readonly number[]): number[] {
  const sum = shares.reduce((a, b) => a + b, 0);
  const exact = shares.map((share) => (total * share) / sum);
  const counts = exact.map(Math.floor);
  const order = exact
    .map((value, i) => ({ i, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  let left = total - counts.reduce((a, b) => a + b, 0);
  for (const { i } of order) {
    if (left === 0) break;
    counts[i] = (counts[i] ?? 0) + 1;
    left -= 1;
  }
  return counts;
}

function interleave(transactional: number, marketing: number, chance: () => number): DemoEmail['stream'][] {
  const streams: DemoEmail['stream'][] = [];
  let tx = transactional;
  let mk = marketing;
  while (tx + mk > 0) {
    if (chance() * (tx + mk) < tx) {
      streams.push('TRANSACTIONAL');
      tx -= 1;
    } else {
      streams.push('MARKETING');
      mk -= 1;
    }
  }
  return streams;
}

function recipientsOf(slug: string, n: number, suppressed: readonly string[], chance: () => number): string[] {
  const dice = chance();
  if (dice < GONE) return [`${slug}-${n}@gone.example`];
  if (dice < GONE + ANGRY) return [`${slug}-${n}@angry.example`];
  if (dice < GONE + ANGRY + SUPPRESSED) return [suppressed[n % suppressed.length] ?? ''];
  const several = dice < GONE + ANGRY + SUPPRESSED + SEVERAL ? 2 + Math.floor(chance() * 4) : 1;
  return Array.from({ length: several }, (_, i) => `${slug}-${n}-${i}@inbox.example`);
}

function email(tenant: SeedTenant, stream: DemoEmail['stream'], recipients: readonly string[], n: number): DemoEmail {
  const text =
    stream === 'MARKETING'
      ? `What is new at ${tenant.name}, letter ${n}.`
      : `Your receipt number ${n} from ${tenant.name}.`;
  return {
    from: { email: `${stream === 'MARKETING' ? 'news' : 'hello'}@${tenant.domain}`, name: tenant.name },
    to: recipients.map((address) => ({ email: address })),
    content: { inline: { subject: text, text, html: `<p>${text}</p>` } },
    stream,
    tags: [{ name: 'campaign', value: stream === 'MARKETING' ? 'spring' : 'receipts' }],
  };
}
