/**
 * The seed fleet, as data: three AWS accounts of three tiers with different quotas and rates, and a fourth that stands for
 * the simulator in test mode. Account A serves premium plans with dedicated IPs 1-5, B growth plans with IPs 6-10, C the
 * free plan on shared IPs, and is bound by its rate.
 */
export interface SeedAccount {
  readonly accountId: string;
  readonly name: string;
  readonly tier: string;
  readonly mode: 'LIVE' | 'TEST';
  /** Recipients per rolling 24 h; -1 = unlimited. */
  readonly max24HourSend: number;
  /** Recipients per second. */
  readonly maxSendRate: number;
  readonly ips: readonly string[];
}

export const REGION = 'us-east-1';

export const SEED_ACCOUNTS: readonly SeedAccount[] = [
  {
    accountId: '111111111111',
    name: 'A premium',
    tier: 'premium',
    mode: 'LIVE',
    max24HourSend: 1_000_000,
    maxSendRate: 100,
    ips: ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4', '198.51.100.5'],
  },
  {
    accountId: '222222222222',
    name: 'B growth',
    tier: 'growth',
    mode: 'LIVE',
    max24HourSend: 500_000,
    maxSendRate: 120,
    ips: ['198.51.100.6', '198.51.100.7', '198.51.100.8', '198.51.100.9', '198.51.100.10'],
  },
  {
    accountId: '333333333333',
    name: 'C free',
    tier: 'free',
    mode: 'LIVE',
    max24HourSend: 50_000,
    maxSendRate: 14,
    ips: [],
  },
  {
    accountId: '999999999999',
    name: 'Test mode',
    tier: 'free',
    mode: 'TEST',
    max24HourSend: -1,
    maxSendRate: 50,
    ips: [],
  },
];

export interface SeedPlan {
  readonly code: string;
  readonly name: string;
  readonly tier: string;
  readonly weight: number;
  readonly recipientsPerDay: string;
  readonly dedicatedIps: boolean;
  /** Dollars a month. */
  readonly baseFee: string;
  readonly includedRecipients: string;
  /** Dollars for a thousand recipients above the included ones. */
  readonly overage: readonly { readonly from: string; readonly price: string }[];
  readonly dedicatedIpFee: string;
}

export const SEED_PLANS: readonly SeedPlan[] = [
  {
    code: 'premium',
    name: 'Premium',
    tier: 'premium',
    weight: 8,
    recipientsPerDay: '400000',
    dedicatedIps: true,
    baseFee: '499',
    includedRecipients: '1000000',
    overage: [
      { from: '0', price: '0.35' },
      { from: '2000000', price: '0.28' },
    ],
    dedicatedIpFee: '39',
  },
  {
    code: 'growth',
    name: 'Growth',
    tier: 'growth',
    weight: 4,
    recipientsPerDay: '200000',
    dedicatedIps: true,
    baseFee: '99',
    includedRecipients: '150000',
    overage: [
      { from: '0', price: '0.45' },
      { from: '1000000', price: '0.38' },
    ],
    dedicatedIpFee: '39',
  },
  {
    code: 'free',
    name: 'Free',
    tier: 'free',
    weight: 1,
    recipientsPerDay: '20000',
    dedicatedIps: false,
    baseFee: '0',
    includedRecipients: '50000',
    overage: [{ from: '0', price: '0.6' }],
    dedicatedIpFee: '0',
  },
];

export interface SeedTenant {
  readonly name: string;
  readonly plan: string;
  readonly domain: string;
  /** Per mille of the demo day's messages, by stream. The six tenants make 1,000. */
  readonly transactional: number;
  readonly marketing: number;
  /** Hands everything in at once, at the very start, to the disadvantage of whoever shares its account - or so it hopes. */
  readonly floods: boolean;
}

export const SEED_TENANTS: readonly SeedTenant[] = [
  {
    name: 'Northwind Bank',
    plan: 'premium',
    domain: 'northwind.example',
    transactional: 100,
    marketing: 80,
    floods: false,
  },
  { name: 'Lumen Health', plan: 'premium', domain: 'lumen.example', transactional: 80, marketing: 80, floods: false },
  { name: 'Brightly', plan: 'growth', domain: 'brightly.example', transactional: 90, marketing: 80, floods: false },
  { name: 'Kestrel Shop', plan: 'growth', domain: 'kestrel.example', transactional: 0, marketing: 410, floods: true },
  { name: 'Pixel Garden', plan: 'free', domain: 'pixel.example', transactional: 45, marketing: 0, floods: false },
  { name: 'Maple Notes', plan: 'free', domain: 'maple.example', transactional: 15, marketing: 20, floods: false },
];

/** What recipients' domains do with mail; everything else delivers. */
export const RECIPIENT_DOMAINS: Readonly<
  Record<string, { bounceRate?: number; complaintRate?: number; delayMs?: number }>
> = {
  'inbox.example': { delayMs: 200 },
  'gone.example': { bounceRate: 1, delayMs: 300 },
  'angry.example': { complaintRate: 1, delayMs: 300 },
};
